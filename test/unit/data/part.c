/* Parts: what a transfer leaves that broke off, and how another goes on with it. */
#include "data/part.h"

#include <dirent.h>
#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/deadline.h"
#include "check.h"
#include "data/open.h"
#include "no_tmpfile.h"
#include "sys/signals.h"

#define MIB ((size_t)1024 * 1024)
#define SIZE (3 * MIB)

static char content[SIZE];

static void fill(void)
{
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (char)(i * 7 + i / 256 + i / MIB);
}

static void make_file(const char *path, const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(fd != -1);
	CHECK(write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

/* The file has the first size bytes, and that mode. */
static void check_file(const char *path, size_t size, mode_t mode)
{
	static char found[SIZE + 1];
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (!CHECK(fd != -1))
		return;
	CHECK_INT(read(fd, found, sizeof(found)), (intmax_t)size);
	CHECK(memcmp(found, content, size) == 0);
	CHECK_INT(fstat(fd, &st), 0);
	CHECK_INT(st.st_mode & 07777, mode);
	close(fd);
}

static int is_visible(const struct dirent *entry)
{
	/* One that has a temporary name is there only as long as it is written. */
	return entry->d_name[0] != '.';
}

/* The names in the directory, sorted. */
static void check_names(const char *wanted)
{
	struct dirent **entries;
	char names[300] = "";
	int count = scandir(".", &entries, is_visible, alphasort);

	for (int i = 0; i < count; i++) {
		strlcat(names, i > 0 ? " " : "", sizeof(names));
		strlcat(names, entries[i]->d_name, sizeof(names));
		free(entries[i]);
	}
	free(entries);
	CHECK_STR(names, wanted);
}

/* Nothing has been left under a temporary name. */
static void check_clean(const char *wanted)
{
	struct dirent **entries;
	int count = scandir(".", &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		CHECK(strncmp(entries[i]->d_name, ".sockxfer", 9) != 0);
		free(entries[i]);
	}
	free(entries);
	check_names(wanted);
}

static struct sink *try_open(const char *path, bool no_clobber, struct err *err)
{
	const struct sink_options options = {
	    .path = path,
	    .resumes = true,
	    .no_clobber = no_clobber,
	    .allows_inbox = true,
	};

	*err = (struct err){.kind = ERR_NONE};
	return open_sink(&options, DEADLINE_NOW, err);
}

static struct sink *open_out(void)
{
	struct err err;
	struct sink *sink = try_open("out", false, &err);

	if (sink == NULL)
		CHECK_STR(err.text, "");
	CHECK(sink != NULL);
	return sink;
}

static void begin(struct sink *sink)
{
	struct err err;

	CHECK_INT(sink_begin(sink, &ends_unknown, &err), 0);
}

/* Writes the bytes of the content from one offset to another. */
static void write_content(struct sink *sink, size_t from, size_t to)
{
	struct err err;

	while (from < to) {
		size_t size = to - from < 65536 ? to - from : 65536;
		CHECK_INT(sink_write(sink, content + from, size, DEADLINE_NEVER, &err), 0);
		from += size;
	}
}

static int commit(struct sink *sink, struct err *err)
{
	*err = (struct err){.kind = ERR_NONE};
	return sink_commit(sink, DEADLINE_NEVER, err);
}

static void commit_and_close(struct sink *sink)
{
	struct err err;

	if (!CHECK_INT(commit(sink, &err), 0))
		CHECK_STR(err.text, "");
	sink_close(sink);
}

/* Reads all of the part, which has the beginning of the content. */
static void read_part(struct sink *sink)
{
	static char bytes[100000];
	struct err err;
	size_t got = 0;

	while (got < (size_t)sink->part) {
		ssize_t n = sink_read_part(sink, bytes, sizeof(bytes), &err);
		if (!CHECK(n > 0))
			return;
		CHECK(memcmp(bytes, content + got, (size_t)n) == 0);
		got += (size_t)n;
	}
	CHECK(got == (size_t)sink->part);
}

/* Goes on with the part of so many bytes, to the end. */
static void go_on(struct sink *sink, size_t from, size_t to)
{
	struct err err;

	CHECK_INT(sink->part, (intmax_t)from);
	read_part(sink);
	CHECK_INT(sink_resume(sink, &err), 0);
	begin(sink);
	write_content(sink, from, to);
}

static void appears(void)
{
	struct sink *sink = open_out();
	int other;

	CHECK_INT(sink->part, 0);
	begin(sink);
	write_content(sink, 0, MIB - 1);
	check_names("");
	write_content(sink, MIB - 1, MIB);
	check_file("out.part", MIB, 0600);
	other = open("out.part", O_RDONLY);
	CHECK_INT(flock(other, LOCK_EX | LOCK_NB), -1);
	write_content(sink, MIB, MIB + 5);
	sink_close(sink);
	CHECK_INT(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
	check_file("out.part", MIB + 5, 0600);
	check_clean("out.part");
}

static void too_little(void)
{
	struct sink *sink = open_out();

	begin(sink);
	write_content(sink, 0, MIB - 1);
	sink_close(sink);
	check_clean("");
}

static void becomes_the_file(void)
{
	umask(027);
	struct sink *sink = open_out();
	begin(sink);
	write_content(sink, 0, SIZE);
	check_names("out.part");
	commit_and_close(sink);
	check_clean("out");
	check_file("out", SIZE, 0640);
}

static void goes_on(void)
{
	umask(022);
	make_file("out.part", content, MIB / 2);
	struct sink *sink = open_out();
	check_file("out.part", MIB / 2, 0600);
	go_on(sink, MIB / 2, SIZE);
	check_file("out.part", SIZE, 0600);
	commit_and_close(sink);
	check_clean("out");
	check_file("out", SIZE, 0644);
}

static void goes_on_twice(void)
{
	make_file("out.part", content, 3);
	struct sink *sink = open_out();
	go_on(sink, 3, MIB / 2);
	sink_close(sink);
	check_clean("out.part");
	sink = open_out();
	go_on(sink, MIB / 2, MIB + 1);
	sink_close(sink);
	sink = open_out();
	go_on(sink, MIB + 1, SIZE);
	commit_and_close(sink);
	check_clean("out");
	check_file("out", SIZE, 0644);
}

static void is_complete(void)
{
	make_file("out.part", content, SIZE);
	struct sink *sink = open_out();
	go_on(sink, SIZE, SIZE);
	commit_and_close(sink);
	check_clean("out");
	check_file("out", SIZE, 0644);
}

/* There is nothing to lose in it, so it is written at once. */
static void empty(void)
{
	make_file("out.part", "", 0);
	struct sink *sink = open_out();
	CHECK_INT(sink->part, 0);
	begin(sink);
	write_content(sink, 0, 5);
	check_file("out.part", 5, 0600);
	sink_close(sink);
	sink = open_out();
	go_on(sink, 5, SIZE);
	commit_and_close(sink);
	check_clean("out");
	check_file("out", SIZE, 0644);
}

/* The old file is as it was until the commit, and its mode is that of the new one. */
static void replaces(void)
{
	make_file("out", "old", 3);
	CHECK_INT(chmod("out", 0604), 0);
	make_file("out.part", content, MIB);
	struct sink *sink = open_out();
	go_on(sink, MIB, 2 * MIB);
	sink_close(sink);
	check_clean("out out.part");
	sink = open_out();
	go_on(sink, 2 * MIB, SIZE);
	struct stat st;
	CHECK_INT(stat("out", &st), 0);
	CHECK_INT(st.st_size, 3);
	commit_and_close(sink);
	check_clean("out");
	check_file("out", SIZE, 0604);
}

static void appears_beside_old(void)
{
	make_file("out", "old", 3);
	CHECK_INT(chmod("out", 0604), 0);
	struct sink *sink = open_out();
	begin(sink);
	write_content(sink, 0, SIZE);
	check_file("out.part", SIZE, 0600);
	commit_and_close(sink);
	check_clean("out");
	check_file("out", SIZE, 0604);
}

static void behind_a_link(void)
{
	CHECK_INT(mkdir("dir", 0755), 0);
	CHECK_INT(symlink("dir/file", "out"), 0);
	make_file("dir/file.part", content, MIB);
	struct sink *sink = open_out();
	go_on(sink, MIB, SIZE);
	check_clean("dir out");
	commit_and_close(sink);
	check_file("dir/file", SIZE, 0644);
	CHECK_INT(access("dir/file.part", F_OK), -1);
}

/* A stream from the beginning, beside a part of other bytes */

static void make_other_part(size_t size)
{
	make_file("out.part", content + MIB, size);
}

static void check_other_part(size_t size)
{
	static char found[SIZE];
	int fd = open("out.part", O_RDONLY);

	CHECK(fd != -1);
	CHECK_INT(read(fd, found, sizeof(found)), (intmax_t)size);
	CHECK(memcmp(found, content + MIB, size) == 0);
	close(fd);
}

static void from_the_beginning(void)
{
	make_other_part(1000);
	struct sink *sink = open_out();
	begin(sink);
	write_content(sink, 0, SIZE);
	check_other_part(1000);
	commit_and_close(sink);
	check_clean("out");
	check_file("out", SIZE, 0644);
}

static void breaks_off_sooner(void)
{
	make_other_part(MIB + 1000);
	struct sink *sink = open_out();
	begin(sink);
	write_content(sink, 0, MIB + 1000);
	sink_close(sink);
	check_clean("out.part");
	check_other_part(MIB + 1000);
}

static void breaks_off_later(void)
{
	make_other_part(1000);
	struct sink *sink = open_out();
	begin(sink);
	write_content(sink, 0, 1001);
	sink_close(sink);
	check_clean("out.part");
	check_file("out.part", 1001, 0600);
}

/* What was read of it, and turned out to be other bytes, is as it was. */
static void differs(void)
{
	char bytes[1000];
	struct err err;

	make_other_part(1000);
	struct sink *sink = open_out();
	CHECK_INT(sink_read_part(sink, bytes, sizeof(bytes), &err), 1000);
	sink_close(sink);
	check_clean("out.part");
	check_other_part(1000);
}

/* Another has put a part there meanwhile: that is not replaced. */
static void replaced_beside(void)
{
	make_other_part(1000);
	struct sink *sink = open_out();
	begin(sink);
	write_content(sink, 0, SIZE);
	CHECK_INT(unlink("out.part"), 0);
	make_other_part(2000);
	sink_close(sink);
	check_clean("out.part");
	check_other_part(2000);
	sink = open_out();
	begin(sink);
	write_content(sink, 0, SIZE);
	CHECK_INT(unlink("out.part"), 0);
	make_other_part(3000);
	commit_and_close(sink);
	check_clean("out out.part");
	check_other_part(3000);
}

/* Several receivers */

static void is_taken(void)
{
	struct err err;

	make_file("out.part", content, 1000);
	struct sink *sink = open_out();
	CHECK(try_open("out", false, &err) == NULL);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_STR(err.text, "out.part: another receiver is writing to it");
	go_on(sink, 1000, SIZE);
	CHECK(try_open("out", false, &err) == NULL);
	commit_and_close(sink);
	sink = open_out();
	CHECK_INT(sink->part, 0);
	sink_close(sink);
}

static void two_at_once(void)
{
	struct sink *one = open_out();
	struct sink *two = open_out();

	begin(one);
	begin(two);
	write_content(one, 0, MIB);
	write_content(two, 0, MIB + 10);
	check_file("out.part", MIB, 0600);
	sink_close(two);
	check_clean("out.part");
	write_content(one, MIB, SIZE);
	commit_and_close(one);
	check_clean("out");
	check_file("out", SIZE, 0644);
}

/* The one that has no part commits, too, and as if there was none. */
static void two_commit(void)
{
	struct sink *one = open_out();
	struct sink *two = open_out();

	begin(one);
	begin(two);
	write_content(one, 0, MIB);
	write_content(two, 0, SIZE);
	commit_and_close(two);
	check_clean("out out.part");
	check_file("out", SIZE, 0644);
	check_file("out.part", MIB, 0600);
	write_content(one, MIB, MIB + 5);
	commit_and_close(one);
	check_clean("out");
	check_file("out", MIB + 5, 0644);
}

/* What is no part */

static void check_refused(const char *text)
{
	struct err err;

	check_row("%s", text);
	struct sink *sink = try_open("out", false, &err);
	if (!CHECK(sink == NULL)) {
		sink_close(sink);
		return;
	}
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_STR(err.text, text);
	CHECK(err.advice != NULL);
}

static void not_ours(void)
{
	struct stat st;

	make_file("file", content, 1000);
	CHECK_INT(symlink("file", "out.part"), 0);
	check_refused("out.part: is not a regular file");
	CHECK_INT(unlink("out.part"), 0);
	CHECK_INT(mkfifo("out.part", 0600), 0);
	check_refused("out.part: is not a regular file");
	CHECK_INT(unlink("out.part"), 0);
	CHECK_INT(mkdir("out.part", 0700), 0);
	check_refused("out.part: is not a regular file");
	CHECK_INT(rmdir("out.part"), 0);
	CHECK_INT(link("file", "out.part"), 0);
	check_refused("out.part: has more names than this one");
	CHECK_INT(stat("file", &st), 0);
	CHECK_INT(st.st_size, 1000);
	CHECK_INT(st.st_mode & 0777, 0644);
}

static void another_users(void)
{
	if (geteuid() != 0)
		check_skip();
	make_file("out.part", content, 1000);
	CHECK_INT(chown("out.part", CHECK_USER, CHECK_USER), 0);
	check_refused("out.part: is another user's file");
	check_file("out.part", 1000, 0644);
}

static void unreadable(void)
{
	struct err err;

	check_as_user();
	make_file("out.part", content, 1000);
	CHECK_INT(chmod("out.part", 0), 0);
	CHECK(try_open("out", false, &err) == NULL);
	CHECK_STR(err.text, "out.part: Permission denied");
}

static void long_name(void)
{
	char name[NAME_MAX + 1];
	char wanted[NAME_MAX + 100];
	struct err err;

	memset(name, 'n', sizeof(name));
	name[NAME_MAX - 5] = '\0';
	struct sink *sink = try_open(name, false, &err);
	CHECK(sink != NULL);
	sink_close(sink);
	name[NAME_MAX - 5] = 'n';
	name[NAME_MAX - 4] = '\0';
	CHECK(try_open(name, false, &err) == NULL);
	snprintf(wanted, sizeof(wanted), "%s.part: File name too long", name);
	CHECK_STR(err.text, wanted);
}

static void no_regular_file(void)
{
	static const char *const words[] = {"dir", "fifo", "/dev/null", "/dev/stdout", "-",
	    "dir/."};
	struct err err;

	CHECK_INT(mkdir("dir", 0700), 0);
	CHECK_INT(mkfifo("fifo", 0600), 0);
	for (size_t i = 0; i < ROWS(words); i++) {
		check_row("%s", words[i]);
		CHECK(try_open(words[i], false, &err) == NULL);
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_HAS(err.text, "only a regular file can be resumed (-R)");
	}
}

static void no_regular_source(void)
{
	static const char *const words[] = {"dir", "fifo", "/dev/null", "file"};

	CHECK_INT(mkdir("dir", 0700), 0);
	CHECK_INT(mkfifo("fifo", 0600), 0);
	make_file("file", content, 1000);
	for (size_t i = 0; i < ROWS(words); i++) {
		const char *const paths[] = {words[i], NULL};
		const struct source_options options = {
		    .path = words[i],
		    .resumes = true,
		    .files = {.paths = paths},
		};
		struct err err = {.kind = ERR_NONE};
		bool is_file = strcmp(words[i], "file") == 0;
		check_row("%s", words[i]);
		struct source *source = open_source(&options, &err);
		CHECK((source != NULL) == is_file);
		CHECK_INT(err.kind, is_file ? ERR_NONE : ERR_USAGE);
		source_close(source);
	}
}

/* Other programs */

static void append(const char *path, const char *text)
{
	FILE *file = fopen(path, "a");

	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
}

static void check_changed(struct err *err)
{
	CHECK_INT(err->kind, ERR_FAILED);
	CHECK_STR(err->text, "out.part: the part was changed by another program");
}

static void grows_while_read(void)
{
	struct err err;

	make_file("out.part", content, 1000);
	struct sink *sink = open_out();
	append("out.part", "more");
	read_part(sink);
	CHECK_INT(sink_resume(sink, &err), -1);
	check_changed(&err);
	CHECK_INT(commit(sink, &err), -1);
	sink_close(sink);
	check_clean("out.part");
}

static void shrinks_while_read(void)
{
	char bytes[1000];
	struct err err;

	make_file("out.part", content, 1000);
	struct sink *sink = open_out();
	CHECK_INT(truncate("out.part", 999), 0);
	CHECK_INT(sink_read_part(sink, bytes, sizeof(bytes), &err), 999);
	CHECK_INT(sink_read_part(sink, bytes, 1, &err), -1);
	check_changed(&err);
	sink_close(sink);
	check_clean("out.part");
	check_file("out.part", 999, 0600);
}

static void replaced_while_read(void)
{
	struct err err;

	make_file("out.part", content, 1000);
	struct sink *sink = open_out();
	make_file("new", content, 1000);
	CHECK_INT(rename("new", "out.part"), 0);
	read_part(sink);
	CHECK_INT(sink_resume(sink, &err), -1);
	check_changed(&err);
	sink_close(sink);
	check_file("out.part", 1000, 0644);
}

static void changed_before_commit(void)
{
	struct err err;

	for (int way = 0; way < 3; way++) {
		check_row("way %d", way);
		make_file("out.part", content, 1000);
		struct sink *sink = open_out();
		go_on(sink, 1000, SIZE);
		if (way == 0)
			append("out.part", "more");
		else if (way == 1)
			CHECK_INT(truncate("out.part", 10), 0);
		else
			CHECK_INT(rename("out.part", "mine"), 0);
		CHECK_INT(commit(sink, &err), -1);
		check_changed(&err);
		sink_close(sink);
		check_clean(way == 2 ? "mine" : "out.part");
	}
}

/* It has had the old file's owner already when the commit fails, and has to be ours to go on. */
static void is_ours_again(void)
{
	struct err err;
	struct stat st;

	if (geteuid() != 0)
		check_skip();
	make_file("out", "old", 3);
	CHECK_INT(chown("out", CHECK_USER, CHECK_USER), 0);
	make_file("out.part", content, MIB);
	struct sink *sink = open_out();
	go_on(sink, MIB, SIZE);
	append("out.part", "more");
	CHECK_INT(commit(sink, &err), -1);
	sink_close(sink);
	CHECK_INT(stat("out.part", &st), 0);
	CHECK_INT(st.st_uid, 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	sink = open_out();
	sink_close(sink);
}

/* What comes behind the cut must not hide it, in a part that appeared or one gone on with. */
static void cut_while_written(void)
{
	struct err err;

	for (int way = 0; way < 2; way++) {
		check_row("way %d", way);
		if (way == 1)
			make_file("out.part", content, 1000);
		struct sink *sink = open_out();
		if (way == 0)
			begin(sink);
		else
			go_on(sink, 1000, 1000);
		write_content(sink, way == 0 ? 0 : 1000, 2 * MIB);
		CHECK_INT(truncate("out.part", 10), 0);
		write_content(sink, 2 * MIB, SIZE);
		CHECK_INT(commit(sink, &err), -1);
		check_changed(&err);
		sink_close(sink);
		check_clean("out.part");
		CHECK_INT(unlink("out.part"), 0);
	}
}

/* What is not stored stays, with -n, too. */
static void no_clobber(void)
{
	struct err err;
	struct sink *sink = try_open("out", true, &err);

	CHECK(sink != NULL);
	begin(sink);
	write_content(sink, 0, SIZE);
	make_file("out", "old", 3);
	CHECK_INT(commit(sink, &err), -1);
	CHECK_INT(err.errnum, EEXIST);
	sink_close(sink);
	check_clean("out out.part");
	check_file("out.part", SIZE, 0600);
	CHECK(try_open("out", true, &err) == NULL);
	CHECK_INT(unlink("out"), 0);
	sink = try_open("out", true, &err);
	CHECK(sink != NULL);
	go_on(sink, SIZE, SIZE);
	commit_and_close(sink);
	check_clean("out");
	check_file("out", SIZE, 0644);
}

/* Makes a header of tar in block: a name, "ustar" and the sum. */
static void make_header(char block[512])
{
	unsigned sum = 0;

	memset(block, 0, 512);
	snprintf(block, 512, "file");
	memcpy(block + 257, "ustar\00000", 8);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
}

static void archive(void)
{
	char block[512];
	struct err err;

	make_header(block);
	make_file("out.part", block, sizeof(block));
	struct sink *sink = open_out();
	char bytes[512];
	CHECK_INT(sink_read_part(sink, bytes, sizeof(bytes), &err), sizeof(bytes));
	CHECK_INT(sink_resume(sink, &err), 0);
	begin(sink);
	CHECK_INT(commit(sink, &err), 0);
	CHECK(sink->hint != NULL);
	sink_close(sink);
}

/* Without -R nobody looks at it. */
static void without(void)
{
	const struct sink_options options = {.path = "out"};
	struct err err;

	make_file("out.part", content, 1000);
	struct sink *sink = open_sink(&options, DEADLINE_NOW, &err);
	CHECK(sink != NULL);
	begin(sink);
	write_content(sink, 0, SIZE);
	check_file("out.part", 1000, 0644);
	commit_and_close(sink);
	check_clean("out out.part");
	check_file("out.part", 1000, 0644);
}

int main(void)
{
	fill();
	umask(022);
	promise_both("a part appears when 1 MiB has come, private and locked, and stays", appears);
	promise_both("less than that leaves nothing", too_little);
	promise_both("the commit makes the part the file, with the mode of a new one",
	    becomes_the_file);
	promise_both("a part is gone on with", goes_on);
	promise_both("as often as it takes", goes_on_twice);
	promise_both("a part may be complete", is_complete);
	promise_both("a part may be empty", empty);
	promise_both("a part becomes the file in the place of an old one, like which it is",
	    replaces);
	promise_both("until then the old file is as it was", appears_beside_old);
	promise_both("a part is where the file is, behind a link", behind_a_link);
	promise_both("a stream from the beginning is written beside the part, which its commit "
		     "removes",
	    from_the_beginning);
	promise_both("one that breaks off sooner leaves the part", breaks_off_sooner);
	promise_both("one that breaks off later takes the place of the part", breaks_off_later);
	promise_both("a part that was only read is as it was", differs);
	promise_both("what another has put in the place of the part is not touched",
	    replaced_beside);
	promise_both("a part that another receiver has is refused at the beginning", is_taken);
	promise_both("of two receivers without a part one has it, and neither harms the other",
	    two_at_once);
	promise_both("and both commit, with the mode of a new file", two_commit);
	promise_both("what is no file of ours with one name is refused, and as it was", not_ours);
	promise_both("so is another user's", another_users);
	promise_both("so is what we may not read", unreadable);
	promise("a name that is too long for a part is refused at the beginning", long_name);
	promise("what is no regular file has no part", no_regular_file);
	promise("a source that is no regular file cannot be resumed", no_regular_source);
	promise_both("a part that grows while it is read is refused, and stays", grows_while_read);
	promise_both("one that becomes shorter, too", shrinks_while_read);
	promise_both("one that is replaced, too", replaced_while_read);
	promise_both("one that is changed before the commit is not committed, and stays",
	    changed_before_commit);
	promise_both("one that is to replace another user's file, and does not, stays ours",
	    is_ours_again);
	promise_both("one that is cut while it is written is not filled up, and not committed",
	    cut_while_written);
	promise_both("a file that is not stored, as -n forbids it, stays as a part", no_clobber);
	promise_both("an archive is known by what the part begins with", archive);
	promise_both("without -R a part is left alone", without);
	return check_end();
}
