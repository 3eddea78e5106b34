/* Addresses: what is read, what is refused, and what is written. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stddef.h>

#include "check.h"

static const char *const use_names[] = {"connect", "listen", "source"};

/* An address to which no host, port or path belongs. */
#define NONE ""

struct reading {
	enum addr_use use;
	const char *text;
	enum addr_kind kind;
	const char *host;
	const char *port;
	const char *path;
	int fd;
};

static void check_addr(const struct addr *addr, const struct reading *wanted)
{
	CHECK_INT(addr->kind, wanted->kind);
	CHECK_STR(addr->host, wanted->host);
	CHECK_STR(addr->port, wanted->port);
	CHECK_STR(addr->path, wanted->path);
	CHECK_INT(addr->fd, wanted->fd);
}

static void check_readings(const struct reading *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct addr addr;
		struct err err = {.kind = ERR_NONE};
		check_row("%s %s", use_names[rows[i].use], rows[i].text);
		if (!CHECK_INT(addr_parse(&addr, rows[i].text, rows[i].use, &err), 0))
			continue;
		CHECK_INT(err.kind, ERR_NONE);
		check_addr(&addr, &rows[i]);
	}
}

static void reads_hosts(void)
{
	static const struct reading rows[] = {
	    {ADDR_CONNECT, "example.org:80", ADDR_INET, "example.org", "80", NONE, -1},
	    {ADDR_CONNECT, "192.0.2.7:9009", ADDR_INET, "192.0.2.7", "9009", NONE, -1},
	    {ADDR_CONNECT, "[2001:db8::1]:9009", ADDR_INET, "2001:db8::1", "9009", NONE, -1},
	    {ADDR_CONNECT, "[::ffff:192.0.2.7]:1", ADDR_INET, "::ffff:192.0.2.7", "1", NONE, -1},
	    {ADDR_CONNECT, "[fe80::1%eth0]:65535", ADDR_INET, "fe80::1%eth0", "65535", NONE, -1},
	    {ADDR_CONNECT, "localhost:http", ADDR_INET, "localhost", "http", NONE, -1},
	    {ADDR_CONNECT, "h:a-b_c.d+1", ADDR_INET, "h", "a-b_c.d+1", NONE, -1},
	    {ADDR_CONNECT, "unixhost:80", ADDR_INET, "unixhost", "80", NONE, -1},
	    {ADDR_CONNECT, "fdhost:80", ADDR_INET, "fdhost", "80", NONE, -1},
	    {ADDR_CONNECT, "h:00080", ADDR_INET, "h", "80", NONE, -1},
	    {ADDR_LISTEN, "192.0.2.7:0", ADDR_INET, "192.0.2.7", "0", NONE, -1},
	    {ADDR_LISTEN, "[::1]:0", ADDR_INET, "::1", "0", NONE, -1},
	    {ADDR_LISTEN, "localhost:9009", ADDR_INET, "localhost", "9009", NONE, -1},
	};

	check_readings(rows, ROWS(rows));
}

static void reads_every_address(void)
{
	static const struct reading rows[] = {
	    {ADDR_LISTEN, ":9009", ADDR_INET, NONE, "9009", NONE, -1},
	    {ADDR_LISTEN, "*:9009", ADDR_INET, NONE, "9009", NONE, -1},
	    {ADDR_LISTEN, ":0", ADDR_INET, NONE, "0", NONE, -1},
	    {ADDR_LISTEN, ":http", ADDR_INET, NONE, "http", NONE, -1},
	    {ADDR_LISTEN, "[::]:9009", ADDR_INET, "::", "9009", NONE, -1},
	    {ADDR_LISTEN, "0.0.0.0:9009", ADDR_INET, "0.0.0.0", "9009", NONE, -1},
	    {ADDR_SOURCE, ":9009", ADDR_INET, NONE, "9009", NONE, -1},
	    {ADDR_SOURCE, "*:9009", ADDR_INET, NONE, "9009", NONE, -1},
	};

	check_readings(rows, ROWS(rows));
}

static void reads_sources(void)
{
	static const struct reading rows[] = {
	    {ADDR_SOURCE, "192.0.2.7", ADDR_INET, "192.0.2.7", "0", NONE, -1},
	    {ADDR_SOURCE, "192.0.2.7:0", ADDR_INET, "192.0.2.7", "0", NONE, -1},
	    {ADDR_SOURCE, "192.0.2.7:20", ADDR_INET, "192.0.2.7", "20", NONE, -1},
	    {ADDR_SOURCE, "2001:db8::1", ADDR_INET, "2001:db8::1", "0", NONE, -1},
	    {ADDR_SOURCE, "::1", ADDR_INET, "::1", "0", NONE, -1},
	    {ADDR_SOURCE, "[2001:db8::1]", ADDR_INET, "2001:db8::1", "0", NONE, -1},
	    {ADDR_SOURCE, "[2001:db8::1]:20", ADDR_INET, "2001:db8::1", "20", NONE, -1},
	    {ADDR_SOURCE, "localhost", ADDR_INET, "localhost", "0", NONE, -1},
	    {ADDR_SOURCE, "unix", ADDR_INET, "unix", "0", NONE, -1},
	};

	check_readings(rows, ROWS(rows));
}

static void reads_unix_and_fd(void)
{
	static const struct reading rows[] = {
	    {ADDR_CONNECT, "unix:/run/x", ADDR_UNIX, NONE, NONE, "/run/x", -1},
	    {ADDR_CONNECT, "unix:x", ADDR_UNIX, NONE, NONE, "x", -1},
	    {ADDR_CONNECT, "unix:a:b c]", ADDR_UNIX, NONE, NONE, "a:b c]", -1},
	    {ADDR_LISTEN, "unix:./80", ADDR_UNIX, NONE, NONE, "./80", -1},
	    {ADDR_CONNECT, "fd:0", ADDR_FD, NONE, NONE, NONE, 0},
	    {ADDR_LISTEN, "fd:3", ADDR_FD, NONE, NONE, NONE, 3},
	    {ADDR_CONNECT, "fd:2147483647", ADDR_FD, NONE, NONE, NONE, INT32_MAX},
	};

	check_readings(rows, ROWS(rows));
}

static void reads_udp(void)
{
	static const struct reading rows[] = {
	    {ADDR_CONNECT, "udp:host:514", ADDR_UDP, "host", "514", NONE, -1},
	    {ADDR_CONNECT, "udp:host:syslog", ADDR_UDP, "host", "syslog", NONE, -1},
	    {ADDR_CONNECT, "udp:[::1]:514", ADDR_UDP, "::1", "514", NONE, -1},
	    {ADDR_LISTEN, "udp::514", ADDR_UDP, NONE, "514", NONE, -1},
	    {ADDR_LISTEN, "udp:*:0", ADDR_UDP, NONE, "0", NONE, -1},
	    {ADDR_LISTEN, "udp:239.1.2.3%eth0:5000", ADDR_UDP, "239.1.2.3%eth0", "5000", NONE, -1},
	    {ADDR_LISTEN, "udp:[ff02::1%eth0]:5000", ADDR_UDP, "ff02::1%eth0", "5000", NONE, -1},
	    {ADDR_CONNECT, "udphost:80", ADDR_INET, "udphost", "80", NONE, -1},
	    {ADDR_SOURCE, "udp:80", ADDR_INET, "udp", "80", NONE, -1},
	};

	check_readings(rows, ROWS(rows));
}

static void knows_groups(void)
{
	static const struct {
		const char *text;
		bool is_group;
	} rows[] = {
	    {"udp:239.1.2.3:1", true},
	    {"udp:224.0.0.1%eth0:1", true},
	    {"udp:[ff02::1%eth0]:1", true},
	    {"udp:192.0.2.7:1", false},
	    {"udp:255.255.255.255:1", false},
	    {"udp:[fe80::1%eth0]:1", false},
	    {"udp:group.example:1", false},
	    {"udp::1", false},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct addr addr;
		struct err err;
		check_row("%s", rows[i].text);
		CHECK_INT(addr_parse(&addr, rows[i].text, ADDR_LISTEN, &err), 0);
		CHECK_INT(addr_is_group(&addr), rows[i].is_group);
	}
}

static void path_lengths(void)
{
	enum { FITS = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 };
	struct addr addr;
	struct err err;
	char text[5 + FITS + 2] = "unix:";

	memset(text + 5, 'p', FITS);
	CHECK_INT(addr_parse(&addr, text, ADDR_CONNECT, &err), 0);
	CHECK_INT((int)strlen(addr.path), FITS);
	text[5 + FITS] = 'p';
	CHECK_INT(addr_parse(&addr, text, ADDR_CONNECT, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK_HAS(err.text, "the path is too long");
	CHECK_HAS(err.text, "at most 107 bytes");
}

struct refusal {
	enum addr_use use;
	const char *text;
	const char *why;
};

static void check_refusals(const struct refusal *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct addr addr;
		struct err err = {.kind = ERR_NONE};
		check_row("%s %s", use_names[rows[i].use], rows[i].text);
		if (!CHECK_INT(addr_parse(&addr, rows[i].text, rows[i].use, &err), -1))
			continue;
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_INT(err.errnum, 0);
		CHECK_HAS(err.text, rows[i].why);
	}
}

static void refuses_hosts(void)
{
	static const struct refusal rows[] = {
	    {ADDR_CONNECT, "", "the host is missing"},
	    {ADDR_CONNECT, ":80", "the host is missing"},
	    {ADDR_CONNECT, "*:80", "the host is missing"},
	    {ADDR_CONNECT, "[*]:80", "only an IPv6 address"},
	    {ADDR_CONNECT, "[192.0.2.7]:80", "only an IPv6 address"},
	    {ADDR_CONNECT, "[unix]:80", "only an IPv6 address"},
	    {ADDR_CONNECT, "localhost", "the port is missing"},
	    {ADDR_CONNECT, "[::1]", "the port is missing"},
	    {ADDR_CONNECT, " host:80", "there is no blank in a host or a port"},
	    {ADDR_LISTEN, "a:80,b:80", "it can only listen on one address"},
	    {ADDR_LISTEN, "/run/x", "a path is written unix:/run/x"},
	    {ADDR_CONNECT, "[::1]80", "the port is missing"},
	    {ADDR_CONNECT, "[::1]]:80", "the port is missing"},
	    {ADDR_CONNECT, "2001:db8::1:80", "brackets, as in '[2001:db8::1]:9009'"},
	    {ADDR_CONNECT, "::1", "brackets"},
	    {ADDR_CONNECT, "a:b:c", "brackets"},
	    {ADDR_CONNECT, "[::1", "\"]\" is missing"},
	    {ADDR_CONNECT, "[", "\"]\" is missing"},
	    {ADDR_CONNECT, "[]:80", "[]: only an IPv6 address"},
	    {ADDR_LISTEN, "[]:80", "[]: only an IPv6 address"},
	    {ADDR_LISTEN, "localhost", "the port is missing"},
	    {ADDR_LISTEN, "", "the port is missing"},
	    {ADDR_LISTEN, "::", "brackets"},
	    {ADDR_SOURCE, "2001:db8::1:x", "brackets"},
	    {ADDR_SOURCE, "[::1]x", "the port is missing"},
	};

	check_refusals(rows, ROWS(rows));
}

static void refuses_ports(void)
{
	static const char *const ports[] = {"", "80x", "65536", "-1", "+80", " 80", "80 ", "0x50",
	    "1e3", "131153", "99999999999999999999", "8.0", "ht tp", "-http", "http\n", "h\xc3\xa9",
	    "a-name-that-is-longer-than-32-bytes"};
	struct addr addr;
	struct err err;
	char text[100];

	for (size_t i = 0; i < ROWS(ports); i++) {
		for (enum addr_use use = ADDR_CONNECT; use <= ADDR_SOURCE; use++) {
			snprintf(text, sizeof(text), "host:%s", ports[i]);
			check_row("%s %s", use_names[use], text);
			CHECK_INT(addr_parse(&addr, text, use, &err), -1);
			CHECK_INT(err.kind, ERR_USAGE);
			CHECK_HAS(err.text, ports[i]);
		}
		check_row("-p %s", ports[i]);
		CHECK_INT(addr_parse_port(&addr, ports[i], &err), -1);
		CHECK_INT(err.kind, ERR_USAGE);
	}
	check_row("0");
	CHECK_INT(addr_parse(&addr, "host:0", ADDR_CONNECT, &err), -1);
	CHECK_STR(err.text,
	    "host:0: port: \"0\" is too small: a whole number from 1 to 65535 is needed");
}

static void refuses_unix_and_fd(void)
{
	static const struct refusal rows[] = {
	    {ADDR_CONNECT, "unix:", "needs a path"}, {ADDR_LISTEN, "unix:", "needs a path"},
	    {ADDR_CONNECT, "fd:", "descriptor: \"\" is invalid"},
	    {ADDR_CONNECT, "fd:x", "\"x\" is invalid"},
	    {ADDR_CONNECT, "fd:-1", "\"-1\" is invalid"},
	    {ADDR_CONNECT, "fd:+1", "\"+1\" is invalid"},
	    {ADDR_LISTEN, "fd: 1", "\" 1\" is invalid"},
	    {ADDR_LISTEN, "fd:3x", "\"3x\" is invalid"},
	    {ADDR_LISTEN, "fd:2147483648", "too large"},
	    {ADDR_LISTEN, "fd:4294967299", "too large"},
	    {ADDR_LISTEN, "udp:5000",
		"write udp:host:port or, to receive on all addresses, udp::port"},
	    {ADDR_CONNECT, "udp:", "udp:: write udp:host:port"},
	    {ADDR_CONNECT, "udp::5000", "write udp:host:port, or receive with -l udp::5000"},
	    {ADDR_CONNECT, "udp:*:5000", "the host is missing"},
	    {ADDR_CONNECT, "udp:host:0", "udp: host:0: port: \"0\" is too small"},
	    {ADDR_LISTEN, "udp:::5000", "udp: ::5000: put an IPv6 address in brackets"},
	    {ADDR_LISTEN, "udp:[239.1.2.3%eth0]:5000", "only an IPv6 address"},
	    {ADDR_SOURCE, "unix:/run/x", "\"/run/x\" is invalid"}, /* no address to connect from */
	};

	check_refusals(rows, ROWS(rows));
}

static void long_names(void)
{
	struct addr addr;
	struct err err;
	char text[5000];
	char written[ADDR_TEXT_MAX];

	for (size_t len = 250; len < sizeof(text) - 10; len += len < 260 ? 1 : 100) {
		check_row("a host of %zu letters", len);
		memset(text, 'h', len);
		memcpy(text + len, ":80", 4);
		if (addr_parse(&addr, text, ADDR_CONNECT, &err) == -1) {
			CHECK_INT(err.kind, ERR_USAGE);
			CHECK(len > 253); /* the longest name of the DNS, RFC 1035 */
			continue;
		}
		addr_text(&addr, written);
		CHECK_INT((int)strlen(addr.host), (int)len);
		CHECK(strcmp(written, text) == 0);
	}
}

static void lone_ports(void)
{
	static const char *const ports[] = {"0", "9009", "65535", "http"};
	struct addr addr;
	struct err err;

	for (size_t i = 0; i < ROWS(ports); i++) {
		check_row("%s", ports[i]);
		CHECK_INT(addr_parse_port(&addr, ports[i], &err), 0);
		CHECK_INT(addr.kind, ADDR_INET);
		CHECK_STR(addr.host, "");
		CHECK_STR(addr.port, ports[i]);
	}
}

static void writes_as_typed(void)
{
	static const struct {
		enum addr_use use;
		const char *text;
		const char *written; /* NULL: the same */
	} rows[] = {
	    {ADDR_CONNECT, "example.org:80", NULL},
	    {ADDR_CONNECT, "192.0.2.7:http", NULL},
	    {ADDR_CONNECT, "[2001:db8::1]:9009", NULL},
	    {ADDR_CONNECT, "[fe80::1%eth0]:9009", NULL},
	    {ADDR_CONNECT, "h:00080", "h:80"},
	    {ADDR_CONNECT, "unix:/run/x", NULL},
	    {ADDR_CONNECT, "fd:7", NULL},
	    {ADDR_CONNECT, "udp:host:514", NULL},
	    {ADDR_LISTEN, "udp:*:514", "udp::514"},
	    {ADDR_LISTEN, "udp:[ff02::1%eth0]:514", NULL},
	    {ADDR_LISTEN, ":9009", NULL},
	    {ADDR_LISTEN, "*:9009", ":9009"},
	    {ADDR_SOURCE, "::1", "[::1]:0"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct addr addr;
		struct err err;
		char text[ADDR_TEXT_MAX];
		check_row("%s %s", use_names[rows[i].use], rows[i].text);
		CHECK_INT(addr_parse(&addr, rows[i].text, rows[i].use, &err), 0);
		addr_text(&addr, text);
		CHECK_STR(text, rows[i].written == NULL ? rows[i].text : rows[i].written);
	}
}

/* Odd addresses: if one is taken, its text has to be taken again, as the same address. */
static void round_trips(void)
{
	static const char *const rows[] = {"[unix]:80", "[fd]:3", "[[x]:80", "[[]:80", "[a:b]:80",
	    "a]:1", "a b:80", "[[a:b]:80", "[fe80::1%a]:80", "unix:unix:", "unix:fd:3", "h:http"};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct addr addr, again;
		struct err err;
		char text[ADDR_TEXT_MAX];
		check_row("%s", rows[i]);
		if (addr_parse(&addr, rows[i], ADDR_CONNECT, &err) == -1) {
			CHECK_INT(err.kind, ERR_USAGE);
			continue;
		}
		addr_text(&addr, text);
		if (!CHECK_INT(addr_parse(&again, text, ADDR_CONNECT, &err), 0))
			continue;
		CHECK_INT(again.kind, addr.kind);
		CHECK_STR(again.host, addr.host);
		CHECK_STR(again.port, addr.port);
		CHECK_STR(again.path, addr.path);
		CHECK_INT(again.fd, addr.fd);
	}
}

static void formats_ipv4(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9009)};
	char text[ADDR_TEXT_MAX];

	inet_pton(AF_INET, "192.0.2.7", &in.sin_addr);
	addr_format((struct sockaddr *)&in, sizeof(in), text);
	CHECK_STR(text, "192.0.2.7:9009");
	in.sin_port = 0;
	in.sin_addr.s_addr = htonl(INADDR_ANY);
	addr_format((struct sockaddr *)&in, sizeof(in), text);
	CHECK_STR(text, "0.0.0.0:0");
}

static void formats_ipv6(void)
{
	static const struct {
		const char *address;
		unsigned scope;
		uint16_t port;
		const char *text;
	} rows[] = {
	    {"2001:db8::1", 0, 9009, "[2001:db8::1]:9009"},
	    {"::", 0, 65535, "[::]:65535"},
	    {"::1", 0, 0, "[::1]:0"},
	    {"2001:0db8:0:0:1:2:3:4", 0, 1, "[2001:db8::1:2:3:4]:1"},
	    {"2001:db8:1:2:3:4:5:6", 0, 65535, "[2001:db8:1:2:3:4:5:6]:65535"},
	    {"fe80::1", 0, 80, "[fe80::1]:80"},
	    {"fe80::1", 1, 80, "[fe80::1%lo]:80"},
	    {"fe80::1", 4000000000, 80, "[fe80::1%4000000000]:80"},
	    {"::ffff:192.0.2.7", 0, 9009, "192.0.2.7:9009"},
	    {"::ffff:0:0", 0, 9009, "0.0.0.0:9009"},
	    {"64:ff9b::192.0.2.7", 0, 9009, "[64:ff9b::c000:207]:9009"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		    .sin6_port = htons(rows[i].port)};
		char text[ADDR_TEXT_MAX];
		check_row("%s scope %u", rows[i].address, rows[i].scope);
		if (rows[i].scope == 1 && if_nametoindex("lo") != 1)
			continue; /* a machine whose loopback has another name */
		in6.sin6_scope_id = rows[i].scope;
		CHECK_INT(inet_pton(AF_INET6, rows[i].address, &in6.sin6_addr), 1);
		addr_format((struct sockaddr *)&in6, sizeof(in6), text);
		CHECK_STR(text, rows[i].text);
	}
}

static void formats_unix(void)
{
	enum {
		PATH = offsetof(struct sockaddr_un, sun_path),
		FULL = sizeof(struct sockaddr_un) - PATH
	};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char text[ADDR_TEXT_MAX];
	char full[5 + FULL + 1] = "unix:";

	check_row("unnamed");
	addr_format((struct sockaddr *)&sun, PATH, text);
	CHECK_STR(text, "unix:");
	check_row("with its NUL");
	memcpy(sun.sun_path, "/run/x", 7);
	addr_format((struct sockaddr *)&sun, PATH + 7, text);
	CHECK_STR(text, "unix:/run/x");
	check_row("without it, garbage behind");
	memcpy(sun.sun_path, "/run/xyz", 8);
	addr_format((struct sockaddr *)&sun, PATH + 6, text);
	CHECK_STR(text, "unix:/run/x");
	check_row("the whole structure");
	memset(sun.sun_path, 0, FULL);
	memcpy(sun.sun_path, "/run/x", 6);
	addr_format((struct sockaddr *)&sun, sizeof(sun), text);
	CHECK_STR(text, "unix:/run/x");
	check_row("full, without a NUL");
	memset(sun.sun_path, 'p', FULL);
	memset(full + 5, 'p', FULL);
	addr_format((struct sockaddr *)&sun, sizeof(sun), text);
	CHECK_STR(text, full);
	check_row("abstract");
	memcpy(sun.sun_path, "\0name", 5);
	addr_format((struct sockaddr *)&sun, PATH + 5, text);
	CHECK_STR(text, "unix:@name");
	check_row("abstract, of no length");
	addr_format((struct sockaddr *)&sun, PATH + 1, text);
	CHECK_STR(text, "unix:@");
}

static void formats_as_typed(void)
{
	static const char *const rows[] = {"192.0.2.7:9009", "[2001:db8::1]:9009"};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct addr addr;
		struct err err;
		char text[ADDR_TEXT_MAX];
		struct sockaddr_storage storage = {.ss_family = AF_INET};
		struct sockaddr_in *in = (struct sockaddr_in *)&storage;
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
		check_row("%s", rows[i]);
		CHECK_INT(addr_parse(&addr, rows[i], ADDR_CONNECT, &err), 0);
		if (inet_pton(AF_INET, addr.host, &in->sin_addr) != 1) {
			storage.ss_family = AF_INET6;
			CHECK_INT(inet_pton(AF_INET6, addr.host, &in6->sin6_addr), 1);
		}
		in->sin_port = htons((uint16_t)strtoul(addr.port, NULL, 10));
		addr_format((struct sockaddr *)&storage, sizeof(storage), text);
		CHECK_STR(text, rows[i]);
	}
}

static void unknown_family(void)
{
	struct sockaddr_storage storage = {.ss_family = AF_NETLINK};
	char text[ADDR_TEXT_MAX];

	addr_format((struct sockaddr *)&storage, sizeof(storage), text);
	CHECK_STR(text, "unknown address");
}

int main(void)
{
	promise("a host is a name, an IPv4 address or an IPv6 address in brackets", reads_hosts);
	promise("no host, or *, is every address where we listen", reads_every_address);
	promise("a source address may leave out its port", reads_sources);
	promise("unix:path and fd:N are no hosts", reads_unix_and_fd);
	promise("behind udp: there are host and port, a group with its interface", reads_udp);
	promise("a group is known by its number", knows_groups);
	promise("a path is taken as long as a socket's may be, and no longer", path_lengths);
	promise("a bad host is refused, with what to write instead", refuses_hosts);
	promise("a bad port is refused wherever it stands, and named", refuses_ports);
	promise("a bad path, descriptor or address of datagrams is refused", refuses_unix_and_fd);
	promise("a host is taken whole or refused, never cut", long_names);
	promise("a lone port is that port of every address", lone_ports);
	promise("an address is written as it would be typed", writes_as_typed);
	promise("what is written is read again as the same address", round_trips);
	promise("a socket's IPv4 address is shown with its port", formats_ipv4);
	promise("a socket's IPv6 address is in brackets, with its scope, a mapped one as IPv4",
	    formats_ipv6);
	promise("a unix socket shows its path, its abstract name, or that it has none",
	    formats_unix);
	promise("a socket's address is shown as addr_parse() takes it", formats_as_typed);
	promise("an address of no family that we know is shown as unknown", unknown_family);
	return check_end();
}
