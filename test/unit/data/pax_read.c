/* Archives, built here byte by byte: what is read of them, however they come, and what is refused. */
#include "data/pax_read.h"

#include <limits.h>

#include "check.h"

#define ROOM (6 * 1024 * 1024)

/* Where the fields of a header stand (POSIX.1-2008, pax). */
#define NAME 0
#define MODE 100
#define SIZE 124
#define MTIME 136
#define SUM 148
#define TYPE 156
#define TARGET 157
#define MAGIC 257
#define PREFIX 345
#define SPARSE 386

static unsigned char archive[ROOM];
static size_t archive_size;

/* What the listener has heard, and in which of its calls it is to fail. */
struct heard {
	char text[2 * 1024 * 1024];
	size_t len;
	int64_t content; /* bytes of the present member */
	bool in_member;
	const char *fails_in;
};

static struct heard heard;

static int fail_in(const char *call, struct err *err)
{
	if (heard.fails_in != NULL && strcmp(heard.fails_in, call) == 0)
		return err_set(err, ERR_TIMEOUT, 0, "in %s", call);
	return 0;
}

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	heard.len +=
	    (size_t)vsnprintf(heard.text + heard.len, sizeof(heard.text) - heard.len, fmt, ap);
	va_end(ap);
}

static int hear_member(void *context, const struct pax_member *member, struct err *err)
{
	static const char *const types[] = {"file", "directory", "symlink", "hard link"};

	CHECK(context == &heard);
	CHECK(!heard.in_member);
	heard.in_member = true;
	heard.content = member->size;
	say("%s %s %o %jd.%09ld %jd", types[member->type], member->path, member->mode,
	    (intmax_t)member->mtime.tv_sec, member->mtime.tv_nsec, (intmax_t)member->size);
	if (member->target != NULL)
		say(" -> %s", member->target);
	say("\n");
	return fail_in("member", err);
}

static int hear_content(void *context, const void *bytes, size_t size, struct err *err)
{
	CHECK(context == &heard);
	CHECK(heard.in_member && size > 0);
	heard.content -= (int64_t)size;
	CHECK(heard.content >= 0);
	say("%.*s", (int)size, (const char *)bytes);
	return fail_in("content", err);
}

static int hear_end(void *context, struct err *err)
{
	CHECK(context == &heard);
	CHECK(heard.in_member);
	CHECK_INT(heard.content, 0);
	heard.in_member = false;
	say(".\n");
	return fail_in("ended", err);
}

static const struct pax_listener listener = {hear_member, hear_content, hear_end, &heard};

/* Reads the first size bytes of the archive in pieces, each with nothing behind it. */
static int read_archive(size_t size, size_t piece, struct err *err)
{
	struct pax_reader *reader = pax_reader_new(&listener, err);
	int result = 0;

	heard.len = 0;
	heard.text[0] = '\0';
	heard.in_member = false;
	for (size_t at = 0; at < size && result == 0; at += piece) {
		size_t part = size - at < piece ? size - at : piece;
		char *copy = malloc(part);
		memcpy(copy, archive + at, part);
		result = pax_reader_write(reader, copy, part, err);
		free(copy);
	}
	if (result == 0)
		result = pax_reader_finish(reader, err);
	pax_reader_free(reader);
	return result;
}

static const size_t pieces[] = {1, 2, 3, 7, 61, 127, 509, 511, 512, 513, 1021, 4099, ROOM};

/* The archive is read as wanted, in pieces of all sizes. */
static void check_read(const char *wanted)
{
	for (size_t i = 0; i < ROWS(pieces); i++) {
		struct err err = {.kind = ERR_NONE};
		CHECK_INT(read_archive(archive_size, pieces[i], &err), 0);
		CHECK_INT(err.kind, ERR_NONE);
		CHECK_STR(err.text, "");
		CHECK_STR(heard.text, wanted);
	}
}

/* The archive is refused with that text, in pieces of all sizes. */
static void check_refused(const char *text)
{
	for (size_t i = 0; i < ROWS(pieces); i++) {
		struct err err = {.kind = ERR_NONE};
		CHECK_INT(read_archive(archive_size, pieces[i], &err), -1);
		CHECK_INT(err.kind, ERR_FAILED);
		CHECK_STR(err.text, text);
	}
}

static void new_archive(void)
{
	archive_size = 0;
}

/* Adds bytes, and NULs to the end of a block. */
static void add_bytes(const void *bytes, size_t size)
{
	size_t padding = (PAX_BLOCK - size % PAX_BLOCK) % PAX_BLOCK;

	if (!CHECK(size + padding <= ROOM - archive_size))
		exit(1);
	memcpy(archive + archive_size, bytes, size);
	memset(archive + archive_size + size, 0, padding);
	archive_size += size + padding;
}

static void add_end(void)
{
	static const char mark[2 * PAX_BLOCK];

	add_bytes(mark, sizeof(mark));
}

/* Writes the sum into a header, of bytes with a sign or without. */
static void set_sum(unsigned char *header, bool with_sign)
{
	long sum = 0;

	memset(header + SUM, ' ', 8);
	for (size_t i = 0; i < PAX_BLOCK; i++)
		sum += with_sign ? (signed char)header[i] : header[i];
	snprintf((char *)header + SUM, 8, "%06lo", sum);
}

/* Adds a header of ustar, and returns it; whoever changes it sets its sum again. */
static unsigned char *add_header(const char *name, char type, int64_t size)
{
	unsigned char *header = archive + archive_size;
	char octal[13];

	add_bytes("", 0);
	memset(header, 0, PAX_BLOCK);
	archive_size += PAX_BLOCK;
	memcpy(header + NAME, name, strnlen(name, 100));
	memcpy(header + MODE, "0000644", 7);
	snprintf(octal, sizeof(octal), "%011jo", (uintmax_t)size);
	memcpy(header + SIZE, octal, 12);
	memcpy(header + MTIME, "00000000001", 11);
	header[TYPE] = (unsigned char)type;
	memcpy(header + MAGIC, "ustar\00000", 8);
	set_sum(header, false);
	return header;
}

static void add_target(unsigned char *header, const char *target)
{
	memcpy(header + TARGET, target, strnlen(target, 100));
	set_sum(header, false);
}

/* Adds an extended header of that type with just this content. */
static void add_extended(char type, const void *content, size_t size)
{
	add_header("extended", type, (int64_t)size);
	add_bytes(content, size);
}

/* Adds one with the record key=value. */
static void add_record(char type, const char *key, const char *value)
{
	static char record[ROOM / 2];
	size_t rest = strlen(key) + strlen(value) + 3; /* " =\n" */
	size_t len = rest + 1;

	while (len != rest + (size_t)snprintf(NULL, 0, "%zu", len))
		len++;
	snprintf(record, sizeof(record), "%zu %s=%s\n", len, key, value);
	add_extended(type, record, len);
}

static void add_file(const char *name, const char *content)
{
	add_header(name, '0', (int64_t)strlen(content));
	add_bytes(content, strlen(content));
}

static void members(void)
{
	new_archive();
	add_file("one", "content");
	add_header("dir/", '5', 0);
	add_target(add_header("dir/to", '2', 0), "../one");
	add_target(add_header("same", '1', 0), "one");
	add_file("dir/empty", "");
	add_end();
	check_read("file one 644 1.000000000 7\ncontent.\n"
		   "directory dir 644 1.000000000 0\n.\n"
		   "symlink dir/to 644 1.000000000 0 -> ../one\n.\n"
		   "hard link same 644 1.000000000 0 -> one\n.\n"
		   "file dir/empty 644 1.000000000 0\n.\n");
}

static void contents(void)
{
	static char wanted[8192];
	static char content[4096];

	memset(content, 'c', sizeof(content) - 1);
	for (size_t size = 510; size < 4096; size += size < 514 ? 1 : 509) {
		content[size] = '\0';
		new_archive();
		add_file("a", content);
		add_file("b", "after");
		add_end();
		snprintf(wanted, sizeof(wanted),
		    "file a 644 1.000000000 %zu\n%s.\nfile b 644 1.000000000 5\nafter.\n", size,
		    content);
		check_read(wanted);
		content[size] = 'c';
	}
}

static void empty_archives(void)
{
	new_archive();
	add_end();
	check_read("");
	add_end();
	archive_size -= 7;
	check_read("");
}

static void dialects(void)
{
	unsigned char *header;

	new_archive();
	header = add_header("gnu", '0', 0);
	memcpy(header + MAGIC, "ustar  \0", 8);
	memcpy(header + PREFIX, "00000000001", 11); /* the time of the last access */
	set_sum(header, false);
	header = add_header("v7", '\0', 0);
	memset(header + MAGIC, 0, 8);
	memcpy(header + MODE, "100755 ", 7);
	set_sum(header, false);
	header = add_header("v7dir/", '\0', 0);
	memset(header + MAGIC, 0, 8);
	set_sum(header, false);
	header = add_header("old\377\376", '7', 0);
	memcpy(header + MAGIC, "ustar\0  ", 8);
	set_sum(header, true);
	header = add_header("a label", 'V', 0);
	memset(header + MODE, 0, 8);
	set_sum(header, false);
	add_end();
	check_read("file gnu 644 1.000000000 0\n.\n"
		   "file v7 755 1.000000000 0\n.\n"
		   "directory v7dir 644 1.000000000 0\n.\n"
		   "file old\377\376 644 1.000000000 0\n.\n");
}

static void no_archives(void)
{
	unsigned char *header;

	new_archive();
	check_refused("not a tar archive");
	add_bytes("\211PNG and more", 12);
	check_refused("not a tar archive");
	archive_size = 300;
	check_refused("not a tar archive");
	for (size_t i = 0; i < PAX_BLOCK; i += 17) {
		new_archive();
		header = add_header("name", '0', 0);
		header[i] ^= 1;
		add_end();
		check_row("byte %zu", i);
		check_refused("not a tar archive");
	}
	new_archive();
	header = add_header("name", '0', 0);
	memcpy(header + MAGIC, "ustar 00", 8);
	set_sum(header, false);
	check_refused("not a tar archive");
	new_archive();
	add_file("before", "");
	header = add_header("name", '0', 0);
	header[SUM] = '7';
	check_refused("the archive is damaged behind before: a header that is none");
}

static void paths(void)
{
	char name[101];
	char prefix[156];
	char wanted[512];
	unsigned char *header;

	memset(name, 'n', 100);
	memset(prefix, 'p', 155);
	name[100] = prefix[155] = '\0';
	new_archive();
	header = add_header(name, '0', 0);
	memcpy(header + PREFIX, prefix, 155);
	set_sum(header, false);
	header = add_header("name", '0', 0);
	memcpy(header + PREFIX, "pre\0behind", 10);
	memcpy(header + NAME, "name\0behind", 11);
	set_sum(header, false);
	add_file("./a/./b", "");
	add_header("many///", '5', 0);
	add_header("/", '5', 0);
	add_header("file/", '0', 0);
	add_header("\n\033\377", '0', 0);
	add_end();
	snprintf(wanted, sizeof(wanted),
	    "file %s/%s 644 1.000000000 0\n.\nfile pre/name 644 1.000000000 0\n.\n"
	    "file ./a/./b 644 1.000000000 0\n.\ndirectory many 644 1.000000000 0\n.\n"
	    "directory / 644 1.000000000 0\n.\ndirectory file 644 1.000000000 0\n.\n"
	    "file \n\033\377 644 1.000000000 0\n.\n",
	    prefix, name);
	check_read(wanted);
	new_archive();
	header = add_header("name", '0', 0);
	memcpy(header + PREFIX, "a/", 2);
	set_sum(header, false);
	check_refused(
	    "the archive is damaged at its beginning: a path of two parts with a slash too much between them");
	new_archive();
	add_file("a", "");
	add_file("", "");
	check_refused("the archive is damaged behind a: a member without a path");
}

static void long_names(void)
{
	new_archive();
	add_extended('L', "long/", 6);
	add_header("short", '5', 0);
	add_extended('K', "target", 6);
	add_extended('L', "link\0\0\0", 7);
	add_target(add_header("short", '2', 0), "short target");
	add_file("next", "");
	add_record('x', "path", "p\377ath");
	add_header("short", '0', 0);
	add_record('x', "linkpath", "to=\nit");
	add_header("short", '1', 0);
	add_extended('L', "both", 4);
	add_record('x', "linkpath", "targets");
	add_header("short", '2', 0);
	add_end();
	check_read("directory long 644 1.000000000 0\n.\n"
		   "symlink link 644 1.000000000 0 -> target\n.\n"
		   "file next 644 1.000000000 0\n.\n"
		   "file p\377ath 644 1.000000000 0\n.\n"
		   "hard link short 644 1.000000000 0 -> to=\nit\n.\n"
		   "symlink both 644 1.000000000 0 -> targets\n.\n");
}

/* One of each, so that readers who prefer another one do not see another path. */
static void two_names(void)
{
	static const struct {
		char first;
		char second;
		const char *text;
	} table[] = {
	    {'L', 'L', "the archive is damaged at its beginning: two extended headers of one type"},
	    {'K', 'K', "the archive is damaged at its beginning: two extended headers of one type"},
	    {'x', 'x', "the archive is damaged at its beginning: two extended headers of one type"},
	    {'x', 'g',
		"the archive is damaged at its beginning: an extended header without a member"},
	    {'L', 'g',
		"the archive is damaged at its beginning: an extended header without a member"},
	    {'K', 'g',
		"the archive is damaged at its beginning: an extended header without a member"},
	    {'L', 'V', "16 path=content\n: a label with more than a name, which is not taken"},
	};

	for (size_t i = 0; i < ROWS(table); i++) {
		check_row("%c %c", table[i].first, table[i].second);
		new_archive();
		add_extended(table[i].first, "16 path=content\n", 16);
		add_header("second", table[i].second, 0);
		add_file("a", "");
		check_refused(table[i].text);
	}
	new_archive();
	add_extended('L', "one", 4);
	add_record('x', "path", "two");
	add_file("a", "");
	check_refused("the archive is damaged at its beginning: a member with two long paths");
	new_archive();
	add_record('x', "linkpath", "two");
	add_extended('K', "one", 4);
	add_header("a", '1', 0);
	check_refused("a: the archive is damaged: it has two long targets");
}

static void long_names_damaged(void)
{
	new_archive();
	add_extended('L', "a\0b", 3);
	check_refused("the archive is damaged at its beginning: a path with a NUL in it");
	new_archive();
	add_extended('K', "\0", 2);
	check_refused("the archive is damaged at its beginning: a path without a byte");
	new_archive();
	add_extended('L', "", 0);
	check_refused("the archive is damaged at its beginning: a path without a byte");
}

static void links(void)
{
	new_archive();
	add_header("link", '2', 0);
	check_refused("link: the archive is damaged: it is a link without a target");
	new_archive();
	add_header("link", '1', 0);
	check_refused("link: the archive is damaged: it is a link without a target");
	new_archive();
	add_extended('K', "target", 7);
	add_file("file", "");
	check_refused("file: the archive is damaged: it has a target but is no link");
	new_archive();
	add_header("limited", '5', 5);
	add_end();
	check_read("directory limited 644 1.000000000 0\n.\n");
	for (const char *type = "125"; *type != '\0'; type++) {
		check_row("%c", *type);
		new_archive();
		add_target(add_header("a", *type, 1), "b");
		if (*type != '5')
			check_refused("a: with content but no file, which is not taken");
		new_archive();
		add_record('x', "size", "1");
		add_target(add_header("a", *type, 0), "b");
		check_refused("a: with content but no file, which is not taken");
	}
	new_archive();
	add_header("a/", '0', 1);
	check_refused("a: with content but no file, which is not taken");
}

static void kinds(void)
{
	static const struct {
		char type;
		const char *text;
	} table[] = {
	    {'3', "photos/x: a device, which is not taken"},
	    {'4', "photos/x: a device, which is not taken"},
	    {'6', "photos/x: a FIFO, which is not taken"},
	    {'D', "photos/x: a directory of an incremental backup, which is not taken"},
	    {'M', "photos/x: a file of several volumes, which is not taken"},
	    {'N', "photos/x: a list of other names, which is not taken"},
	    {'S', "photos/x: a sparse file, which is not taken"},
	    {'A', "photos/x: of type A, which is not known"},
	    {'X', "photos/x: of type X, which is not known"},
	    {'8', "photos/x: of type 8, which is not known"},
	    {'\377', "photos/x: of type \377, which is not known"},
	};
	static const struct {
		const char *key;
		const char *text;
	} keys[] = {
	    {"GNU.sparse.major", "a sparse file"},
	    {"GNU.sparse.map", "a sparse file"},
	    {"SCHILY.realsize", "a sparse file"},
	    {"SUN.holesdata", "a sparse file"},
	    {"GNU.volume.filename", "a file of several volumes"},
	    {"GNU.volume.offset", "a file of several volumes"},
	    {"GNU.dumpdir", "a directory of an incremental backup"},
	};
	char text[256];
	unsigned char *header;

	for (size_t i = 0; i < ROWS(table); i++) {
		check_row("type %c", table[i].type);
		new_archive();
		add_header("photos/x", table[i].type, 0);
		check_refused(table[i].text);
	}
	for (size_t i = 0; i < ROWS(keys); i++) {
		check_row("%s", keys[i].key);
		new_archive();
		add_record('x', keys[i].key, "1");
		add_file("photos/x", "");
		snprintf(text, sizeof(text), "photos/x: %s, which is not taken", keys[i].text);
		check_refused(text);
		new_archive();
		add_record('g', keys[i].key, "1");
		snprintf(text, sizeof(text), "the archive is damaged at its beginning: %s",
		    keys[i].text);
		check_refused(text);
	}
	for (size_t at = SPARSE; at < 495; at += 12) {
		check_row("a map at %zu", at);
		new_archive();
		header = add_header("photos/x", '0', 0);
		memcpy(header + MAGIC, "ustar  \0", 8);
		header[at] = '1';
		set_sum(header, false);
		check_refused("photos/x: a sparse file, which is not taken");
	}
}

/* Sets a field of a member's header; the archive is nothing but this member. */
static void set_field(size_t field, const char *bytes, size_t size)
{
	unsigned char *header;

	new_archive();
	header = add_header("a", '0', 0);
	memcpy(header + field, bytes, size);
	set_sum(header, false);
	add_end();
}

static void octal_numbers(void)
{
	static const char *const good[] = {"000000000010", "00000000010\0", "00000000010 ",
	    "        10 \0", "       10   ", "10\0\0\0\0\0\0\0\0\0\0", "         10\0",
	    " 10         "};
	static const char *const bad[] = {"00000000018\0", "0x000000000\0", "-0000000010\0",
	    "+0000000010\0", "10\0000000000\0", "\t0000000010\0", "            ", " \0          ",
	    "\000100000000\0", "1 1         ", "10\n         "};

	for (size_t i = 0; i < ROWS(good); i++) {
		check_row("good %zu: %.12s", i, good[i]);
		set_field(MTIME, good[i], 12);
		check_read("file a 644 8.000000000 0\n.\n");
	}
	set_field(MTIME, "\0\0\0\0\0\0\0\0\0\0\0", 12);
	check_read("file a 644 0.000000000 0\n.\n");
	set_field(MTIME, "777777777777", 12);
	check_read("file a 644 68719476735.000000000 0\n.\n");
	set_field(MODE, "7777777", 8);
	check_read("file a 777 1.000000000 0\n.\n");
	for (size_t i = 0; i < ROWS(bad); i++) {
		check_row("bad %zu: %.12s", i, bad[i]);
		set_field(MTIME, bad[i], 12);
		check_refused("a: the archive is damaged: its time is no number");
		set_field(SIZE, bad[i], 12);
		check_refused("a: the archive is damaged: its size is no number");
	}
	set_field(MODE, "0000 44", 8);
	check_refused("a: the archive is damaged: its mode is no number");
}

static void binary_numbers(void)
{
	static const struct {
		const char *bytes;
		const char *seconds; /* or NULL */
	} table[] = {
	    {"\x80\0\0\0\0\0\0\0\x01\0\0\0", "16777216"},
	    {"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", "9223372036854775807"},
	    {"\x80\0\0\0\x80\0\0\0\0\0\0\0", NULL},
	    {"\x80\0\0\1\0\0\0\0\0\0\0\0", NULL},
	    {"\x80\1\0\0\0\0\0\0\0\0\0\0", NULL},
	    {"\x81\0\0\0\0\0\0\0\0\0\0\0", NULL},
	    {"\xc0\0\0\0\0\0\0\0\0\0\0\0", NULL},
	    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "-1"},
	    {"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", "-9223372036854775808"},
	    {"\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff", NULL},
	    {"\xff\xff\xff\0\x80\0\0\0\0\0\0\0", NULL},
	    {"\xff\0\xff\xff\x80\0\0\0\0\0\0\0", NULL},
	};
	char wanted[128];

	for (size_t i = 0; i < ROWS(table); i++) {
		check_row("row %zu", i);
		set_field(MTIME, table[i].bytes, 12);
		if (table[i].seconds == NULL) {
			check_refused("a: the archive is damaged: its time is no number");
			continue;
		}
		snprintf(wanted, sizeof(wanted), "file a 644 %s.000000000 0\n.\n",
		    table[i].seconds);
		check_read(wanted);
	}
	set_field(SIZE, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	check_refused("a: the archive is damaged: its size is no number");
	set_field(MODE, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	check_refused("a: the archive is damaged: its mode is no number");
	set_field(SIZE, "\x80\0\0\0\0\0\0\0\0\0\0\0", 12);
	check_read("file a 644 1.000000000 0\n.\n");
}

static void far_sizes(void)
{
	static const char *const sizes[] = {"9223372036854775807", "9223372036854775297",
	    "8589934592"};
	char wanted[128];
	struct err err;

	for (size_t i = 0; i < ROWS(sizes); i++) {
		new_archive();
		add_record('x', "size", sizes[i]);
		add_header("a", '0', 0);
		snprintf(wanted, sizeof(wanted), "file a 644 1.000000000 %s\nc", sizes[i]);
		add_bytes("c", 1);
		CHECK_INT(read_archive(archive_size - 511, 1, &err), -1);
		CHECK_STR(err.text, "the archive ends in the middle of a");
		CHECK_STR(heard.text, wanted);
	}
	new_archive();
	add_record('x', "size", "9223372036854775808");
	check_refused("the archive is damaged at its beginning: a size that is no number");
}

static void times(void)
{
	static const struct {
		const char *value;
		const char *time; /* or NULL */
	} table[] = {
	    {"0", "0.000000000"},
	    {"1.5", "1.500000000"},
	    {"1.000000001", "1.000000001"},
	    {"1.0000000019", "1.000000001"},
	    {"-1", "-1.000000000"},
	    {"-1.5", "-2.500000000"},
	    {"-0.25", "-1.750000000"},
	    {"-0.0", "0.000000000"},
	    {"-1.0000000001", "-2.999999999"},
	    {"-1.9999999999", "-2.000000000"},
	    {"4294967296.999999999", "4294967296.999999999"},
	    {"9223372036854775807.999999999", "9223372036854775807.999999999"},
	    {"-9223372036854775807.5", "-9223372036854775808.500000000"},
	    {"9223372036854775808", NULL},
	    {"1.", NULL},
	    {".5", NULL},
	    {"-", NULL},
	    {"", NULL},
	    {"+1", NULL},
	    {"--1", NULL},
	    {"1e3", NULL},
	    {"1.5 ", NULL},
	    {" 1", NULL},
	    {"1,5", NULL},
	    {"1.5.5", NULL},
	    {"1.-5", NULL},
	};
	char wanted[128];

	for (size_t i = 0; i < ROWS(table); i++) {
		check_row("mtime=%s", table[i].value);
		new_archive();
		add_record('x', "mtime", table[i].value);
		if (table[i].time == NULL) {
			check_refused(
			    "the archive is damaged at its beginning: a time that is no number");
			continue;
		}
		add_file("a", "");
		add_end();
		snprintf(wanted, sizeof(wanted), "file a 644 %s 0\n.\n", table[i].time);
		check_read(wanted);
	}
}

static void records(void)
{
	static const struct {
		const char *content;
		size_t size;
		const char *wanted; /* or NULL */
	} table[] = {
	    {"", 0, "file a 644 1.000000000 1"},
	    {"9 path=b\n", 9, "file b 644 1.000000000 1"},
	    {"09 pat=c\n", 9, "file a 644 1.000000000 1"},
	    {"10 path=b\n", 10, "file b 644 1.000000000 1"},
	    {"9 path=b\n9 path=c\n", 18, "file c 644 1.000000000 1"},
	    {"12 path=b=\nc\n", 13, NULL},
	    {"13 path=b=\nc\n", 13, "file b=\nc 644 1.000000000 1"},
	    {"11 mtime=5\n10 path=b\n", 21, "file b 644 5.000000000 1"},
	    {"10 size=01\n", 11, NULL},
	    {"11 size=001\n", 12, NULL},
	    {"9 size=1\n", 9, "file a 644 1.000000000 1"},
	    {"10 pathx=b\n", 11, NULL},
	    {"11 pathx=b\n", 11, "file a 644 1.000000000 1"},
	    {"9 pat=bb\n", 9, "file a 644 1.000000000 1"},
	    {"7 a=\0\0\n", 8, NULL},
	    {"8 a=\0\0\0\n", 8, "file a 644 1.000000000 1"},
	    {"4 =\n", 4, NULL},
	    {"5 =a\n", 5, NULL},
	    {"5 a=\n", 5, "file a 644 1.000000000 1"},
	    {"5 \0=\n", 5, NULL},
	    {"9 path:b\n", 9, NULL},
	    {"9 path=b ", 9, NULL},
	    {"8 path=b\n", 9, NULL},
	    {"10 path=b\n", 9, NULL},
	    {"9 path=b\n\0", 10, NULL},
	    {"9 path=b\n\n", 10, NULL},
	    {"9\tpath=b\n", 9, NULL},
	    {" 9 path=b\n", 10, NULL},
	    {"-9 path=b\n", 10, NULL},
	    {"0 path=b\n", 9, NULL},
	    {"1 path=b\n", 9, NULL},
	    {"2 path=b\n", 9, NULL},
	    {"99999999999999999999 path=b\n", 28, NULL},
	    {"9223372036854775807 path=b\n", 27, NULL},
	    {"9", 1, NULL},
	    {"1\n", 2, NULL},
	    {"3 \n", 3, NULL},
	    {"path=b\n", 7, NULL},
	};
	char wanted[128];

	for (size_t i = 0; i < ROWS(table); i++) {
		check_row("row %zu: %s", i, table[i].content);
		new_archive();
		add_extended('x', table[i].content, table[i].size);
		add_file("a", "1");
		add_end();
		if (table[i].wanted == NULL) {
			check_refused(
			    "the archive is damaged at its beginning: a record that is none");
			continue;
		}
		snprintf(wanted, sizeof(wanted), "%s\n1.\n", table[i].wanted);
		check_read(wanted);
	}
}

static void records_without_values(void)
{
	static const char *const pathless[] = {"9 path=b\n8 path=\n", "8 path=\n",
	    "13 linkpath=\n"};
	static const char *const sizes[] = {"", "-1", "1x", "1.0", " 1"};

	for (size_t i = 0; i < ROWS(pathless); i++) {
		check_row("row %zu without a path", i);
		new_archive();
		add_extended('x', pathless[i], strlen(pathless[i]));
		check_refused("the archive is damaged at its beginning: a path without a byte");
	}
	check_row("the end of a record behind the header");
	new_archive();
	add_extended('x', "11 path=bb", 10);
	archive[PAX_BLOCK + 10] = '\n';
	check_refused("the archive is damaged at its beginning: a record that is none");
	check_row("a path with a NUL");
	new_archive();
	add_extended('x', "11 path=\0b\n", 11);
	check_refused("the archive is damaged at its beginning: a path with a NUL in it");
	for (size_t i = 0; i < ROWS(sizes); i++) {
		check_row("size=%s", sizes[i]);
		new_archive();
		add_record('x', "size", sizes[i]);
		check_refused("the archive is damaged at its beginning: a size that is no number");
	}
}

static void records_hold_once(void)
{
	new_archive();
	add_extended('x', "11 path=bb\n9 size=2\n12 mtime=-5\n", 32);
	add_header("a", '0', 5);
	add_bytes("cc", 2);
	add_file("a", "ddd");
	add_end();
	check_read("file bb 644 -5.000000000 2\ncc.\nfile a 644 1.000000000 3\nddd.\n");
}

static void global_records(void)
{
	static const char *const keys[] = {"path", "linkpath", "size", "mtime"};

	new_archive();
	add_record('g', "comment", "0123456789abcdef0123456789abcdef01234567");
	add_file("a", "");
	add_record('g', "hdrcharset", "BINARY");
	add_record('g', "GNU.volume.label", "a label");
	add_file("b", "");
	add_end();
	check_read("file a 644 1.000000000 0\n.\nfile b 644 1.000000000 0\n.\n");
	for (size_t i = 0; i < ROWS(keys); i++) {
		check_row("%s", keys[i]);
		new_archive();
		add_file("a", "");
		add_record('g', keys[i], "5");
		check_refused(
		    "the archive is damaged behind a: one path, size or time for all members");
	}
	new_archive();
	add_extended('g', "nonsense", 8);
	check_refused("the archive is damaged at its beginning: a record that is none");
}

static void ends(void)
{
	new_archive();
	add_file("a", "");
	add_end();
	add_bytes("\0", 1);
	check_read("file a 644 1.000000000 0\n.\n");
	archive_size += 3;
	memset(archive + archive_size - 3, 0, 3);
	check_read("file a 644 1.000000000 0\n.\n");
	archive[archive_size - 1] = 1;
	check_refused("the archive is damaged behind a: the mark of its end is not the end");
	new_archive();
	add_file("a", "");
	add_end();
	add_file("b", "");
	check_refused("the archive is damaged behind a: the mark of its end is not the end");
	new_archive();
	add_file("a", "");
	add_bytes("\0", 1);
	add_file("b", "");
	add_end();
	check_refused("the archive is damaged behind a: half a mark of the end");
	for (const char *type = "xLK"; *type != '\0'; type++) {
		check_row("%c", *type);
		new_archive();
		add_extended(*type, "10 path=b\n", 10);
		add_end();
		check_refused(
		    "the archive is damaged at its beginning: an extended header without a member");
	}
}

/* What is said of an archive of one member that ends behind so many bytes; NULL is its whole. */
static const char *text_of_cut(size_t size)
{
	static const struct {
		size_t from;
		const char *text;
	} table[] = {
	    {0, "not a tar archive"},
	    {PAX_BLOCK, "the archive ends in a header"}, /* x and its record, and a header */
	    {3 * PAX_BLOCK, "the archive ends in the middle of long"},
	    {4 * PAX_BLOCK, "the archive has no end mark: 1 member came"},
	    {4 * PAX_BLOCK + 1, "the archive ends in a header"},
	    {5 * PAX_BLOCK, "the archive has no end mark: 1 member came"},
	    {5 * PAX_BLOCK + 1, "the archive ends in a header"},
	    {6 * PAX_BLOCK, NULL},
	    {SIZE_MAX, NULL},
	};
	size_t i = 0;

	while (size >= table[i + 1].from)
		i++;
	return table[i].text;
}

static void cuts(void)
{
	new_archive();
	add_record('x', "path", "long");
	add_file("a", "content");
	add_end();
	size_t whole = archive_size;
	for (size_t size = 0; size <= whole; size++) {
		struct err err = {.kind = ERR_NONE};
		const char *text = text_of_cut(size);
		check_row("%zu bytes", size);
		CHECK_INT(read_archive(size, 100, &err), text == NULL ? 0 : -1);
		CHECK_STR(err.text, text == NULL ? "" : text);
	}
	new_archive();
	for (int i = 0; i < 3; i++)
		add_file("a", "");
	check_refused("the archive has no end mark: 3 members came");
	new_archive();
	add_bytes("\0", 1);
	check_refused("the archive has no end mark: 0 members came");
	new_archive();
	add_extended('g', "10 path=\n", 0);
	check_refused("the archive has no end mark: 0 members came");
}

/* A path of that many bytes, which lasts to the next call. */
static const char *path_of(size_t size)
{
	static char path[PAX_PATH_MAX + 10];

	memset(path, 'p', size);
	path[size] = '\0';
	return path;
}

static void long_paths(void)
{
	static char wanted[3 * PAX_PATH_MAX];
	struct err err;

	for (int i = 0; i < 2; i++) {
		new_archive();
		if (i == 0)
			add_record('x', "path", path_of(PAX_PATH_MAX));
		else
			add_extended('L', path_of(PAX_PATH_MAX), PAX_PATH_MAX);
		add_file("a", "");
		add_record('x', "linkpath", path_of(PAX_PATH_MAX));
		add_header("a", '2', 0);
		add_end();
		snprintf(wanted, sizeof(wanted),
		    "file %s 644 1.000000000 0\n.\nsymlink a 644 1.000000000 0 -> %s\n.\n",
		    path_of(PAX_PATH_MAX), path_of(PAX_PATH_MAX));
		check_read(wanted);
		new_archive();
		if (i == 0)
			add_record('x', "path", path_of(PAX_PATH_MAX + 1));
		else
			add_extended('L', path_of(PAX_PATH_MAX + 1), PAX_PATH_MAX + 1);
		add_file("a", "");
		CHECK_INT(read_archive(archive_size, 512, &err), -1);
		CHECK_HAS(err.text, "ppppp: a path of more than 65536 bytes");
	}
	new_archive();
	add_record('x', "linkpath", path_of(PAX_PATH_MAX + 1));
	add_header("a", '2', 0);
	check_refused("a: a target of more than 65536 bytes");
}

static void large_extended(void)
{
	static char content[PAX_EXTENDED_MAX];

	memset(content, 'c', sizeof(content));
	memcpy(content, "1048576 a=", 10);
	content[PAX_EXTENDED_MAX - 1] = '\n';
	new_archive();
	for (int i = 0; i < 2; i++)
		add_extended('g', content, PAX_EXTENDED_MAX);
	add_extended('x', content, PAX_EXTENDED_MAX);
	add_file("a", "");
	add_extended('x', content, PAX_EXTENDED_MAX);
	add_file("b", "");
	add_end();
	check_read("file a 644 1.000000000 0\n.\nfile b 644 1.000000000 0\n.\n");
	new_archive();
	add_extended('L', "long", 5);
	add_extended('x', content, PAX_EXTENDED_MAX - 4);
	check_refused(
	    "the archive is damaged at its beginning: extended headers of more than 1048576 bytes");
	new_archive();
	add_header("x", 'g', PAX_EXTENDED_MAX + 1);
	check_refused(
	    "the archive is damaged at its beginning: extended headers of more than 1048576 bytes");
}

static void listener_fails(void)
{
	static const char *const calls[] = {"member", "content", "ended"};
	char text[32];

	new_archive();
	add_file("a", "content");
	add_end();
	for (size_t i = 0; i < ROWS(calls); i++) {
		struct err err = {.kind = ERR_NONE};
		check_row("%s", calls[i]);
		heard.fails_in = calls[i];
		CHECK_INT(read_archive(archive_size, 100, &err), -1);
		CHECK_INT(err.kind, ERR_TIMEOUT);
		snprintf(text, sizeof(text), "in %s", calls[i]);
		CHECK_STR(err.text, text);
	}
}

int main(void)
{
	promise("files, directories and links come in order, with what the archive says of them",
	    members);
	promise("contents of all sizes come whole, and without what fills up their blocks",
	    contents);
	promise("an archive without a member is one", empty_archives);
	promise("headers of GNU tar and Unix V7 are taken, and sums of bytes with a sign",
	    dialects);
	promise("what is no archive, or has a byte that is wrong in a header, is refused",
	    no_archives);
	promise("a path is that of prefix and name, without the slashes at its end", paths);
	promise("long paths and targets are those of the member behind them only", long_names);
	promise("of two paths, targets or extended headers none is chosen", two_names);
	promise("a long path with NULs in it, or none, is refused", long_names_damaged);
	promise("a link needs a target, only links have one, and only files have content", links);
	promise("devices, FIFOs, sparse files, volumes and what is unknown are refused by name",
	    kinds);
	promise("octal numbers end in spaces and NULs, and are nothing else", octal_numbers);
	promise("numbers in base 256 are those that have room, below 0 for times only",
	    binary_numbers);
	promise("a size may be the largest that there is, and no larger", far_sizes);
	promise("times are before 1970, after 2106 and in fractions, and not near a number", times);
	promise("records are as long as they say, and the last one of a key counts", records);
	promise("a path, a target or a size without its value is refused", records_without_values);
	promise("records are those of the member behind them only", records_hold_once);
	promise("records for all members are passed over if they do not change them",
	    global_records);
	promise("an archive ends with two blocks of NULs, and NULs behind them", ends);
	promise("an archive that is cut anywhere is no whole one, and it is said where", cuts);
	promise("paths and targets are 65,536 bytes long, and no longer", long_paths);
	promise("the extended headers of a member have 1 MiB together, and no more",
	    large_extended);
	promise("what the listener fails with is the end", listener_fails);
	return check_end();
}
