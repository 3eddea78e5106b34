#include "net/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/io.h"

#define NAME_SERVER "no name server answers; an address needs none"

/*
 * A look-up, which its caller and its thread share. The thread may outlive the caller's interest,
 * so the last of the two to let go frees it. The thread closes its end of the pipe done, which
 * wakes the caller.
 */
struct resolve_lookup {
	pthread_mutex_t lock;
	int holders;
	pthread_t thread;
	int done[2]; /* -1 if there is no thread */
	char host[NI_MAXHOST];
	char port[NI_MAXSERV];
	struct addrinfo hints;
	int status; /* of getaddrinfo(3) */
	int errnum; /* the errno, if status is EAI_SYSTEM */
	struct addrinfo *result;
};

static void run_lookup(struct resolve_lookup *lookup)
{
	const char *host = lookup->host[0] == '\0' ? NULL : lookup->host;

	lookup->status = getaddrinfo(host, lookup->port, &lookup->hints, &lookup->result);
	lookup->errnum = errno;
}

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text > 0x7f)
			return false;
	}
	return true;
}

#ifdef AI_IDN
/* As run_lookup(), in this thread with names in UTF-8. */
static void run_in_utf8(struct resolve_lookup *lookup)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

	if (utf8 == (locale_t)0)
		return;
	locale_t old = uselocale(utf8);
	run_lookup(lookup);
	uselocale(old);
	freelocale(utf8);
}

/*
 * Looks up a name that has other letters than ASCII: as the DNS has it (RFC 5891), letters being
 * those of the locale, or else of UTF-8, for cron has no locale; then as it is, which is how
 * hosts(5) or mDNS may have it.
 */
static void run_for_letters(struct resolve_lookup *lookup)
{
	lookup->hints.ai_flags |= AI_IDN;
	run_lookup(lookup);
	if (lookup->status == EAI_IDN_ENCODE)
		run_in_utf8(lookup);
	lookup->hints.ai_flags &= ~AI_IDN;
	if (lookup->status == EAI_IDN_ENCODE || lookup->status == EAI_NONAME ||
	    lookup->status == EAI_NODATA)
		run_lookup(lookup);
}
#endif

static void run_for_name(struct resolve_lookup *lookup)
{
#ifdef AI_IDN
	if (!is_ascii(lookup->host)) {
		run_for_letters(lookup);
		return;
	}
#endif
	run_lookup(lookup);
}

static void let_go(struct resolve_lookup *lookup)
{
	pthread_mutex_lock(&lookup->lock);
	int holders = --lookup->holders;
	pthread_mutex_unlock(&lookup->lock);
	if (holders > 0)
		return;
	if (lookup->result != NULL)
		freeaddrinfo(lookup->result);
	pthread_mutex_destroy(&lookup->lock);
	free(lookup);
}

static void *lookup_thread(void *argument)
{
	struct resolve_lookup *lookup = argument;
	int done = lookup->done[1];

	run_for_name(lookup);
	let_go(lookup);
	close(done);
	return NULL;
}

/* Starts the thread without signals: they are for the thread that waits. */
static int start_thread(struct resolve_lookup *lookup, struct err *err)
{
	sigset_t all;
	sigset_t old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&lookup->thread, NULL, lookup_thread, lookup);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error == 0 ? 0 : err_set(err, ERR_FAILED, error, "pthread_create");
}

static int start_lookup(struct resolve_lookup *lookup, struct err *err)
{
	if (pipe2(lookup->done, O_CLOEXEC) == -1)
		return err_sys(err, "pipe");
	lookup->holders++;
	if (start_thread(lookup, err) == 0)
		return 0;
	lookup->holders--;
	close(lookup->done[1]);
	close(lookup->done[0]);
	return -1;
}

static struct resolve_lookup *new_lookup(const struct resolve_query *query)
{
	struct resolve_lookup *lookup = calloc(1, sizeof(*lookup));

	if (lookup == NULL)
		return NULL;
	pthread_mutex_init(&lookup->lock, NULL);
	lookup->holders = 1;
	lookup->done[0] = -1;
	strlcpy(lookup->host, query->host, sizeof(lookup->host));
	strlcpy(lookup->port, query->port, sizeof(lookup->port));
	/*
	 * AI_PASSIVE matters for "every address" only. Not AI_ADDRCONFIG: it leaves out ::1 on a
	 * host with no other IPv6 address, and the race of the addresses makes it needless.
	 */
	lookup->hints = (struct addrinfo){
	    .ai_family = query->family,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = query->host[0] == '\0' ? AI_PASSIVE : 0,
	};
	return lookup;
}

/*
 * Looks up host and port as numbers, which needs no thread. Returns whether they are numbers; the
 * thread reports any other error.
 */
static bool is_numeric(struct resolve_lookup *lookup)
{
	lookup->hints.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	run_lookup(lookup);
	lookup->hints.ai_flags &= ~(AI_NUMERICHOST | AI_NUMERICSERV);
	return lookup->status == 0;
}

/*
 * Returns what the user can do about a name that is not known. Letters that are not ASCII are for
 * libidn2, which the C library may not find. A scope, behind %, names an
 * interface of this host; an address copied from another host has a scope of that one.
 */
static const char *unknown_name(const char *host)
{
	if (strchr(host, '%') != NULL)
		return "this machine has no such interface; write one of its own behind %";
	if (!is_ascii(host))
		return "is the name right? If libidn2 is missing here, write it as xn--...";
	return "is the name right? Or write the address, as 192.0.2.7:9009";
}

static int set_lookup_error(const struct resolve_lookup *lookup, struct err *err)
{
	switch (lookup->status) {
	case EAI_NONAME:
	case EAI_NODATA:
		err_set(err, ERR_FAILED, 0, "%s", gai_strerror(lookup->status));
		return err_advise(err, unknown_name(lookup->host));
	case EAI_ADDRFAMILY:
		err_set(err, ERR_FAILED, 0, "%s", gai_strerror(lookup->status));
		err->errnum = EAFNOSUPPORT;
		return err_advise(err, "it has no address of the family that -4 or -6 asks for");
	case EAI_AGAIN:
		err_set(err, ERR_FAILED, 0, "%s", gai_strerror(lookup->status));
		return err_advise(err, NAME_SERVER);
	case EAI_SYSTEM:
		return err_set(err, ERR_FAILED, lookup->errnum, "%s", "");
	case EAI_SERVICE:
		return err_set(err, ERR_USAGE, 0, "port \"%s\" is not a known service",
		    lookup->port);
	default:
		return err_set(err, ERR_FAILED, 0, "%s", gai_strerror(lookup->status));
	}
}

static bool has_addr(const struct resolve_list *list, const struct addrinfo *ai)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->addr[i].len == ai->ai_addrlen &&
		    memcmp(&list->addr[i].storage, ai->ai_addr, ai->ai_addrlen) == 0)
			return true;
	}
	return false;
}

static int copy_list(struct resolve_list *list, const struct addrinfo *first, struct err *err)
{
	size_t count = 1; /* there is a first one */

	for (const struct addrinfo *ai = first->ai_next; ai != NULL; ai = ai->ai_next)
		count++;
	list->addr = calloc(count, sizeof(*list->addr));
	if (list->addr == NULL)
		return err_sys(err, "%s", "");
	for (const struct addrinfo *ai = first; ai != NULL; ai = ai->ai_next) {
		struct sock_addr *addr = &list->addr[list->count];
		if (ai->ai_addrlen > sizeof(addr->storage) || has_addr(list, ai))
			continue;
		memcpy(&addr->storage, ai->ai_addr, ai->ai_addrlen);
		addr->len = ai->ai_addrlen;
		list->count++;
	}
	return 0;
}

void resolve_free(struct resolve_list *list)
{
	free(list->addr);
	*list = (struct resolve_list){.count = 0};
}

/* Begins a look-up, which has ended already if host and port are numbers. Returns it, or NULL. */
static struct resolve_lookup *begin_lookup(const struct resolve_query *query, struct err *err)
{
	struct resolve_lookup *lookup = new_lookup(query);

	if (lookup == NULL) {
		err_sys(err, "%s", "");
		return NULL;
	}
	if (is_numeric(lookup) || start_lookup(lookup, err) == 0)
		return lookup;
	let_go(lookup);
	return NULL;
}

/* Waits until the look-up has ended. Returns 0, or -1 if it goes on. */
static int await_lookup(struct resolve_lookup *lookup, int64_t deadline, struct err *err)
{
	int done = lookup->done[0];

	if (done == -1)
		return 0;
	if (io_wait(done, POLLIN, deadline, err) == -1)
		return err->kind == ERR_TIMEOUT ? err_advise(err, NAME_SERVER) : -1;
	close(done);
	pthread_join(lookup->thread, NULL);
	return 0;
}

int resolve_keeping(struct resolve_lookup **kept, const struct resolve_query *query,
    int64_t deadline, struct resolve_list *list, struct err *err)
{
	*list = (struct resolve_list){.count = 0};
	if (*kept == NULL)
		*kept = begin_lookup(query, err);
	if (*kept == NULL || await_lookup(*kept, deadline, err) == -1)
		return err_prefix(err, "resolve");
	struct resolve_lookup *lookup = *kept;
	int status = lookup->status == 0 ? copy_list(list, lookup->result, err)
	                                 : set_lookup_error(lookup, err);
	let_go(lookup);
	*kept = NULL;
	return status == 0 ? 0 : err_prefix(err, "resolve");
}

void resolve_forget(struct resolve_lookup **kept)
{
	if (*kept == NULL)
		return;
	close((*kept)->done[0]);
	pthread_detach((*kept)->thread);
	let_go(*kept);
	*kept = NULL;
}

int resolve(const char *host, const char *port, int family, int64_t deadline,
    struct resolve_list *list, struct err *err)
{
	const struct resolve_query query = {.host = host, .port = port, .family = family};
	struct resolve_lookup *lookup = NULL;
	int status = resolve_keeping(&lookup, &query, deadline, list, err);

	resolve_forget(&lookup);
	return status;
}
