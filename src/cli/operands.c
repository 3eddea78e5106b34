#include "cli/operands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "base/path_name.h"
#include "sys/descriptor.h"

void operands_add(struct operands *operands, const char *word)
{
	operands->word[operands->count++] = word;
}

static bool is_file(const char *word)
{
	return access(word, F_OK) == 0;
}

static bool is_no_name(const struct addr *addr, const char *text, size_t port_digits)
{
	if (addr->kind != ADDR_INET || *text == '[')
		return true;
	return strchr(text, '/') == NULL && number_is_decimal(addr->port) &&
	       strlen(addr->port) >= port_digits;
}

/*
 * Whether the word is an address, or several, and hardly the name of a file. An address that could
 * be such a name needs a port of at least port_digits digits: one of two digits may be the minutes
 * of dump-2026-11-24-20:36.
 */
static bool looks_like_address(const char *word, size_t port_digits)
{
	struct addr_list receivers;
	struct addr addr;
	struct err ignored;

	if (addr_list_parse(&receivers, &addr, word, &ignored) == -1 || is_file(word))
		return false;
	for (size_t i = 0; i < receivers.count; i++) {
		if (!is_no_name(&receivers.one[i].addr, receivers.one[i].text, port_digits))
			return false;
	}
	return receivers.count > 0 || is_no_name(&addr, word, port_digits);
}

static int address_missing(const struct settings *settings, struct err *err)
{
	if (settings->role == SETTINGS_SEND)
		return err_set(err, ERR_USAGE, 0,
		    "where to? \"sockxfer send host:9009 FILE\" connects, \"sockxfer send -p 9009 FILE\" listens");
	return err_set(err, ERR_USAGE, 0,
	    "where from? \"sockxfer recv -p 9009 FILE\" listens, \"sockxfer recv host:9009 FILE\" connects");
}

/* Replaces the reason in err that the first word is no address, if it is clear what is meant. */
static int not_an_address(const struct settings *settings, const struct operands *operands,
    struct err *err)
{
	const char *role = settings_role_name(settings->role);
	const char *first = operands->word[0];
	const char *second = operands->word[1];
	const char *third = operands->word[2];
	bool has_colon = strchr(first, ':') != NULL;

	if (second != NULL && looks_like_address(second, 1))
		return err_set(err, ERR_USAGE, 0, "the address comes first: \"sockxfer %s %s %s\"",
		    role, second, first);
	if (number_is_decimal(first))
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is a port without a host: \"sockxfer %s -p %s%s%s\" listens on it",
		    first, role, first, second == NULL ? "" : " ", second == NULL ? "" : second);
	if (second != NULL && !has_colon && number_is_decimal(second))
		return err_set(err, ERR_USAGE, 0,
		    "host and port are one word: \"sockxfer %s %s:%s%s%s\"; -p %s listens", role,
		    first, second, third == NULL ? "" : " ", third == NULL ? "" : third, second);
	if (!has_colon && (is_file(first) || (second == NULL && settings->role == SETTINGS_RECV)))
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is no address: \"sockxfer %s host:9009 %s\" connects, \"sockxfer %s -p 9009 %s\" listens",
		    first, role, first, role, first);
	return -1;
}

/* The advice for an address in the place of the file. */
static const char *instead_of_second(const struct settings *settings)
{
	if (settings->listens)
		return "leave -p or -l out to connect";
	if (settings->role == SETTINGS_SEND)
		return "one is enough, several are one word, as in a:9009,b:9009";
	return "one is enough";
}

/* Checks a word that names a file. *word becomes "-" if it means stdin or stdout. */
static int check_path(const struct settings *settings, const char **word, struct err *err)
{
	if (settings->command != NULL)
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" and a command behind -- exclude each other", *word);
	if (**word == '\0')
		return err_set(err, ERR_USAGE, 0, "the name of the file is empty");
	if (looks_like_address(*word, 3))
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is an address, where the file is expected: %s, or write ./%s", *word,
		    instead_of_second(settings), *word);
	int fd = descriptor_from_path(*word);
	if (fd == (settings->role == SETTINGS_SEND ? STDIN_FILENO : STDOUT_FILENO))
		*word = "-";
	return 0;
}

/* Orders two paths by their last components. */
static int order_by_name(const void *a, const void *b)
{
	size_t left_len;
	size_t right_len;
	const char *left = path_name(*(const char *const *)a, &left_len);
	const char *right = path_name(*(const char *const *)b, &right_len);
	int order = memcmp(left, right, left_len < right_len ? left_len : right_len);

	if (order != 0 || left_len == right_len)
		return order;
	return left_len < right_len ? -1 : 1;
}

/* Checks that the path has a name that can travel. */
static int check_name(const char *path, struct err *err)
{
	size_t len;
	const char *name = path_name(path, &len);

	if (strcmp(path, "-") == 0)
		return err_set(err, ERR_USAGE, 0,
		    "stdin has no name that could be sent along: it goes alone, without --named");
	if (len == 0 || path_name_is_dots(name, len))
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" has no name that could be sent along: it goes alone, without --named",
		    path);
	return 0;
}

/* Checks that the files have names, and each another one. sorted is room for count of them. */
static int check_names(const char *const *paths, const char **sorted, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (check_name(paths[i], err) == -1)
			return -1;
		sorted[i] = paths[i];
	}
	qsort(sorted, count, sizeof(*sorted), order_by_name);
	for (size_t i = 1; i < count; i++) {
		if (order_by_name(&sorted[i - 1], &sorted[i]) == 0)
			return err_set(err, ERR_USAGE, 0,
			    "\"%s\" and \"%s\" have the same name: send one after the other",
			    sorted[i - 1], sorted[i]);
	}
	return 0;
}

static int set_paths(struct settings *settings, const char **words, size_t count, struct err *err)
{
	if (settings->role == SETTINGS_RECV && count > 1)
		return err_set(err, ERR_USAGE, 0, "\"%s\" is one operand too many: %s", words[1],
		    settings->listens ? "with -p or -l there is no address"
				      : "what comes goes to one file or directory");
	settings->paths = settings->one_path;
	if (count > 1)
		settings->paths = calloc(count + 1, sizeof(*settings->paths));
	if (settings->paths == NULL)
		return err_sys(err, "operands");
	for (size_t i = 0; words[i] != NULL; i++) {
		if (check_path(settings, &words[i], err) == -1)
			return -1;
		settings->paths[i] = words[i];
	}
	if (count > 0)
		settings->path = words[0];
	if (settings->named && count == 0)
		return err_set(err, ERR_USAGE, 0,
		    "--named: is for files: stdin and a command have no names");
	/* The list of words has room for the sorted ones, as it is not read again. */
	return settings_send_names(settings) ? check_names(settings->paths, words, count, err) : 0;
}

/*
 * Whether the whole word, commas included, is one unix: address: recv has one sender only, and for
 * send a socket of that name exists.
 */
static bool is_one_path(const struct settings *settings, const char *word)
{
	static const char prefix[] = "unix:";
	size_t len = strlen(prefix);

	return strncmp(word, prefix, len) == 0 &&
	       (settings->role == SETTINGS_RECV || is_file(word + len));
}

/* Reads the address to connect to, or the several addresses to send to at once. */
static int set_address(struct settings *settings, const struct operands *operands, struct err *err)
{
	const char *word = operands->word[0];
	int status = is_one_path(settings, word)
	                 ? addr_parse(&settings->address, word, ADDR_CONNECT, err)
	                 : addr_list_parse(&settings->receivers, &settings->address, word, err);

	if (status == -1)
		return not_an_address(settings, operands, err);
	if (settings->receivers.count > 0 && settings->role == SETTINGS_RECV)
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is more than one address: recv has one sender; several receivers are for send",
		    word);
	return 0;
}

int operands_place(struct settings *settings, const struct operands *operands, struct err *err)
{
	size_t next = 0;

	if (!settings->listens) {
		if (operands->count == 0)
			return address_missing(settings, err);
		if (set_address(settings, operands, err) == -1)
			return -1;
		next++;
	}
	return set_paths(settings, operands->word + next, operands->count - next, err);
}
