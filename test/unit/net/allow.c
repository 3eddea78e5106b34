/* Networks as people type them, and the addresses that lie in them. */
#include "net/allow.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "check.h"

/* Whether the address, IPv4 or IPv6 by its look, lies in the list. */
static bool matches(const struct allow_list *list, const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9009)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(9009)};

	if (strchr(address, ':') == NULL) {
		CHECK_INT(inet_pton(AF_INET, address, &in.sin_addr), 1);
		return allow_matches(list, (const struct sockaddr *)&in);
	}
	CHECK_INT(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	in6.sin6_scope_id = 7; /* no part of the address */
	return allow_matches(list, (const struct sockaddr *)&in6);
}

struct row {
	const char *networks;
	const char *address;
	bool inside;
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct allow_list list = {.count = 0};
		struct err err = {.kind = ERR_NONE};
		check_row("%s in %s", rows[i].address, rows[i].networks);
		if (CHECK_INT(allow_add(&list, rows[i].networks, &err), 0))
			CHECK_INT(matches(&list, rows[i].address), rows[i].inside);
		CHECK_INT(err.kind, ERR_NONE);
	}
}

static void ipv4(void)
{
	static const struct row rows[] = {
	    {"192.0.2.7", "192.0.2.7", true},
	    {"192.0.2.7", "192.0.2.6", false},
	    {"192.0.2.7", "193.0.2.7", false},
	    {"192.0.2.7/32", "192.0.2.7", true},
	    {"192.0.2.7/32", "192.0.2.8", false},
	    {"192.0.2.6/31", "192.0.2.7", true},
	    {"192.0.2.6/31", "192.0.2.5", false},
	    {"192.0.2.6/31", "192.0.2.8", false},
	    {"192.0.2.0/24", "192.0.2.0", true},
	    {"192.0.2.0/24", "192.0.2.255", true},
	    {"192.0.2.0/024", "192.0.2.255", true},
	    {"192.0.2.0/24", "192.0.1.255", false},
	    {"192.0.2.0/24", "192.0.3.0", false},
	    {"10.0.0.0/8", "10.255.255.255", true},
	    {"10.0.0.0/8", "11.0.0.0", false},
	    {"172.16.0.0/12", "172.31.255.255", true},
	    {"172.16.0.0/12", "172.32.0.0", false},
	    {"172.16.0.0/12", "172.15.255.255", false},
	    {"128.0.0.0/1", "128.0.0.0", true},
	    {"128.0.0.0/1", "127.255.255.255", false},
	    {"0.0.0.0/0", "0.0.0.0", true},
	    {"0.0.0.0/0", "255.255.255.255", true},
	    {"0.0.0.0", "0.0.0.1", false},
	};

	check_rows(rows, ROWS(rows));
}

static void ipv6(void)
{
	static const struct row rows[] = {
	    {"2001:db8::7", "2001:db8::7", true},
	    {"2001:DB8:0:0::7", "2001:db8::7", true},
	    {"2001:db8::7", "2001:db8::8", false},
	    {"2001:db8::7/128", "2001:db8::7", true},
	    {"2001:db8::6/127", "2001:db8::7", true},
	    {"2001:db8::6/127", "2001:db8::8", false},
	    {"2001:db8::/32", "2001:db8:ffff::1", true},
	    {"2001:db8::/32", "2001:db9::", false},
	    {"2001:db8::/32", "2001:db7:ffff::", false},
	    {"2001:db8:0:fe00::/55", "2001:db8:0:ff00::1", true},
	    {"2001:db8:0:fe00::/55", "2001:db8:0:fd00::1", false},
	    {"fe80::/10", "febf::1", true},
	    {"fe80::/10", "fec0::1", false},
	    {"::1", "::1", true},
	    {"::1", "::2", false},
	    {"::/0", "2001:db8::7", true},
	};

	check_rows(rows, ROWS(rows));
}

static void mapped(void)
{
	static const struct row rows[] = {
	    {"192.0.2.7", "::ffff:192.0.2.7", true},
	    {"192.0.2.0/24", "::ffff:192.0.2.9", true},
	    {"192.0.2.0/24", "::ffff:192.0.3.9", false},
	    {"::ffff:192.0.2.7", "192.0.2.7", true},
	    {"::ffff:192.0.2.7", "::ffff:192.0.2.7", true},
	    {"::ffff:c000:207", "192.0.2.7", true},
	    {"::ffff:192.0.2.7", "192.0.2.8", false},
	    {"::ffff:192.0.2.7/128", "192.0.2.7", true},
	    {"::ffff:192.0.2.0/120", "192.0.2.9", true},
	    {"::ffff:192.0.2.0/120", "192.0.3.9", false},
	    {"::ffff:0:0/96", "192.0.2.7", true},
	    {"::ffff:0:0/96", "::ffff:192.0.2.7", true},
	    {"::ffff:0:0/96", "::1", false},
	    {"0.0.0.0/0", "::ffff:192.0.2.7", true},
	    /* one family is not the other's, however wide the network */
	    {"0.0.0.0/0", "::1", false},
	    {"0.0.0.0/0", "::", false},
	    {"::/0", "192.0.2.7", false},
	    {"::/0", "::ffff:192.0.2.7", false},
	    {"::/80", "::ffff:192.0.2.7", false},
	    {"::192.0.2.7", "192.0.2.7", false},
	    {"127.0.0.1", "::1", false},
	};

	check_rows(rows, ROWS(rows));
}

static void lists(void)
{
	static const struct row rows[] = {
	    {"192.0.2.7,2001:db8::/32", "192.0.2.7", true},
	    {"192.0.2.7,2001:db8::/32", "2001:db8::1", true},
	    {"192.0.2.7,2001:db8::/32", "192.0.2.8", false},
	    {"192.0.2.7,192.0.2.7", "192.0.2.7", true},
	};
	struct allow_list list = {.count = 0};
	struct err err;

	check_rows(rows, ROWS(rows));
	check_row("one after the other");
	CHECK_INT(allow_add(&list, "192.0.2.7", &err), 0);
	CHECK_INT(allow_add(&list, "192.0.2.9,::1", &err), 0);
	CHECK_INT((int)list.count, 3);
	CHECK(matches(&list, "192.0.2.7"));
	CHECK(matches(&list, "192.0.2.9"));
	CHECK(matches(&list, "::1"));
	CHECK(!matches(&list, "192.0.2.8"));
}

static void strangers(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct allow_list list = {.count = 0};
	struct err err;

	CHECK(!matches(&list, "192.0.2.7"));
	CHECK_INT(allow_add(&list, "0.0.0.0/0,::/0", &err), 0);
	CHECK(!allow_matches(&list, (const struct sockaddr *)&sun));
	CHECK(!allow_admits(&list, (const struct sockaddr *)&sun));
	CHECK(allow_admits(&(const struct allow_list){.count = 0}, (const struct sockaddr *)&sun));
}

static void refuses(void)
{
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
	    {"", "\"\" is no address"},
	    {",", "\"\" is no address"},
	    {"192.0.2.7,", "\"\" is no address"},
	    {",192.0.2.7", "\"\" is no address"},
	    {"::1,,::2", "\"\" is no address"},
	    {"localhost", "\"localhost\" is no address"},
	    {"192.0.2", "\"192.0.2\" is no address"},
	    {"192.0.2.256", "is no address"},
	    {"192.0.2.07", "is no address"},
	    {"192.0.2.7 ", "is no address"},
	    {" 192.0.2.7", "is no address"},
	    {"192.0.2.7, ::1", "\" ::1\" is no address"},
	    {"0xc0000207", "is no address"},
	    {"192.0.2.7:9009", "is no address"},
	    {"[::1]", "is no address"},
	    {"2001:db8::g", "is no address"},
	    {"::1::2", "is no address"},
	    {"*", "is no address"},
	    {"/24", "\"\" is no address"},
	    {"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", "is no address"},
	    {"fe80::1%eth0", "fe80::1%eth0: an address is taken without its scope"},
	    {"fe80::1%eth0/64", "fe80::1%eth0: an address is taken without its scope"},
	    {"192.0.2.0/", "192.0.2.0/: prefix length: \"\" is invalid"},
	    {"192.0.2.0/33",
		"192.0.2.0/33: prefix length: \"33\" is too large: a whole number from 0 to 32"},
	    {"2001:db8::/129", "\"129\" is too large: a whole number from 0 to 128"},
	    {"192.0.2.0/+24", "\"+24\" is invalid"},
	    {"192.0.2.0/-1", "\"-1\" is invalid"},
	    {"192.0.2.0/ 24", "\" 24\" is invalid"},
	    {"192.0.2.0/24/24", "\"24/24\" is invalid"},
	    {"192.0.2.0/255.255.255.0", "\"255.255.255.0\" is invalid"},
	    {"192.0.2.0/4294967320", "is too large"},
	    {"192.0.2.7/24", "192.0.2.7/24 has bits set behind its prefix: the network is "
			     "192.0.2.0/24, the address alone 192.0.2.7"},
	    {"192.0.2.1/31", "the network is 192.0.2.0/31"},
	    {"192.0.2.7/0", "the network is 0.0.0.0/0"},
	    {"128.0.0.0/0", "the network is 0.0.0.0/0"},
	    {"2001:db8::7/64", "the network is 2001:db8::/64, the address alone 2001:db8::7"},
	    {"::ffff:192.0.2.7/120", "the network is ::ffff:192.0.2.0/120"},
	    {"::ffff:192.0.2.7/24", "the network is ::/24"},
	    {"10.0.0.0/8,192.0.2.7/24", "192.0.2.7/24 has bits set"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct allow_list list = {.count = 0};
		struct err err = {.kind = ERR_NONE};
		check_row("%s", rows[i].text);
		CHECK_INT(allow_add(&list, rows[i].text, &err), -1);
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_INT(err.errnum, 0);
		CHECK_HAS(err.text, rows[i].why);
	}
}

static void full(void)
{
	struct allow_list list = {.count = 0};
	struct err err = {.kind = ERR_NONE};
	char text[32];

	for (int i = 0; i < ALLOW_MAX; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i);
		CHECK_INT(allow_add(&list, text, &err), 0);
	}
	CHECK(matches(&list, text));
	CHECK_INT(allow_add(&list, "::1", &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK_STR(err.text, "::1 is one too many: up to 64 are possible");
	CHECK(!matches(&list, "::1"));
}

struct pair {
	const char *one;
	const char *other;
	bool same;
};

static void fill(struct sockaddr_storage *storage, const char *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

	*storage = (struct sockaddr_storage){.ss_family = AF_INET};
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1)
		return;
	storage->ss_family = AF_INET6;
	CHECK_INT(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
}

static void hosts(void)
{
	static const struct pair pairs[] = {
	    {"192.0.2.7", "192.0.2.7", true},
	    {"192.0.2.7", "192.0.2.6", false},
	    {"192.0.2.7", "::ffff:192.0.2.7", true},
	    {"::ffff:192.0.2.7", "::ffff:192.0.2.7", true},
	    {"::ffff:192.0.2.7", "::ffff:192.0.2.6", false},
	    {"::ffff:192.0.2.7", "::192.0.2.7", false},
	    {"2001:db8:1:2::7", "2001:db8:1:2::7", true},
	    {"2001:db8:1:2::7", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
	    {"2001:db8:1:2::7", "2001:db8:1:3::7", false},
	    {"2001:db8:1:2::7", "2001:db8:1:2::", true},
	    {"fe80::1", "fe80::2", true},
	    {"::1", "127.0.0.1", false},
	};

	for (size_t i = 0; i < ROWS(pairs); i++) {
		struct sockaddr_storage one;
		struct sockaddr_storage other;
		const struct sockaddr *a = (const struct sockaddr *)&one;
		const struct sockaddr *b = (const struct sockaddr *)&other;
		fill(&one, pairs[i].one);
		fill(&other, pairs[i].other);
		check_row("%s and %s", pairs[i].one, pairs[i].other);
		CHECK_INT(allow_same_host(a, b), pairs[i].same);
		CHECK_INT(allow_same_host(b, a), pairs[i].same);
	}
}

int main(void)
{
	promise("an IPv4 network holds its addresses and no others", ipv4);
	promise("an IPv6 network holds its addresses and no others, whatever their scope", ipv6);
	promise("a mapped IPv4 address is that IPv4 address, and no IPv6 one", mapped);
	promise("several networks hold what any of them holds, be it one list or more", lists);
	promise("an empty list holds nothing, and none holds what has no address", strangers);
	promise("a host is an IPv4 address, mapped or not, or a /64 of IPv6", hosts);
	promise("a bad network is refused, with what to write instead", refuses);
	promise("a list takes 64 networks, and says so of one more", full);
	return check_end();
}
