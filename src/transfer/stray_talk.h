/*
 * What strangers say first who have met us by mistake: a browser, a client of ssh or of TLS, a
 * scanner. Each waits for an answer then, which a sender does not. No function here blocks.
 */
#ifndef STRAY_TALK_H
#define STRAY_TALK_H

#include <stdbool.h>
#include <stddef.h>

/* How much of a stream's beginning is looked at. */
#define STRAY_TALK_MAX 1024

/* The beginning of a stream as it has been heard so far. Zeroed, it is empty. */
struct stray_talk {
	char begin[STRAY_TALK_MAX + 1]; /* the last byte stays '\0' */
	size_t len;
};

/* Hears the next size bytes of the stream. What lies beyond STRAY_TALK_MAX is of no interest. */
void stray_talk_hear(struct stray_talk *talk, const char *bytes, size_t size);

/*
 * Returns what the stream looks like, with its article ("an HTTP request"), a string of static
 * duration, or NULL if it looks like none of these:
 *
 *   - a request line of HTTP, RTSP or SIP: a method in capitals, a target, the protocol (RFC 9112,
 *     3); of one whose target is longer than what is looked at, the protocol is not seen
 *   - the identification of SSH: "SSH-2.0-", "SSH-1.99-" (RFC 4253, 4.2)
 *   - a ClientHello, alone in its record or with more, of any version (RFC 8446, 5.1)
 */
const char *stray_talk_name(const struct stray_talk *talk);

/* Whether it looks like a ClientHello. */
bool stray_talk_is_tls(const struct stray_talk *talk);

#endif
