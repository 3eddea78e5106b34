/* The addresses that are given to another host, and their order. */
#include "net/interfaces.h"

#include <arpa/inet.h>

#include "base/deadline.h"
#include "check.h"

#define LIST_MAX 80

struct list {
	size_t count;
	struct sock_addr addr[LIST_MAX];
};

/* Adds an address of either family; scope is an interface's index, for link-local ones of IPv6. */
static void add(struct list *list, const char *host, unsigned int scope)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9009)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_scope_id = scope};
	struct sock_addr *addr = &list->addr[list->count++];

	if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
		memcpy(&addr->storage, &in, sizeof(in));
		addr->len = sizeof(in);
		return;
	}
	CHECK_INT(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
	memcpy(&addr->storage, &in6, sizeof(in6));
	addr->len = sizeof(in6);
}

static struct list make_list(const char *const *hosts)
{
	struct list list = {.count = 0};

	for (; *hosts != NULL; hosts++)
		add(&list, *hosts, 0);
	return list;
}

/* The hosts that are found, with a space behind each. */
static const char *joined(const struct interfaces *found)
{
	static char text[INTERFACES_MAX * (INTERFACES_HOST_MAX + 1) + 1];

	text[0] = '\0';
	for (size_t i = 0; i < found->count; i++) {
		strlcat(text, found->host[i], sizeof(text));
		strlcat(text, " ", sizeof(text));
	}
	return text;
}

static void sorts(const char *const *hosts, const char *wanted)
{
	struct list list = make_list(hosts);
	struct interfaces found;

	check_row("%s", wanted);
	interfaces_sort(&found, list.addr, list.count);
	CHECK_STR(joined(&found), wanted);
	CHECK(!found.only_here);
}

#define HOSTS (const char *const[])

static void order(void)
{
	sorts(HOSTS{"192.0.2.7", "2001:db8::7", "10.0.0.5", "fd00::5", NULL},
	    "192.0.2.7 2001:db8::7 10.0.0.5 fd00::5 ");
	sorts(HOSTS{"fd00::5", "10.0.0.5", NULL}, "fd00::5 10.0.0.5 ");
}

static void link_local_last(void)
{
	sorts(HOSTS{"169.254.7.7", "192.0.2.7", NULL}, "192.0.2.7 169.254.7.7 ");
	sorts(HOSTS{"fe80::1", "febf::1", "169.254.0.1", "2001:db8::7", "10.0.0.5", NULL},
	    "2001:db8::7 10.0.0.5 fe80::1 febf::1 169.254.0.1 ");
	sorts(HOSTS{"fe80::1", "169.254.255.255", NULL}, "fe80::1 169.254.255.255 ");
	/* the addresses beside these ranges are not link-local */
	sorts(HOSTS{"169.253.0.1", "169.255.0.1", "fec0::1", "10.0.0.5", NULL},
	    "169.253.0.1 169.255.0.1 fec0::1 10.0.0.5 ");
}

static void left_out(void)
{
	sorts(HOSTS{"127.0.0.1", "::1", "127.255.0.9", NULL}, "");
	sorts(HOSTS{"0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1", NULL}, "");
	sorts(HOSTS{"126.0.0.1", "128.0.0.1", "::2", "223.255.255.255", NULL},
	    "126.0.0.1 128.0.0.1 ::2 223.255.255.255 ");
	sorts(HOSTS{NULL}, "");
}

static void once(void)
{
	sorts(HOSTS{"192.0.2.7", "2001:db8::7", "10.0.0.5", "192.0.2.7", "2001:db8:0::7", NULL},
	    "192.0.2.7 2001:db8::7 10.0.0.5 ");
	sorts(HOSTS{"fe80::1", "fe80::1", NULL}, "fe80::1 ");
}

static void scope(void)
{
	struct list list = {.count = 0};
	struct interfaces found;
	char wanted[2 * INTERFACES_HOST_MAX];
	char name[IF_NAMESIZE];

	if (if_indextoname(1, name) == NULL)
		check_skip();
	add(&list, "fe80::1", 1);
	add(&list, "2001:db8::7", 0);
	interfaces_sort(&found, list.addr, list.count);
	snprintf(wanted, sizeof(wanted), "2001:db8::7 fe80::1%%%s ", name);
	CHECK_STR(joined(&found), wanted);
}

static void other_families(void)
{
	struct list list = {.count = 0};
	struct interfaces found;

	list.addr[list.count++] = sock_unix_addr("/tmp/x");
	add(&list, "192.0.2.7", 0);
	interfaces_sort(&found, list.addr, list.count);
	CHECK_STR(joined(&found), "192.0.2.7 ");
}

static void bound(void)
{
	struct list list = {.count = 0};
	struct interfaces found;
	char host[INET_ADDRSTRLEN];

	for (int i = 0; i < LIST_MAX; i++) {
		bool link_local = i < LIST_MAX / 2;
		snprintf(host, sizeof(host), "%s.%d", link_local ? "169.254.1" : "10.1.1", i);
		add(&list, host, 0);
	}
	interfaces_sort(&found, list.addr, list.count);
	CHECK_INT((intmax_t)found.count, INTERFACES_MAX);
	CHECK_STR(found.host[0], "10.1.1.40");
	CHECK_STR(found.host[INTERFACES_MAX - 1], "10.1.1.47");
}

/* Opens a set that listens on address, as -l takes it. Returns false if this host lacks it. */
static bool listen_on(struct listen_set *set, const char *address)
{
	struct addr addr;
	struct err err = {.kind = ERR_NONE};

	check_row("%s", address);
	CHECK_INT(addr_parse(&addr, address, ADDR_LISTEN, &err), 0);
	return listen_open(set, &addr, AF_UNSPEC, DEADLINE_NEVER, &err) == 0;
}

static void reached_at(const char *address, const char *wanted, bool only_here)
{
	struct listen_set set;
	struct interfaces found;

	if (!listen_on(&set, address))
		check_skip();
	interfaces_listening(&found, &set);
	listen_close(&set);
	CHECK_STR(joined(&found), wanted);
	CHECK_INT(found.only_here, only_here);
}

static void loopback(void)
{
	reached_at("127.0.0.1:0", "127.0.0.1 ", true);
	reached_at("127.1.2.3:0", "127.1.2.3 ", true);
}

static void loopback_ipv6(void)
{
	reached_at("[::1]:0", "::1 ", true);
}

static void unix_socket(void)
{
	reached_at("unix:socket", "", false);
}

/* Uses the host's own addresses, whatever they are: they can be bound, others cannot. */
static void own_addresses(void)
{
	struct listen_set set;
	struct listen_set other;
	struct interfaces found;
	char address[INTERFACES_HOST_MAX + 8];

	if (!listen_on(&set, ":0"))
		check_skip();
	interfaces_listening(&found, &set);
	CHECK(found.count >= 1);
	for (size_t i = 0; i < found.count; i++) {
		bool ipv6 = strchr(found.host[i], ':') != NULL;
		snprintf(address, sizeof(address), ipv6 ? "[%s]:0" : "%s:0", found.host[i]);
		if (CHECK(listen_on(&other, address)))
			listen_close(&other);
	}
	listen_close(&set);
}

int main(void)
{
	promise("addresses keep their order", order);
	promise("link-local addresses come last, whatever came first", link_local_last);
	promise("what does not lead to one machine, or only from itself, is left out", left_out);
	promise("no address is named twice", once);
	promise("a link-local address has its interface", scope);
	promise("what is neither IPv4 nor IPv6 is passed over", other_families);
	promise("of many addresses the first are kept, and no link-local one before others", bound);
	promise("bound to loopback it is reached there, and only from here", loopback);
	promise("so it is with IPv6", loopback_ipv6);
	promise("a unix socket has no hosts", unix_socket);
	promise("bound to every address it is reached at this machine's own", own_addresses);
	return check_end();
}
