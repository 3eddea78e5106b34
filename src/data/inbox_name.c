#include "data/inbox_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Room for a date and time, and for an address of IPv6 with its scope. */
#define TIME_MAX 32
#define PEER_MAX 80

/*
 * Writes the peer's address into field, of PEER_MAX bytes, with "_" for each character that a name
 * had better not have, as the colons of IPv6.
 */
static void peer_field(char *field, const char *peer)
{
	bool bracketed = *peer == '[';
	const char *host = bracketed ? peer + 1 : peer;
	size_t len = strcspn(host, bracketed ? "]" : ":");

	/* The peer chooses the path of its unix socket, so the path is left out. */
	if (strncmp(peer, "unix:", strlen("unix:")) == 0) {
		host = "unix";
		len = strlen(host);
	} else if (host[len] == '\0' || len == 0 || len >= PEER_MAX) {
		host = "unknown";
		len = strlen(host);
	}
	for (size_t i = 0; i < len; i++) {
		bool is_plain = isalnum((unsigned char)host[i]) || strchr(".%", host[i]) != NULL;
		field[i] = '_';
		if (is_plain)
			field[i] = host[i];
	}
	field[len] = '\0';
}

void inbox_name(char *name, const struct timespec *when, const char *peer, unsigned number)
{
	char seconds[TIME_MAX] = "";
	char from[PEER_MAX];
	struct tm utc = {.tm_mday = 1};

	gmtime_r(&when->tv_sec, &utc);
	strftime(seconds, sizeof(seconds), "%Y%m%dT%H%M%S", &utc);
	peer_field(from, peer);
	snprintf(name, INBOX_NAME_MAX, "%s.%03dZ-%s-%u", seconds, (int)(when->tv_nsec / 1000000),
	    from, number);
}
