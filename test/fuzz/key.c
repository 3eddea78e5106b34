/*
 * The key file: what is read of it is what a slow and simple reading would take, keys are written as they are read,
 * and no message has a byte of a secret.
 */
#include "net/key.h"

#include <ctype.h>
#include <stdbool.h>

#include "fuzz.h"

static bool is_identity(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c <= ' ' || c == 0x7f || c == ':')
			return false;
	}
	return len > 0 && len <= KEY_IDENTITY_MAX;
}

static bool is_line(const char *line)
{
	const char *colon = strchr(line, ':');
	size_t digits = colon == NULL ? 0 : strlen(colon + 1);

	if (colon == NULL || !is_identity(line, (size_t)(colon - line)))
		return false;
	return strspn(colon + 1, "0123456789abcdefABCDEF") == digits && digits % 2 == 0 &&
	       digits >= 2 * KEY_SECRET_MIN && digits <= 2 * KEY_SECRET_MAX;
}

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

static void must_be_same(const struct key *a, const struct key *b)
{
	MUST(strcmp(a->identity, b->identity) == 0);
	MUST(a->len == b->len && memcmp(a->secret, b->secret, a->len) == 0);
}

static void must_be_written_as_read(const struct key *key, const char *line)
{
	struct key again;
	struct err err;
	char text[KEY_LINE_MAX];
	char *wanted = strdup(line);

	MUST(wanted != NULL);
	key_format(key, text);
	MUST(text[strlen(text) - 1] == '\n');
	text[strlen(text) - 1] = '\0';
	lower(strchr(wanted, ':'));
	MUST(strcmp(text, wanted) == 0);
	MUST(key_parse(&again, text, &err) == 0);
	must_be_same(key, &again);
	free(wanted);
}

/* What is said of a bad line has no eight digits of it, which no message of ours has. */
static void must_be_secret(const char *line, const char *message)
{
	const char *colon = strchr(line, ':');
	char part[9];

	for (const char *at = colon == NULL ? line : colon + 1; strlen(at) >= 8; at++) {
		strlcpy(part, at, sizeof(part));
		if (strspn(part, "0123456789abcdefABCDEF") == 8)
			MUST(strstr(message, part) == NULL);
	}
}

static void try_line(const char *line)
{
	struct key key;
	struct err err = {.kind = ERR_NONE};

	if (key_parse(&key, line, &err) == 0) {
		MUST(is_line(line));
		must_be_written_as_read(&key, line);
		return;
	}
	MUST(!is_line(line));
	MUST(err.kind == ERR_USAGE);
	must_be_secret(line, err.text);
}

/* Each key of a list is that of its line, in their order. */
static void try_file(const char *text, size_t size)
{
	struct key_list list;
	struct err err = {.kind = ERR_NONE};
	size_t found = 0;

	if (key_list_parse(&list, text, size, &err) == -1) {
		MUST(err.kind == ERR_USAGE && list.one == NULL);
		return;
	}
	MUST(strlen(text) == size && list.count > 0);
	char *copy = fuzz_text((const uint8_t *)text, size);
	char *rest = copy;
	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
		size_t len = strlen(line);
		struct key key;
		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		MUST(key_parse(&key, line, &err) == 0 && found < list.count);
		must_be_same(&list.one[found++], &key);
	}
	MUST(found == list.count);
	free(copy);
	key_list_wipe(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_line(text);
	try_file(text, size);
	free(text);
	return 0;
}
