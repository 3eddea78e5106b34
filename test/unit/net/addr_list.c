/* A list of addresses as one word, told from one address with a comma in it. */
#include "net/addr_list.h"

#include "check.h"

/* Reads word, which has to be right, as count addresses; 0: as one that is no list. */
static struct addr_list *parse(const char *word, size_t count, struct addr *first)
{
	static struct addr_list receivers;
	struct err err = {.kind = ERR_NONE};

	check_row("%.80s", word);
	CHECK_INT(addr_list_parse(&receivers, first, word, &err), 0);
	CHECK_STR(err.text, "");
	CHECK_INT((intmax_t)receivers.count, (intmax_t)count);
	return &receivers;
}

static void several(void)
{
	struct addr first;
	const struct addr_list *receivers =
	    parse("host1:9009,[2001:db8::1]:http,unix:/run/x,192.0.2.7:09", 4, &first);

	CHECK_STR(first.host, "host1");
	CHECK_STR(receivers->one[0].text, "host1:9009");
	CHECK_STR(receivers->one[0].addr.port, "9009");
	CHECK_STR(receivers->one[1].text, "[2001:db8::1]:http");
	CHECK_STR(receivers->one[1].addr.host, "2001:db8::1");
	CHECK_INT(receivers->one[2].addr.kind, ADDR_UNIX);
	CHECK_STR(receivers->one[2].addr.path, "/run/x");
	CHECK_STR(receivers->one[3].text, "192.0.2.7:09"); /* as it was typed */
	CHECK_STR(receivers->one[3].addr.port, "9");
	receivers = parse("a:1,a:2", 2, &first);
	CHECK_STR(receivers->one[1].text, "a:2");
}

static void one(void)
{
	struct addr addr;

	parse("host:9009", 0, &addr);
	CHECK_STR(addr.host, "host");
	parse("unix:/a,b", 0, &addr);
	CHECK_STR(addr.path, "/a,b");
	parse("unix:/a,", 0, &addr);
	CHECK_STR(addr.path, "/a,");
	parse("unix:/a,,unix:/b", 0, &addr);
	CHECK_STR(addr.path, "/a,,unix:/b");
	parse("unix:/it's,a:socket", 0, &addr);
	CHECK_STR(addr.path, "/it's,a:socket");
	parse("unix:/a,b:9", 2, &addr);
	parse("unix:/a,[::1]:9,b:http", 3, &addr);
	parse("fd:3", 0, &addr);
	CHECK_INT(addr.fd, 3);
	parse("unix:/a,unix:/b", 2, &addr);
	CHECK_STR(addr.path, "/a");
}

static void mistakes(void)
{
	static const struct {
		const char *word;
		const char *why;
	} rows[] = {
	    {"a:1,b", "b: the port is missing: write host:port, as in b:9009"},
	    {"a,b:1", "a: the port is missing: write host:port, as in a:9009"},
	    {"a:1,b:0", "b:0: port: \"0\" is too small: a whole number from 1 to 65535 is needed"},
	    {"a:1, b:80x", "\" b:80x\": there is no blank in a host or a port"},
	    {"a:1,b:80x",
		"b:80x: port: \"80x\" is invalid: a whole number from 1 to 65535 is needed"},
	    {"a:1,", "an address is missing before or behind a comma"},
	    {",a:1", "an address is missing before or behind a comma"},
	    {"a:1,,b:2", "an address is missing before or behind a comma"},
	    {",", "an address is missing before or behind a comma"},
	    {"a:1,::1:2", "::1:2: put an IPv6 address in brackets, as in '[2001:db8::1]:9009'"},
	    {"a:1,unix:/x,b:http", "b:http: behind a path and a comma the port has to be a number"},
	    {"a:1,fd:3", "fd:3: a descriptor cannot be one of several receivers"},
	    {"a:1,udp:b:2",
		"udp:b:2: cannot be one of several receivers: a multicast group, as udp:239.1.2.3:9009, reaches several hosts"},
	    {"a:1,b:2,a:1", "a:1: is there twice"},
	    {"fd:3,fd:4", "fd:3: a descriptor cannot be one of several receivers"},
	};
	static struct addr_list receivers;
	struct addr addr;
	struct err err;

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%s", rows[i].word);
		CHECK_INT(addr_list_parse(&receivers, &addr, rows[i].word, &err), -1);
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_STR(err.text, rows[i].why);
	}
}

/* Writes count addresses and behind them a tail into text. */
static void list(char *text, size_t count, const char *tail)
{
	for (size_t i = 0; i < count; i++)
		text += sprintf(text, "%sa:%zu", i == 0 ? "" : ",", i + 1);
	strcpy(text, tail);
}

static void many(void)
{
	static struct addr_list receivers;
	char word[1024];
	struct addr addr;
	struct err err;

	list(word, ADDR_LIST_MAX, "");
	parse(word, ADDR_LIST_MAX, &addr);
	list(word, ADDR_LIST_MAX + 5, "");
	CHECK_INT(addr_list_parse(&receivers, &addr, word, &err), -1);
	CHECK_STR(err.text, "69 receivers are too many: at once there can be 64");
	list(word, ADDR_LIST_MAX + 5, ",b");
	CHECK_INT(addr_list_parse(&receivers, &addr, word, &err), -1);
	CHECK_HAS(err.text, "b: the port is missing");
}

static void long_ones(void)
{
	static struct addr_list receivers;
	char word[2000];
	struct addr addr;
	struct err err;

	/* Zeros in front of a port are the only way for an address to be too long. */
	snprintf(word, sizeof(word), "a:1,host:%0*d", (int)ADDR_TEXT_MAX, 9);
	CHECK_INT(addr_list_parse(&receivers, &addr, word, &err), -1);
	CHECK_HAS(err.text, "host:000000");
	CHECK_HAS(err.text, "the address is too long");
	snprintf(word, sizeof(word), "unix:/%0*d,b:1", (int)sizeof(addr.path), 0);
	CHECK_INT(addr_list_parse(&receivers, &addr, word, &err), -1);
	CHECK_HAS(err.text, "the path is too long");
}

int main(void)
{
	promise("addresses with commas between them are several, as they were typed", several);
	promise("a comma that does not separate addresses belongs to a path", one);
	promise("a mistake in one of several is told by that one", mistakes);
	promise("there can be 64, and not more", many);
	promise("one that is too long is refused, not cut", long_ones);
	return check_end();
}
