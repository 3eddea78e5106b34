#include "net/addr_list.h"

#include <stdbool.h>
#include <string.h>

#include "base/number.h"

/* Reads one part of the word: the len bytes at text. */
static int parse_part(struct receiver *receiver, const char *text, size_t len, struct err *err)
{
	if (len == 0)
		return err_set(err, ERR_USAGE, 0, "an address is missing before or behind a comma");
	if (len >= sizeof(receiver->text))
		return err_set(err, ERR_USAGE, 0,
		    "%.*s...: the address is too long: it may have at most %zu bytes", 40, text,
		    sizeof(receiver->text) - 1);
	memcpy(receiver->text, text, len);
	receiver->text[len] = '\0';
	return addr_parse(&receiver->addr, receiver->text, ADDR_CONNECT, err);
}

/*
 * Checks a part behind a path and a comma. It could be the rest of the path as well, so it has to
 * have a number as its port.
 */
static int check_behind_path(const struct receiver *receiver, struct err *err)
{
	if (receiver->addr.kind != ADDR_INET || number_is_decimal(receiver->addr.port))
		return 0;
	return err_set(err, ERR_USAGE, 0,
	    "%s: behind a path and a comma the port has to be a number", receiver->text);
}

static int parse_parts(struct addr_list *receivers, const char *word, struct err *err)
{
	struct receiver ignored = {.text = ""};
	bool behind_path = false;

	for (;;) {
		size_t len = strcspn(word, ",");
		bool fits = receivers->count < ADDR_LIST_MAX;
		struct receiver *next = fits ? &receivers->one[receivers->count] : &ignored;
		if (parse_part(next, word, len, err) == -1 ||
		    (behind_path && check_behind_path(next, err) == -1))
			return -1;
		behind_path = next->addr.kind == ADDR_UNIX;
		receivers->count++;
		if (word[len] == '\0')
			return 0;
		word += len + 1;
	}
}

/*
 * Whether an earlier receiver has the same text. A receiver that serves one connection at a time
 * lets the second wait for the end of the first, and the two get the stream in step: both would
 * wait for ever.
 */
static bool is_repeated(const struct addr_list *receivers, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(receivers->one[i].text, receivers->one[index].text) == 0)
			return true;
	}
	return false;
}

/* Checks that all receivers in the list can be sent to at once. */
static int check_receivers(const struct addr_list *receivers, struct err *err)
{
	if (receivers->count > ADDR_LIST_MAX)
		return err_set(err, ERR_USAGE, 0,
		    "%zu receivers are too many: at once there can be %d", receivers->count,
		    ADDR_LIST_MAX);
	for (size_t i = 0; i < receivers->count; i++) {
		if (receivers->one[i].addr.kind == ADDR_FD)
			return err_set(err, ERR_USAGE, 0,
			    "%s: a descriptor cannot be one of several receivers",
			    receivers->one[i].text);
		if (receivers->one[i].addr.kind == ADDR_UDP)
			return err_set(err, ERR_USAGE, 0,
			    "%s: cannot be one of several receivers: a multicast group, as "
			    "udp:239.1.2.3:9009, reaches several hosts",
			    receivers->one[i].text);
		if (is_repeated(receivers, i))
			return err_set(err, ERR_USAGE, 0, "%s: is there twice",
			    receivers->one[i].text);
	}
	return 0;
}

int addr_list_parse(struct addr_list *receivers, struct addr *addr, const char *word,
    struct err *err)
{
	struct err why;
	struct err ignored;

	receivers->count = 0;
	if (strchr(word, ',') == NULL)
		return addr_parse(addr, word, ADDR_CONNECT, err);
	if (parse_parts(receivers, word, &why) == 0) {
		*addr = receivers->one[0].addr;
		return check_receivers(receivers, err);
	}
	receivers->count = 0;
	if (addr_parse(addr, word, ADDR_CONNECT, &ignored) == 0 && addr->kind == ADDR_UNIX)
		return 0;
	*err = why;
	return -1;
}
