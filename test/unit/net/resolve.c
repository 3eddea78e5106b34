/* Addresses that need no look-up, by the system's own getaddrinfo(3). */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include "base/deadline.h"
#include "check.h"
#include "net/addr.h"

/* The addresses found, as text, one after the other. */
static const char *names(const struct resolve_list *list)
{
	static char all[8 * ADDR_TEXT_MAX];
	char one[ADDR_TEXT_MAX];

	all[0] = '\0';
	for (size_t i = 0; i < list->count; i++) {
		addr_format(sock_sockaddr(&list->addr[i]), list->addr[i].len, one);
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i > 0 ? " " : "",
		    one);
	}
	return all;
}

static void numbers(void)
{
	static const struct {
		const char *host;
		const char *port;
		int family;
		const char *found;
	} rows[] = {
	    {"192.0.2.7", "9009", AF_UNSPEC, "192.0.2.7:9009"},
	    {"192.0.2.7", "9009", AF_INET, "192.0.2.7:9009"},
	    {"2001:db8::1", "1", AF_UNSPEC, "[2001:db8::1]:1"},
	    {"2001:db8::1", "65535", AF_INET6, "[2001:db8::1]:65535"},
	    {"::ffff:192.0.2.7", "80", AF_UNSPEC, "192.0.2.7:80"},
	    {"::", "0", AF_UNSPEC, "[::]:0"},
	    {"127.0.0.1", "0", AF_UNSPEC, "127.0.0.1:0"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct resolve_list list;
		struct err err;
		check_row("%s port %s", rows[i].host, rows[i].port);
		/* DEADLINE_NOW: for a number, nothing is waited for */
		if (!CHECK_INT(resolve(rows[i].host, rows[i].port, rows[i].family, DEADLINE_NOW,
				   &list, &err),
			0))
			continue;
		CHECK_INT((int)list.count, 1);
		CHECK_STR(names(&list), rows[i].found);
		resolve_free(&list);
	}
}

static void every_address(void)
{
	struct resolve_list list;
	struct err err;

	CHECK_INT(resolve("", "9009", AF_INET, DEADLINE_NOW, &list, &err), 0);
	CHECK_STR(names(&list), "0.0.0.0:9009");
	resolve_free(&list);
	CHECK_INT(resolve("", "9009", AF_INET6, DEADLINE_NOW, &list, &err), 0);
	CHECK_STR(names(&list), "[::]:9009");
	resolve_free(&list);
	CHECK_INT(resolve("", "0", AF_UNSPEC, DEADLINE_NOW, &list, &err), 0);
	CHECK_INT((int)list.count, 2);
	CHECK_HAS(names(&list), "0.0.0.0:0");
	CHECK_HAS(names(&list), "[::]:0");
	resolve_free(&list);
}

static void other_family(void)
{
	static const struct {
		const char *host;
		int family;
	} rows[] = {{"192.0.2.7", AF_INET6}, {"2001:db8::1", AF_INET}};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct resolve_list list;
		struct err err = {.kind = ERR_NONE};
		check_row("%s", rows[i].host);
		CHECK_INT(resolve(rows[i].host, "80", rows[i].family, DEADLINE_NEVER, &list, &err),
		    -1);
		CHECK_INT(err.kind, ERR_FAILED);
		CHECK_HAS(err.text, "resolve: ");
	}
}

static void known_service(void)
{
	struct resolve_list list;
	struct err err;
	char found[ADDR_TEXT_MAX];
	const struct servent *http = getservbyname("http", "tcp");

	if (http == NULL) /* no /etc/services */
		check_skip();
	snprintf(found, sizeof(found), "192.0.2.7:%d", ntohs((uint16_t)http->s_port));
	CHECK_INT(resolve("192.0.2.7", "http", AF_UNSPEC, DEADLINE_NEVER, &list, &err), 0);
	CHECK_STR(names(&list), found);
	resolve_free(&list);
}

static void unknown_service(void)
{
	static const char *const hosts[] = {"192.0.2.7", "2001:db8::1", ""};

	for (size_t i = 0; i < ROWS(hosts); i++) {
		struct resolve_list list;
		struct err err = {.kind = ERR_NONE};
		check_row("host \"%s\"", hosts[i]);
		CHECK_INT(resolve(hosts[i], "no-such-service", AF_UNSPEC, DEADLINE_NEVER, &list,
			      &err),
		    -1);
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_INT((int)list.count, 0);
		CHECK_STR(err.text, "resolve: port \"no-such-service\" is not a known service");
	}
}

/* Each name is longer than a name may be, so that no name server is asked. */
static void bad_names(void)
{
	static const char *const hosts[] = {"", "a"};
	char host[300];

	for (size_t i = 0; i < ROWS(hosts); i++) {
		struct resolve_list list;
		struct err err = {.kind = ERR_NONE};
		memset(host, 'x', 80);
		snprintf(host + 80, sizeof(host) - 80, "%s", hosts[i]);
		check_row("%s", host);
		CHECK_INT(resolve(host, "80", AF_UNSPEC, DEADLINE_NEVER, &list, &err), -1);
		CHECK_INT(err.kind, ERR_FAILED);
		CHECK_HAS(err.text, "resolve: ");
	}
}

int main(void)
{
	promise("numbers need no waiting", numbers);
	promise("no host is every address, of one family or both", every_address);
	promise("an address of the other family is refused", other_family);
	promise("a service that is known is its port", known_service);
	promise("a service that is not known is a wrong usage, and named", unknown_service);
	promise("a name that can be none is a failure", bad_names);
	return check_end();
}
