#include "net/key.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/descriptor.h"
#include "sys/io.h"
#include "sys/signals.h"

/* A larger file is no key file: it has room for some hundred keys. */
#define FILE_MAX ((size_t)64 * 1024)

/*
 * Checks an identity: a colon would end it in a key file, a blank may be lost in a shell, and a
 * control character has no business on a terminal.
 */
static int check_identity(const char *identity, size_t len, struct err *err)
{
	if (len == 0)
		return err_set(err, ERR_USAGE, 0, "the identity is empty");
	if (len > KEY_IDENTITY_MAX)
		return err_set(err, ERR_USAGE, 0, "the identity is longer than %d bytes",
		    KEY_IDENTITY_MAX);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)identity[i];
		if (c <= ' ' || c == 0x7f || c == ':')
			return err_set(err, ERR_USAGE, 0,
			    "the identity has a blank, a colon or a control character");
	}
	return 0;
}

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, tolower((unsigned char)digit));

	return digit == '\0' || at == NULL ? -1 : (int)(at - digits);
}

static int parse_secret(struct key *key, const char *hex, struct err *err)
{
	size_t len = strlen(hex);

	for (size_t i = 0; i < len; i++) {
		if (hex_value(hex[i]) == -1)
			return err_set(err, ERR_USAGE, 0,
			    "the key is not hexadecimal: a passphrase can be guessed from one "
			    "recorded handshake; \"sockxfer key\" makes a key");
	}
	if (len < (size_t)2 * KEY_SECRET_MIN)
		return err_set(err, ERR_USAGE, 0,
		    "the key is short, and could be guessed: at least %d hexadecimal digits are "
		    "needed; \"sockxfer key\" makes a key",
		    2 * KEY_SECRET_MIN);
	if (len > (size_t)2 * KEY_SECRET_MAX || len % 2 != 0)
		return err_set(err, ERR_USAGE, 0,
		    "the key has to be an even number of hexadecimal digits, %d at the most",
		    2 * KEY_SECRET_MAX);
	key->len = len / 2;
	for (size_t i = 0; i < key->len; i++)
		key->secret[i] =
		    (unsigned char)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
	return 0;
}

int key_parse(struct key *key, const char *line, struct err *err)
{
	size_t len = strcspn(line, ":");

	*key = (struct key){.len = 0};
	if (line[len] == '\0')
		return err_set(err, ERR_USAGE, 0, "a line is identity:hexadecimal digits");
	if (check_identity(line, len, err) == -1)
		return -1;
	memcpy(key->identity, line, len);
	return parse_secret(key, line + len + 1, err);
}

static bool has_identity(const struct key_list *list, const char *identity)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->one[i].identity, identity) == 0)
			return true;
	}
	return false;
}

/* Adds the key of a line. The list has room. */
static int add_line(struct key_list *list, const char *line, struct err *err)
{
	struct key *key = &list->one[list->count];

	if (key_parse(key, line, err) == -1)
		return -1;
	if (has_identity(list, key->identity))
		return err_set(err, ERR_USAGE, 0, "its identity has another line already");
	list->count++;
	return 0;
}

static size_t count_lines(const char *text, size_t size)
{
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Adds the key of each line; text, of size bytes, ends with a NUL. */
static int add_lines(struct key_list *list, const char *text, size_t size, struct err *err)
{
	char line[KEY_LINE_MAX];
	int number = 0;
	int status = 0;

	for (const char *next = text; status == 0 && next < text + size;) {
		size_t len = strcspn(next, "\n");
		size_t kept = len > 0 && next[len - 1] == '\r' ? len - 1 : len;
		number++;
		if (next[len] == '\0' && next + len < text + size)
			status = err_set(err, ERR_USAGE, 0, "it has a NUL byte");
		else if (kept >= sizeof(line))
			status = err_set(err, ERR_USAGE, 0, "it is too long for a key");
		else if (kept > 0 && *next != '#') {
			memcpy(line, next, kept);
			line[kept] = '\0';
			status = add_line(list, line, err);
		}
		next += len + 1;
	}
	explicit_bzero(line, sizeof(line));
	return status == 0 ? 0 : err_prefix(err, "line %d", number);
}

int key_list_parse(struct key_list *list, const char *text, size_t size, struct err *err)
{
	/* A NUL at its end, for strcspn(3). */
	char *copy = malloc(size + 1);
	size_t room = count_lines(text, size);

	int status = -1;

	*list = (struct key_list){.one = calloc(room, sizeof(*list->one))};
	if (copy == NULL || list->one == NULL) {
		err_sys(err, "key");
	} else {
		memcpy(copy, text, size);
		copy[size] = '\0';
		status = add_lines(list, copy, size, err);
		explicit_bzero(copy, size);
	}
	free(copy);
	if (status == 0 && list->count == 0)
		status = err_set(err, ERR_USAGE, 0, "there is no key in it");
	if (status == 0)
		return 0;
	if (list->one != NULL)
		list->count = room; /* the key of the bad line is wiped, too */
	key_list_wipe(list);
	return -1;
}

/* Checks that nobody else could have read the keys, or written others into the file. */
static int check_secrecy(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return err_sys(err, "%s", "");
	if (!S_ISREG(st.st_mode))
		return 0;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, ERR_FAILED, 0,
		    "the file with the key belongs to another user, who can change it");
	if ((st.st_mode & 027) == 0)
		return 0;
	err_set(err, ERR_FAILED, 0, "others may read or write the key (mode %03o)",
	    (unsigned)(st.st_mode & 0777));
	return err_advise(err, "chmod 600 the file, and make a new key if others were there");
}

/* Reads all of fd into text, of FILE_MAX bytes. Returns how many, or -1. */
static ssize_t read_all(int fd, char *text, struct err *err)
{
	size_t size = 0;

	for (;;) {
		ssize_t n = io_read_file(fd, text + size, FILE_MAX - size, err);
		if (n == -1)
			return -1;
		if (n == 0)
			return (ssize_t)size;
		size += (size_t)n;
		if (size == FILE_MAX)
			return err_set(err, ERR_USAGE, 0, "is too large for a file of keys");
	}
}

static int read_keys(struct key_list *list, int fd, struct err *err)
{
	char *text = malloc(FILE_MAX);
	ssize_t size = -1;
	int status = -1;

	if (text == NULL)
		return err_sys(err, "%s", "");
	if (check_secrecy(fd, err) == 0)
		size = read_all(fd, text, err);
	if (size != -1)
		status = key_list_parse(list, text, (size_t)size, err);
	explicit_bzero(text, FILE_MAX);
	free(text);
	return status;
}

int key_list_read(struct key_list *list, const char *path, struct err *err)
{
	*list = (struct key_list){.count = 0};
	int fd;
	do {
		if (signals_check(err) == -1)
			return -1;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	} while (fd == -1 && errno == EINTR);
	if (fd == -1)
		return err_sys(err, "%s", path);
	int status = read_keys(list, fd, err);
	close(fd);
	/* It is none of a command's business. What a command shares with us anyway stays. */
	int inherited = descriptor_from_path(path);
	if (inherited > STDERR_FILENO)
		(void)fcntl(inherited, F_SETFD, FD_CLOEXEC);
	return status == 0 ? 0 : err_prefix(err, "%s", path);
}

void key_list_wipe(struct key_list *list)
{
	if (list->one != NULL)
		explicit_bzero(list->one, list->count * sizeof(*list->one));
	free(list->one);
	*list = (struct key_list){.count = 0};
}

int key_make(struct key *key, const char *identity, size_t len, struct err *err)
{
	*key = (struct key){.len = len};
	if (check_identity(identity, strlen(identity), err) == -1)
		return -1;
	strlcpy(key->identity, identity, sizeof(key->identity));
	return getentropy(key->secret, len) == 0 ? 0 : err_sys(err, "getentropy");
}

void key_format(const struct key *key, char *line)
{
	size_t end = strlcpy(line, key->identity, KEY_LINE_MAX);

	line[end++] = ':';
	for (size_t i = 0; i < key->len; i++, end += 2)
		snprintf(line + end, KEY_LINE_MAX - end, "%02x", key->secret[i]);
	strlcpy(line + end, "\n", KEY_LINE_MAX - end);
}

void key_format_secret(const struct key *key, char *text)
{
	size_t end = 0;

	for (size_t i = 0; i < key->len; i++) {
		const char *blank = i > 0 && i % 2 == 0 ? " " : "";
		end += (size_t)snprintf(text + end, KEY_SECRET_TEXT_MAX - end, "%s%02x", blank,
		    key->secret[i]);
	}
}
