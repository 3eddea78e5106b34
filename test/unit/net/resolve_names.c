/* Names, looked up by a getaddrinfo(3) that is made up: slow, failing, or with too much to tell. */
#include "net/resolve.h"

#include <errno.h>
#include <langinfo.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include "base/deadline.h"
#include "check.h"
#include "sys/signals.h"

#define SHORT (20 * CLOCK_MILLISECOND)
#define LONG (30 * CLOCK_SECOND)
#define MANY 1000

static struct addrinfo found[MANY];
static struct sockaddr_in addresses[MANY];
static sem_t asked, answer, freed;
static struct addrinfo hints_seen;
static int signals_open; /* of INT, TERM and HUP, those that the thread would take */

static struct addrinfo *addresses_from(uint32_t first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		addresses[i] = (struct sockaddr_in){
		    .sin_family = AF_INET,
		    .sin_port = htons(80),
		    .sin_addr.s_addr = htonl(first + (uint32_t)i),
		};
		found[i] = (struct addrinfo){
		    .ai_family = AF_INET,
		    .ai_addrlen = sizeof(addresses[i]),
		    .ai_addr = (struct sockaddr *)&addresses[i],
		    .ai_next = i + 1 < count ? &found[i + 1] : NULL,
		};
	}
	return found;
}

static void look_at_mask(void)
{
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	signals_open = !sigismember(&mask, SIGINT) + !sigismember(&mask, SIGTERM) +
	               !sigismember(&mask, SIGHUP);
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) == -1)
		;
}

/* As the C library: it converts a name if asked to, in a locale that has its letters. */
static int look_up_letters(const char *host, int flags)
{
	if ((flags & AI_IDN) == 0)
		return strcmp(host, "gr\xc3\xbcn") == 0 ? 0 : EAI_NONAME;
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		return EAI_IDN_ENCODE;
	return strcmp(host, "b\xc3\xbc\x63her") == 0 ? 0 : EAI_NONAME;
}

/* These two take the place of the C library's. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
    struct addrinfo **list)
{
	int status = 0;

	(void)port;
	*list = NULL;
	if ((hints->ai_flags & AI_NUMERICHOST) != 0)
		return EAI_NONAME;
	hints_seen = *hints;
	look_at_mask();
	if (strcmp(host, "slow") == 0) {
		sem_post(&asked);
		wait_for(&answer);
	}
	if (strcmp(host, "gr\xc3\xbcn") == 0 || strcmp(host, "b\xc3\xbc\x63her") == 0)
		status = look_up_letters(host, hints->ai_flags);
	if (status != 0)
		return status;
	if (strcmp(host, "unknown") == 0)
		return EAI_NONAME;
	if (strcmp(host, "later") == 0)
		return EAI_AGAIN;
	if (strcmp(host, "no memory") == 0) {
		errno = ENOMEM;
		return EAI_SYSTEM;
	}
	*list = addresses_from(0x7f000001, strcmp(host, "many") == 0 ? MANY : 3);
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	CHECK(list == found);
	sem_post(&freed);
}

static void names(void)
{
	struct resolve_list list;
	struct err err;

	CHECK_INT(resolve("name", "80", AF_INET, DEADLINE_NEVER, &list, &err), 0);
	CHECK_INT((int)list.count, 3);
	for (size_t i = 0; i < list.count; i++) {
		struct sockaddr_in in;
		memcpy(&in, &list.addr[i].storage, sizeof(in));
		CHECK_INT(list.addr[i].len, sizeof(in));
		CHECK_INT(ntohl(in.sin_addr.s_addr), 0x7f000001 + (int)i);
	}
	CHECK_INT(hints_seen.ai_family, AF_INET);
	CHECK_INT(hints_seen.ai_socktype, SOCK_STREAM);
	CHECK_INT(hints_seen.ai_flags, 0);
	wait_for(&freed);
	resolve_free(&list);
	CHECK_INT((int)list.count, 0);
}

static void letters(void)
{
#ifdef AI_IDN
	static const char *const hosts[] = {"b\xc3\xbc\x63her", "gr\xc3\xbcn"};

	for (size_t i = 0; i < ROWS(hosts); i++) {
		struct resolve_list list;
		struct err err;
		check_row("%s", hosts[i]);
		CHECK_INT(resolve(hosts[i], "80", AF_INET, DEADLINE_NEVER, &list, &err), 0);
		CHECK_INT((int)list.count, 3);
		resolve_free(&list);
	}
#else
	check_skip();
#endif
}

static void many(void)
{
	struct resolve_list list;
	struct err err;

	CHECK_INT(resolve("many", "80", AF_UNSPEC, DEADLINE_NEVER, &list, &err), 0);
	if (CHECK_INT((int)list.count, MANY))
		CHECK(memcmp(&list.addr[MANY - 1].storage, &addresses[MANY - 1],
			  sizeof(addresses[0])) == 0);
	resolve_free(&list);
}

static void failures(void)
{
	static const struct {
		const char *host;
		const char *why;
	} rows[] = {
	    {"unknown", "resolve: Name or service not known"},
	    {"later", "resolve: Temporary failure in name resolution"},
	    {"no memory", "resolve: Cannot allocate memory"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct resolve_list list;
		struct err err = {.kind = ERR_NONE};
		check_row("%s", rows[i].host);
		CHECK_INT(resolve(rows[i].host, "80", AF_UNSPEC, DEADLINE_NEVER, &list, &err), -1);
		CHECK_INT(err.kind, ERR_FAILED);
		CHECK_STR(err.text, rows[i].why);
	}
}

/*
 * Ends the look-up that resolve() left behind, and waits until it has freed its descriptor and the
 * list. (The leak check of the sanitizers covers its memory.)
 */
static void let_it_end(int descriptors)
{
	int64_t deadline = deadline_after(LONG);
	struct timespec pause = {.tv_nsec = CLOCK_MILLISECOND};

	sem_post(&answer);
	wait_for(&freed);
	while (check_descriptors() != descriptors && clock_now() < deadline)
		nanosleep(&pause, NULL);
}

static void deadline_passes(void)
{
	struct resolve_list list;
	struct err err;
	int descriptors = check_descriptors();
	int64_t deadline = deadline_after(SHORT);

	CHECK_INT(resolve("slow", "80", AF_UNSPEC, deadline, &list, &err), -1);
	CHECK(clock_now() >= deadline);
	CHECK(clock_now() < deadline + LONG);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	CHECK_STR(err.text, "resolve: timed out");
	let_it_end(descriptors);
}

static void does_not_wait(void)
{
	struct resolve_list list;
	struct err err;
	int descriptors = check_descriptors();

	CHECK_INT(resolve("slow", "80", AF_UNSPEC, DEADLINE_NOW, &list, &err), -1);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	let_it_end(descriptors);
}

static const struct resolve_query slow = {.host = "slow", .port = "80", .family = AF_UNSPEC};

static void is_kept(void)
{
	struct resolve_lookup *kept = NULL;
	struct resolve_list list;
	struct err err;
	int descriptors;

	CHECK_INT(resolve_keeping(&kept, &slow, DEADLINE_NOW, &list, &err), -1);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	CHECK_STR(err.text, "resolve: timed out");
	CHECK(kept != NULL);
	wait_for(&asked);
	descriptors = check_descriptors();
	for (int tries = 0; tries < 10; tries++)
		CHECK_INT(resolve_keeping(&kept, &slow, DEADLINE_NOW, &list, &err), -1);
	CHECK_INT(check_descriptors(), descriptors);
	sem_post(&answer);
	CHECK_INT(resolve_keeping(&kept, &slow, DEADLINE_NEVER, &list, &err), 0);
	CHECK_INT((int)list.count, 3);
	resolve_free(&list);
	CHECK(kept == NULL);
	CHECK_INT(sem_trywait(&asked), -1);
	wait_for(&freed);
	resolve_forget(&kept);
}

static void is_forgotten(void)
{
	struct resolve_lookup *kept = NULL;
	struct resolve_list list;
	struct err err;
	int descriptors = check_descriptors();

	CHECK_INT(resolve_keeping(&kept, &slow, DEADLINE_NOW, &list, &err), -1);
	resolve_forget(&kept);
	CHECK(kept == NULL);
	let_it_end(descriptors);
}

static void *answer_when_asked(void *unused)
{
	wait_for(&asked);
	sem_post(&answer);
	return unused;
}

static void waits_for_answer(void)
{
	struct resolve_list list;
	struct err err;
	pthread_t thread;

	CHECK_INT(pthread_create(&thread, NULL, answer_when_asked, NULL), 0);
	CHECK_INT(resolve("slow", "80", AF_UNSPEC, deadline_after(LONG), &list, &err), 0);
	CHECK_INT((int)list.count, 3);
	resolve_free(&list);
	pthread_join(thread, NULL);
}

/* The signal is sent to the process, so any thread that does not block it may get it. */
static void *stop_when_asked(void *unused)
{
	wait_for(&asked);
	kill(getpid(), SIGTERM);
	return unused;
}

static void signal_stops(void)
{
	struct resolve_list list;
	struct err err;
	pthread_t thread;
	sigset_t old;
	int descriptors = check_descriptors();

	signals_install();
	signals_block(&old); /* for the helper, which inherits it */
	CHECK_INT(pthread_create(&thread, NULL, stop_when_asked, NULL), 0);
	signals_restore(&old);
	CHECK_INT(resolve("slow", "80", AF_UNSPEC, DEADLINE_NEVER, &list, &err), -1);
	CHECK_INT(err.kind, ERR_INTERRUPTED);
	CHECK_INT(signals_caught(), SIGTERM);
	CHECK_INT(signals_open, 0);
	pthread_join(thread, NULL);
	let_it_end(descriptors);
}

int main(void)
{
	sem_init(&asked, 0, 0);
	sem_init(&answer, 0, 0);
	sem_init(&freed, 0, 0);
	promise("a name is all of its addresses, in the resolver's order", names);
	promise("letters that are not ASCII are encoded, or left as hosts(5) has them", letters);
	promise("a name has all of its addresses, however many", many);
	promise("a look-up that fails says why", failures);
	promise("a look-up that takes too long is given up at the deadline", deadline_passes);
	promise("with DEADLINE_NOW a look-up is not waited for", does_not_wait);
	promise("an answer that comes in time is taken", waits_for_answer);
	promise("a look-up that is kept is gone on with, and no other begun", is_kept);
	promise("a look-up that is kept and not wanted any more frees itself", is_forgotten);
	promise("a signal ends the wait for a look-up, which itself takes none", signal_stops);
	return check_end();
}
