/* Trees as archives: that what is measured beforehand is what is then read, and what is read ahead. */
#include "data/source_tree.h"

#include <sys/resource.h>

#include "base/deadline.h"
#include "check.h"
#include "sys/disk_reads.h"

#define DEPTH 100

static void ignore(void *context, const char *text)
{
	(void)context;
	(void)text;
}

static const char *const paths[] = {"tree", NULL};
static const struct tree_walk_options options = {.paths = paths, .say = ignore};

static struct source *opened(void)
{
	struct err err = {.kind = ERR_NONE};
	struct source *source = source_tree_open(&options, -1, "tree", &err);

	CHECK_STR(err.text, "");
	if (source == NULL)
		_exit(1);
	return source;
}

/* Reads at most so many bytes. Returns how many there were. */
static int64_t read_of(struct source *source, int64_t most)
{
	static char buffer[65536];
	struct err err = {.kind = ERR_NONE};
	int64_t sum = 0;
	ssize_t n = 1;

	while (n > 0 && sum < most) {
		n = source_read(source, buffer, sizeof(buffer), DEADLINE_NEVER, &err);
		sum += n;
	}
	CHECK_STR(err.text, "");
	return sum;
}

static int64_t measured(void)
{
	struct source *source = opened();
	struct err err = {.kind = ERR_NONE};
	int64_t bytes = 0;
	int status = 1;

	while (status == 1)
		status = source_tree_measure(source, &bytes, &err);
	CHECK_INT(status, 0);
	CHECK_STR(err.text, "");
	CHECK_INT(source->entries, 0); /* none is read */
	source_close(source);
	return bytes;
}

static void make_file(const char *path, off_t size, bool has_fraction)
{
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1, .tv_nsec = has_fraction}};
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK_INT(ftruncate(fd, size), 0);
	CHECK_INT(futimens(fd, times), 0);
	close(fd);
}

static void make_tree(void)
{
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	CHECK_INT(mkdir("tree", 0700), 0);
	CHECK_INT(mkdir("tree/dir", 0700), 0);
	CHECK_INT(mkdir("tree/empty", 0700), 0);
	make_file("tree/dir/small", 1000, true);
	make_file("tree/dir/block", 512, false);
	make_file("tree/dir/none", 0, false);
	make_file("tree/dir/large", 3000001, true);
	CHECK_INT(link("tree/dir/large", "tree/dir/link"), 0);
	CHECK_INT(link("tree/dir/large", "tree/again"), 0);
	CHECK_INT(symlink(name, "tree/far"), 0);
	CHECK_INT(chdir("tree"), 0);
	make_file(name, 1, false);
	CHECK_INT(chdir(".."), 0);
}

static void same_size(void)
{
	make_tree();
	struct source *source = opened();
	int64_t bytes = read_of(source, INT64_MAX);
	CHECK_INT(source->entries, 10);
	source_close(source);
	CHECK(bytes > 3000001 && bytes < 6000000);
	CHECK_INT(measured(), bytes);
}

static void without_reading(void)
{
	CHECK_INT(mkdir("tree", 0700), 0);
	make_file("tree/huge", INT64_C(1) << 42, false);
	CHECK(measured() > INT64_C(1) << 42);
}

static void two_walks(void)
{
	struct rlimit limit = {.rlim_cur = 48, .rlim_max = 48};

	CHECK_INT(mkdir("tree", 0700), 0);
	CHECK_INT(chdir("tree"), 0);
	for (int depth = 0; depth < DEPTH; depth++) {
		make_file("a", 1, false);
		CHECK_INT(mkdir("dir", 0700), 0);
		CHECK_INT(chdir("dir"), 0);
	}
	make_file("last", 5000000, false);
	for (int depth = 0; depth <= DEPTH; depth++)
		CHECK_INT(chdir(".."), 0);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
	struct source *source = opened();
	int64_t bytes = read_of(source, 1000000); /* the last file is open */
	int64_t all = measured();
	bytes += read_of(source, INT64_MAX);
	CHECK_INT(bytes, all);
	source_close(source);
}

/* The blocks that were read from the disk before each member that is read, and since. */
static int64_t blocks_before = 100;
static int64_t blocks_each;

int64_t disk_reads_blocks(void)
{
	blocks_before += blocks_each;
	return blocks_before;
}

/* What was asked for ahead. */
static int files_ahead;
static bool is_ahead_whole;

int posix_fadvise(int fd, off_t offset, off_t size, int advice)
{
	struct stat st;

	CHECK_INT(fstat(fd, &st), 0);
	CHECK_INT(advice, POSIX_FADV_WILLNEED);
	is_ahead_whole = is_ahead_whole && offset == 0 && size >= st.st_size;
	files_ahead++;
	return 0;
}

/* Makes two directories of 100 files, reads them, and returns how many files were asked for. */
static int read_ahead(void)
{
	char path[40];

	CHECK_INT(mkdir("tree", 0700), 0);
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "tree/%d", i / 100);
		CHECK(i % 100 != 0 || mkdir(path, 0700) == 0);
		snprintf(path, sizeof(path), "tree/%d/%03d", i / 100, i);
		make_file(path, 20000, false);
	}
	files_ahead = 0;
	is_ahead_whole = true;
	struct source *source = opened();
	CHECK(read_of(source, INT64_MAX) > 200 * 20000);
	CHECK_INT(source->entries, 202);
	source_close(source);
	CHECK(is_ahead_whole);
	return files_ahead;
}

static void from_disk(void)
{
	blocks_each = 1;
	CHECK_INT(read_ahead(), 200);
	files_ahead = 0;
	measured();
	CHECK_INT(files_ahead, 0);
}

static void from_memory(void)
{
	blocks_each = 0;
	CHECK_INT(read_ahead(), 0);
}

int main(void)
{
	promise("a tree is measured as it is then read", same_size);
	promise("it is measured without a look at the contents", without_reading);
	promise("48 descriptors are enough to read a deep tree and to measure it meanwhile",
	    two_walks);
	promise("files that are read from the disk are asked for ahead, once each", from_disk);
	promise("no file is asked for ahead while all is in memory", from_memory);
	return check_end();
}
