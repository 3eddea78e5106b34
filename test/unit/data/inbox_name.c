/* Names in a directory: by time, peer and number, and nothing in them that needs care. */
#include "data/inbox_name.h"

#include "check.h"

/* 2026-11-24 21:01:26 UTC */
#define THEN 1795554086

static void peers(void)
{
	static const struct {
		const char *peer;
		const char *name;
	} rows[] = {
	    {"192.0.2.7:9009", "20261124T210126.042Z-192.0.2.7-1"},
	    {"[2001:db8::7]:9009", "20261124T210126.042Z-2001_db8__7-1"},
	    {"[::1]:9009", "20261124T210126.042Z-__1-1"},
	    {"[::192.0.2.7]:9009", "20261124T210126.042Z-__192.0.2.7-1"},
	    {"[fe80::1%eth0]:9009", "20261124T210126.042Z-fe80__1%eth0-1"},
	    {"[fe80::1%br-a b]:9009", "20261124T210126.042Z-fe80__1%br_a_b-1"},
	    {"unix:", "20261124T210126.042Z-unix-1"},
	    {"unix:/run/x", "20261124T210126.042Z-unix-1"},
	    {"unix:@../../etc", "20261124T210126.042Z-unix-1"},
	    {"unknown address", "20261124T210126.042Z-unknown-1"},
	    {"", "20261124T210126.042Z-unknown-1"},
	    {":1", "20261124T210126.042Z-unknown-1"},
	    {"[::1", "20261124T210126.042Z-unknown-1"},
	    {"../x:1", "20261124T210126.042Z-.._x-1"},
	};
	const struct timespec when = {.tv_sec = THEN, .tv_nsec = 42999999};
	char name[INBOX_NAME_MAX];

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%s", rows[i].peer);
		inbox_name(name, &when, rows[i].peer, 1);
		CHECK_STR(name, rows[i].name);
	}
}

static void times(void)
{
	static const struct {
		struct timespec when;
		const char *name;
	} rows[] = {
	    {{0, 0}, "19700101T000000.000Z-unix-1"},
	    {{THEN, 999999999}, "20261124T210126.999Z-unix-1"},
	    {{THEN + 1, 0}, "20261124T210127.000Z-unix-1"},
	    {{INT64_C(253402300799), 0}, "99991231T235959.000Z-unix-1"},
	};
	char name[INBOX_NAME_MAX];
	char last[INBOX_NAME_MAX] = "";

	setenv("TZ", "Asia/Tokyo", 1); /* no matter */
	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%" PRId64, (int64_t)rows[i].when.tv_sec);
		inbox_name(name, &rows[i].when, "unix:", 1);
		CHECK_STR(name, rows[i].name);
		CHECK(strcmp(last, name) < 0);
		strlcpy(last, name, sizeof(last));
	}
}

static void longest(void)
{
	const struct timespec when = {.tv_sec = THEN};
	char peer[200];
	char name[INBOX_NAME_MAX];

	/* The longest host that addr_format() has room for, and a longer one. */
	snprintf(peer, sizeof(peer), "[%078d]:9009", 7);
	inbox_name(name, &when, peer, UINT32_MAX);
	CHECK(strlen(name) == 21 + 78 + 1 + 10);
	CHECK_STR(name + strlen(name) - 12, "7-4294967295");
	snprintf(peer, sizeof(peer), "[%0150d]:9009", 7);
	inbox_name(name, &when, peer, UINT32_MAX);
	CHECK_STR(name, "20261124T210126.000Z-unknown-4294967295");
}

int main(void)
{
	promise("the peer's address is in the name, without port, colons and hyphens", peers);
	promise("the time is UTC with milliseconds, and names sort by it", times);
	promise("the longest name has room", longest);
	return check_end();
}
