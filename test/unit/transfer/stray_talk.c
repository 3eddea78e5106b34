/* What strays say: known by its first bytes, in whatever pieces they come, and nothing else. */
#include "transfer/stray_talk.h"

#include "check.h"

#define BYTES(text) (text), sizeof(text) - 1

struct talk_row {
	const char *bytes;
	size_t size;
	const char *name;
};

static const char *name_of(const char *bytes, size_t size, size_t piece)
{
	struct stray_talk talk = {.len = 0};

	for (size_t at = 0; at < size; at += piece)
		stray_talk_hear(&talk, bytes + at, size - at < piece ? size - at : piece);
	return stray_talk_name(&talk);
}

static void check_name(const char *bytes, size_t size, const char *expected)
{
	const char *name = name_of(bytes, size, 1);

	CHECK(name == name_of(bytes, size, size + 1));
	CHECK_STR(name == NULL ? "nothing" : name, expected == NULL ? "nothing" : expected);
}

static void strays(void)
{
	static const struct talk_row rows[] = {
	    {BYTES("GET / HTTP/1.1\r\nHost: host:9009\r\n\r\n"), "an HTTP request"},
	    {BYTES("GET / HTTP/1.0\n\n"), "an HTTP request"},
	    {BYTES("HEAD /x?a=b%20c HTTP/1.1\r\n"), "an HTTP request"},
	    {BYTES("POST http://host/ HTTP/1.1\r\n"), "an HTTP request"},
	    {BYTES("OPTIONS * HTTP/1.1\r\n"), "an HTTP request"},
	    {BYTES("CONNECT host:443 HTTP/1.1\r\n"), "an HTTP request"},
	    {BYTES("PROPFIND /\xc3\xa4 HTTP/1.1\r\n"), "an HTTP request"},
	    {BYTES("M-SEARCH * HTTP/1.1\r\n"), "an HTTP request"},
	    {BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "an HTTP request"},
	    {BYTES("OPTIONS / RTSP/1.0\r\n\r\n"), "an RTSP request"},
	    {BYTES("OPTIONS sip:nm SIP/2.0\r\n"), "a SIP request"},
	    {BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), "an SSH banner"},
	    {BYTES("SSH-2.0-"), "an SSH banner"},
	    {BYTES("SSH-1.99-x\n"), "an SSH banner"},
	    {BYTES("\x16\x03\x01\x01\x24\x01\x00\x01\x20\x03\x03"), "a TLS ClientHello"},
	    {BYTES("\x16\x03\x03\x00\xc8\x01"), "a TLS ClientHello"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%s", rows[i].bytes);
		check_name(rows[i].bytes, rows[i].size, rows[i].name);
	}
}

static void others(void)
{
	static const struct talk_row rows[] = {
	    {BYTES(""), NULL},
	    {BYTES("GET"), NULL},
	    {BYTES("GET "), NULL},
	    {BYTES("GET /"), NULL},
	    {BYTES("GET / HTTP"), NULL},
	    {BYTES("GET  HTTP/1.1"), NULL},
	    {BYTES("GET /\0 HTTP/1.1"), NULL},
	    {BYTES("GET /a b HTTP/1.1"), NULL},
	    {BYTES("GET /a\nHTTP/1.1"), NULL},
	    {BYTES("get / HTTP/1.1"), NULL},
	    {BYTES(" GET / HTTP/1.1"), NULL},
	    {BYTES("GET/ HTTP/1.1"), NULL},
	    {BYTES("DELETE FROM users;\n"), NULL},
	    {BYTES("PUT the kettle on\n"), NULL},
	    {BYTES("ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1"), NULL},
	    {BYTES("HTTP/1.1 200 OK\r\n"), NULL},
	    {BYTES("SSH"), NULL},
	    {BYTES("SSH-2.0"), NULL},
	    {BYTES("SSH-2-"), NULL},
	    {BYTES("SSH-.0-"), NULL},
	    {BYTES("SSH-agents are"), NULL},
	    {BYTES("xSSH-2.0-x"), NULL},
	    {BYTES("\x16\x03\x01\x01\x24"), NULL},
	    {BYTES("\x16\x03\x01\x01\x24\x02"), NULL},
	    {BYTES("\x16\x02\x01\x01\x24\x01"), NULL},
	    {BYTES("\x16\x03\x05\x01\x24\x01"), NULL},
	    {BYTES("\x17\x03\x03\x01\x24\x01"), NULL},
	    {BYTES("\x89PNG\r\n\x1a\n"), NULL},
	    {BYTES("\xff\xd8\xff\xe0"), NULL},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("row %zu: %s", i, rows[i].bytes);
		check_name(rows[i].bytes, rows[i].size, rows[i].name);
	}
}

/* "GET /aaa... HTTP/1.1", around and beyond what is looked at. */
static void long_targets(void)
{
	static char text[3 * STRAY_TALK_MAX];

	for (size_t len = 1; len < 2 * STRAY_TALK_MAX; len++) {
		check_row("a target of %zu bytes", len);
		memset(text, 'a', sizeof(text));
		memcpy(text, "GET /", 5);
		strcpy(text + 4 + len, " HTTP/1.1\r\n");
		check_name(text, strlen(text), "an HTTP request");
	}
	memset(text, 'A', sizeof(text));
	check_name(text, sizeof(text), NULL);
	memcpy(text, "KEY ", 4);
	check_name(text, sizeof(text), NULL);
}

static void beginning_only(void)
{
	struct stray_talk talk = {.len = 0};
	static const char zeros[STRAY_TALK_MAX];

	stray_talk_hear(&talk, zeros, 1);
	stray_talk_hear(&talk, BYTES("GET / HTTP/1.1\r\n"));
	CHECK(stray_talk_name(&talk) == NULL);
	for (int i = 0; i < 3; i++)
		stray_talk_hear(&talk, zeros, sizeof(zeros));
	CHECK_INT((intmax_t)talk.len, STRAY_TALK_MAX);
	CHECK(stray_talk_name(&talk) == NULL);
}

int main(void)
{
	promise("requests, the banner of ssh and the first bytes of TLS are known", strays);
	promise("nothing that only resembles them is", others);
	promise("a request is known however long its target is", long_targets);
	promise("only the beginning counts, and is kept", beginning_only);
	return check_end();
}
