#include "transfer/stray_talk.h"

#include <stdbool.h>
#include <string.h>

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define METHOD_MAX 20

static const struct {
	const char *begins; /* what follows the target and a blank */
	const char *name;
} protocols[] = {
    {"HTTP/", "an HTTP request"},
    {"RTSP/", "an RTSP request"},
    {"SIP/", "a SIP request"},
};

void stray_talk_hear(struct stray_talk *talk, const char *bytes, size_t size)
{
	size_t room = STRAY_TALK_MAX - talk->len;

	if (size > room)
		size = room;
	memcpy(talk->begin + talk->len, bytes, size);
	talk->len += size;
}

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* How long the target of a request is, in whatever bytes that end no word. */
static size_t target_length(const char *target)
{
	size_t len = 0;

	while ((unsigned char)target[len] > ' ' && target[len] != '\x7f')
		len++;
	return len;
}

static const char *request(const struct stray_talk *talk)
{
	size_t method = strspn(talk->begin, CAPITALS "-");

	if (method == 0 || method > METHOD_MAX || talk->begin[method] != ' ')
		return NULL;
	const char *target = talk->begin + method + 1;
	const char *behind = target + target_length(target);
	/* Its end is out of sight, but no other text has such a word. */
	if (behind + strlen(" HTTP/") > talk->begin + STRAY_TALK_MAX)
		return *target == '/' || begins(target, "http") ? protocols[0].name : NULL;
	if (behind == target || *behind != ' ')
		return NULL;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (begins(behind + 1, protocols[i].begins))
			return protocols[i].name;
	}
	return NULL;
}

/* "SSH-", the version, "-". */
static bool is_ssh(const char *text)
{
	if (!begins(text, "SSH-"))
		return false;
	text += strlen("SSH-");
	size_t major = strspn(text, DIGITS);
	if (major == 0 || text[major] != '.')
		return false;
	text += major + 1;
	size_t minor = strspn(text, DIGITS);
	return minor > 0 && text[minor] == '-';
}

bool stray_talk_is_tls(const struct stray_talk *talk)
{
	const char *record = talk->begin;

	/* A record of the kind 22, a handshake, whose first message is of the kind 1. */
	return talk->len > 5 && record[0] == 0x16 && record[1] == 0x03 && record[2] >= 0x00 &&
	       record[2] <= 0x04 && record[5] == 0x01;
}

const char *stray_talk_name(const struct stray_talk *talk)
{
	if (is_ssh(talk->begin))
		return "an SSH banner";
	if (stray_talk_is_tls(talk))
		return "a TLS ClientHello";
	return request(talk);
}
