#include "ui/result.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/humanize.h"
#include "base/json.h"
#include "base/printable.h"
#include "sys/io.h"
#include "ui/datagram_result.h"

/* The most bytes of a name, so that the rest of the line has room. */
#define NAME_MAX_TEXT 500

/*
 * Writes the peer's address into text; if there are several, after the address that the user typed.
 */
static void name_peer(const struct outcome *outcome, char *text, size_t size)
{
	bool has_name = outcome->receiver != NULL && strcmp(outcome->receiver, outcome->peer) != 0;

	if (has_name)
		snprintf(text, size, "%s (%s)", outcome->receiver, outcome->peer);
	else
		snprintf(text, size, "%s", outcome->peer);
}

/* Writes the end of the transfer, as far as it is known, for the place behind the amounts. */
static void describe_end(const struct outcome *outcome, char *text, size_t size)
{
	const char *verified = outcome->is_verified ? " and verified" : "";
	char peer[2 * ADDR_TEXT_MAX + 8];

	name_peer(outcome, peer, sizeof(peer));
	switch (outcome->result.end) {
	case TRANSFER_STORED:
		snprintf(text, size, "%s%s%s %s", outcome->done, verified,
		    outcome->sends ? " by" : ", from", peer);
		return;
	case TRANSFER_ASSUMED:
		snprintf(text, size, "%s%s, from %s, ended by silence, not confirmed",
		    outcome->done, verified, peer);
		return;
	case TRANSFER_SILENT:
		snprintf(text, size, "not confirmed by %s, which did not close", peer);
		return;
	default:
		snprintf(text, size, "not confirmed by %s", peer);
	}
}

/*
 * Returns how many bytes of the name to show: no part of a character, which could not be printed.
 */
static int shown(const char *name)
{
	size_t bytes = strnlen(name, NAME_MAX_TEXT);

	if (name[bytes] == '\0')
		return (int)bytes;
	while (bytes > 0 && ((unsigned char)name[bytes] & 0xc0) == 0x80) /* UTF-8, RFC 3629 */
		bytes--;
	return (int)bytes;
}

/* Writes how much came: "4.2 MB", of a tree "12 entries, 4.2 MB". */
static void describe_amount(const struct outcome *outcome, char *text, size_t size)
{
	char bytes[HUMANIZE_TEXT_MAX];

	humanize_bytes(bytes, outcome->result.bytes);
	if (outcome->is_tree)
		snprintf(text, size, "%" PRId64 " %s, %s", outcome->entries,
		    outcome->entries == 1 ? "entry" : "entries", bytes);
	else
		snprintf(text, size, "%s", bytes);
}

/*
 * Writes what is special about the way that it went: ", resumed at 3.1 MB", ", interrupted 2
 * times", ", encrypted", or none of these.
 */
static void describe_way(const struct outcome *outcome, char *text, size_t size)
{
	char amount[HUMANIZE_TEXT_MAX];
	int64_t resumed_at = outcome->result.resumed_at;

	text[0] = '\0';
	humanize_bytes(amount, resumed_at);
	if (resumed_at > 0)
		snprintf(text, size, ", resumed at %s", amount);
	size_t len = strlen(text);
	if (outcome->interruptions > 0)
		snprintf(text + len, size - len, ", interrupted %d time%s", outcome->interruptions,
		    outcome->interruptions == 1 ? "" : "s");
	if (outcome->suite != NULL)
		strlcat(text, ", encrypted", size);
}

/* Prints "in.jpg: 4.2 MB in 0.12 s (35 MB/s), stored and verified by 192.0.2.7:9009". */
static void summarise(const struct log *log, const struct outcome *outcome)
{
	char amount[HUMANIZE_TEXT_MAX + 32];
	char duration[HUMANIZE_TEXT_MAX];
	char rate[HUMANIZE_TEXT_MAX];
	char way[96];
	char end[2 * ADDR_TEXT_MAX + 128];
	char text[LOG_LINE_MAX];
	int64_t took = outcome_duration(outcome);

	describe_amount(outcome, amount, sizeof(amount));
	humanize_duration(duration, took);
	humanize_rate(rate, outcome->result.bytes - outcome->result.resumed_at, took);
	describe_way(outcome, way, sizeof(way));
	describe_end(outcome, end, sizeof(end));
	snprintf(text, sizeof(text), "%.*s: %s in %s (%s)%s, %s%s%s", shown(outcome->name),
	    outcome->name, amount, duration, rate, way, end, outcome->hint == NULL ? "" : ": ",
	    outcome->hint == NULL ? "" : outcome->hint);
	log_summary(log, text);
}

void result_print(const struct log *log, const struct outcome *outcome)
{
	const struct transfer_result *result = &outcome->result;
	bool is_certain = result->end == TRANSFER_STORED;

	if (outcome->datagrams != NULL) {
		datagram_result_print(log, outcome);
		return;
	}
	log_detail(log, "%s: %s %" PRId64 " bytes%s%s", outcome->peer,
	    outcome->sends ? "sent" : "received", result->bytes,
	    result->digest[0] == '\0' ? "" : ", ", result->digest);
	if (!is_certain || log->verbose || log->terminal->is_terminal)
		summarise(log, outcome);
}

/* Returns the end of the transfer as a word or two that a program can compare. */
static const char *end_name(const struct outcome *outcome, const struct err *err)
{
	switch (err->kind) {
	case ERR_NONE:
		if (outcome->result.end == TRANSFER_ASSUMED)
			return "ended by silence";
		return outcome->result.end == TRANSFER_STORED ? "stored" : "not confirmed";
	case ERR_TIMEOUT:
		return "timed out";
	case ERR_MISMATCH:
		return "mismatch";
	case ERR_UNCONFIRMED:
		return "not confirmed";
	case ERR_PEER:
		return "receiver failed";
	case ERR_NO_KEY:
		return "no key";
	case ERR_LOST:
		return "datagrams lost";
	case ERR_INTERRUPTED:
		return "interrupted";
	default:
		return "failed";
	}
}

static const char *or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static void write_object(FILE *out, const struct outcome *outcome, const struct err *err,
    int exit_code)
{
	const struct transfer_result *result = &outcome->result;
	struct json json;

	json_begin(&json, out);
	json_string(&json, "role", outcome->sends ? "send" : "recv");
	json_string(&json, "local", or_null(outcome->local));
	json_string(&json, "peer", or_null(outcome->peer));
	json_string(&json, "path", outcome->path);
	json_string(&json, "encrypted", outcome->suite);
	json_string(&json, "key", outcome->key);
	json_integer(&json, "bytes", result->bytes);
	if (outcome->is_tree)
		json_integer(&json, "entries", outcome->entries);
	if (outcome->is_tree && outcome->sends)
		json_integer(&json, "left_out", outcome->left_out);
	if (outcome->resumes)
		json_integer(&json, "resumed_at", result->resumed_at);
	if (outcome->goes_on)
		json_integer(&json, "interruptions", outcome->interruptions);
	if (outcome->datagrams != NULL)
		datagram_result_json(&json, outcome);
	json_seconds(&json, "seconds", outcome_duration(outcome));
	json_string(&json, "digest", or_null(result->digest));
	json_string(&json, "ended", end_name(outcome, err));
	json_string(&json, "peer_text", or_null(result->peer_text));
	json_string(&json, "error", err->kind == ERR_NONE ? NULL : err->text);
	json_integer(&json, "exit", exit_code);
	if (outcome->receiver != NULL)
		json_string(&json, "address", outcome->receiver);
	json_end(&json);
}

/* Returns the object as text of *size bytes, the caller's to free, or NULL if memory is short. */
static char *object_text(const struct outcome *outcome, const struct err *err, int exit_code,
    size_t *size)
{
	char *text = NULL;
	FILE *memory = open_memstream(&text, size);

	if (memory == NULL)
		return NULL;
	write_object(memory, outcome, err, exit_code);
	bool is_whole = ferror(memory) == 0;
	if (fclose(memory) == 0 && is_whole)
		return text;
	free(text);
	return NULL;
}

/*
 * Writes the line; if torn, first ends the line that another process has left unfinished. A line of
 * at most PIPE_BUF bytes, as every path is, goes into a pipe in one piece (pipe(7)), and cannot be
 * torn.
 */
static int put_after(struct shared_lock *lock, const char *line, size_t size, int fd, bool torn,
    struct err *err)
{
	if (size > PIPE_BUF)
		shared_lock_begin(lock);
	if (torn && io_write_stream(fd, "\n", 1, DEADLINE_NEVER, err) == -1)
		return -1;
	return io_write_stream(fd, line, size, DEADLINE_NEVER, err);
}

/*
 * As put_after(), with the lock, and once the output takes bytes. Returns 0, or -1 with errno set.
 */
static int put_in_turn(const struct result_output *output, const char *line, size_t size)
{
	int fd = fileno(output->file);
	struct err err = {.kind = ERR_NONE};
	bool torn;

	int status = shared_lock_take(output->lock, DEADLINE_NEVER, &torn, &err);
	if (status == 0) {
		status = io_wait(fd, POLLOUT, DEADLINE_NEVER, &err) == -1 ? -1 : 0;
		if (status == 0) {
			status = put_after(output->lock, line, size, fd, torn, &err);
			torn = status == -1;
		}
		shared_lock_release(output->lock, torn);
	}
	if (status == -1)
		errno = err.kind == ERR_INTERRUPTED ? EINTR : err.errnum;
	return status;
}

/* Flushes out; if out is stderr, which is unbuffered, there is nothing to flush. */
static int flush(FILE *out)
{
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

static int put_line(const struct result_output *output, const char *line, size_t size)
{
	if (output->lock != NULL)
		return put_in_turn(output, line, size);
	fwrite(line, 1, size, output->file);
	return flush(output->file);
}

int result_json(const struct result_output *output, const struct outcome *outcome,
    const struct err *err, int exit_code)
{
	size_t size;
	char *text = object_text(outcome, err, exit_code, &size);

	if (text == NULL && output->lock != NULL)
		return -1;
	if (text == NULL) { /* memory is short: write it in pieces */
		write_object(output->file, outcome, err, exit_code);
		return flush(output->file);
	}
	int status = put_line(output, text, size);
	free(text);
	return status;
}

/*
 * Writes the paths of a list, with a NUL behind each, into memory as lines. The sender has chosen
 * the names: one with a newline must not make a second line, of a path that there is not.
 */
static void write_list(FILE *memory, const struct outcome *outcome, bool is_terminal)
{
	const char *end = outcome->made_list + outcome->made_size;
	char safe[PRINTABLE_SIZE(PATH_MAX + 1 + NAME_MAX)]; /* directory, slash, name */

	for (const char *path = outcome->made_list; path < end; path += strlen(path) + 1) {
		bool is_encoded = is_terminal || strchr(path, '\n') != NULL;
		if (is_encoded)
			printable(safe, path);
		fprintf(memory, "%s\n", is_encoded ? safe : path);
	}
}

static int put_list(const struct result_output *output, const struct outcome *outcome)
{
	char *lines = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&lines, &size);

	if (memory == NULL)
		return -1;
	write_list(memory, outcome, isatty(fileno(output->file)));
	bool is_whole = ferror(memory) == 0;
	int status = fclose(memory) == 0 && is_whole ? 0 : -1;
	if (status == 0 && size > 0)
		status = put_line(output, lines, size);
	free(lines);
	return status;
}

int result_paths(const struct result_output *output, const struct outcome *outcome)
{
	char line[PATH_MAX + 1];

	if (outcome->made_list != NULL)
		return put_list(output, outcome);
	if (outcome->made[0] == '\0') /* a tree without an entry */
		return 0;
	int len = snprintf(line, sizeof(line), "%s\n", outcome->made);
	return put_line(output, line, (size_t)len);
}
