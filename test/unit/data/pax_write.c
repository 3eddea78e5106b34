/* The headers of a pax archive: what is in them, and that our reader reads the same members from them. */
#include "data/pax_write.h"

#include <stdlib.h>

#include "check.h"
#include "data/pax_read.h"

static char header[PAX_HEADER_MAX];

/* What the reader makes of an archive of one member. */
struct read_back {
	struct pax_member member;
	char path[PAX_PATH_MAX + 1];
	char target[PAX_PATH_MAX + 1];
	int count;
};

static int hear_member(void *context, const struct pax_member *member, struct err *err)
{
	struct read_back *back = context;

	(void)err;
	back->member = *member;
	strlcpy(back->path, member->path, sizeof(back->path));
	strlcpy(back->target, member->target == NULL ? "" : member->target, sizeof(back->target));
	back->count++;
	return 0;
}

static int hear_nothing(void *context, const void *bytes, size_t size, struct err *err)
{
	(void)context;
	(void)bytes;
	(void)size;
	(void)err;
	return 0;
}

static int hear_end(void *context, struct err *err)
{
	(void)context;
	(void)err;
	return 0;
}

static void is_read_back(const struct pax_member *member)
{
	static struct read_back back;
	const struct pax_listener listener = {hear_member, hear_nothing, hear_end, &back};
	struct err err = {.kind = ERR_NONE};
	struct pax_reader *reader = pax_reader_new(&listener, &err);
	size_t size = pax_write_header(header, member);

	back = (struct read_back){.count = 0};
	CHECK(size % PAX_BLOCK == 0 && size <= sizeof(header));
	CHECK_INT(pax_reader_write(reader, header, size, &err), 0);
	CHECK_STR(err.text, "");
	CHECK_INT(back.count, 1);
	CHECK_INT(back.member.type, member->type);
	CHECK_STR(back.path, member->path);
	CHECK_STR(back.target, member->target == NULL ? "" : member->target);
	CHECK_INT(back.member.size, member->size);
	CHECK_INT(back.member.mode, member->mode);
	CHECK_INT(back.member.mtime.tv_sec, member->mtime.tv_sec);
	CHECK_INT(back.member.mtime.tv_nsec, member->mtime.tv_nsec);
	pax_reader_free(reader);
}

static void fields(void)
{
	const struct pax_member member = {
	    .type = PAX_FILE,
	    .path = "d/file",
	    .size = 1234,
	    .mode = 0640,
	    .mtime = {.tv_sec = 1000000000},
	};

	CHECK_INT((intmax_t)pax_write_header(header, &member), PAX_BLOCK);
	CHECK_STR(header, "d/file");
	CHECK_STR(header + 100, "0000640");
	CHECK_STR(header + 108, "0000000");
	CHECK_STR(header + 116, "0000000");
	CHECK_STR(header + 124, "00000002322");
	CHECK_STR(header + 136, "07346545000");
	CHECK_INT(header[156], '0');
	CHECK(memcmp(header + 257, "ustar\00000", 8) == 0);
	CHECK_INT(header[154], '\0');
	CHECK_INT(header[155], ' ');
}

static void types(void)
{
	is_read_back(&(struct pax_member){.type = PAX_FILE, .path = "f"});
	is_read_back(&(struct pax_member){.type = PAX_DIRECTORY, .path = "d", .mode = 0777});
	is_read_back(&(struct pax_member){.type = PAX_SYMLINK, .path = "l", .target = "../f"});
	is_read_back(&(struct pax_member){.type = PAX_HARD_LINK, .path = "h", .target = "f"});
}

/* Around the hundred bytes of a field, and where the length of a record gets one more digit. */
static void lengths(void)
{
	static char path[PAX_PATH_MAX + 1];
	static const size_t ends[] = {99, 100, 101, 102, 982, 983, 984, 985, 986, 987, 988, 989,
	    990, 991, 992, 993, 9980, 9984, 9985, 9986, 9987, 9988, 9989, 9990, 9991, 9992, 65535,
	    65536};

	for (size_t i = 0; i < ROWS(ends); i++) {
		check_row("%zu", ends[i]);
		memset(path, 'p', ends[i]);
		path[ends[i]] = '\0';
		is_read_back(&(struct pax_member){.type = PAX_FILE, .path = path});
		is_read_back(
		    &(struct pax_member){.type = PAX_SYMLINK, .path = "l", .target = path});
		is_read_back(
		    &(struct pax_member){.type = PAX_SYMLINK, .path = path, .target = path});
	}
}

static void numbers(void)
{
	static const int64_t sizes[] = {0, 1, 077777777777, 0100000000000, INT64_C(1) << 62};
	static const struct timespec times[] = {{0, 1}, {-1, 0}, {-1, 500000000}, {-2, 999999999},
	    {077777777777, 0}, {0100000000000, 0}, {-152391233, 250000000},
	    {4102444800, 123456789}};

	for (size_t i = 0; i < ROWS(sizes); i++)
		is_read_back(&(struct pax_member){.type = PAX_FILE, .path = "f", .size = sizes[i]});
	for (size_t i = 0; i < ROWS(times); i++) {
		check_row("%zu", i);
		is_read_back(
		    &(struct pax_member){.type = PAX_FILE, .path = "f", .mtime = times[i]});
	}
}

static void bytes(void)
{
	static char path[201];

	memset(path, 0xff, 200);
	is_read_back(&(struct pax_member){.type = PAX_FILE, .path = path});
	CHECK(strncmp(header + PAX_BLOCK, "21 hdrcharset=BINARY\n", 21) == 0);
	memset(path, '\n', 200);
	is_read_back(&(struct pax_member){.type = PAX_FILE, .path = path});
	CHECK(strncmp(header + PAX_BLOCK, "210 path=", 9) == 0);
	is_read_back(&(struct pax_member){.type = PAX_FILE, .path = "\xff"});
}

static void padding(void)
{
	CHECK_INT((intmax_t)pax_write_padding(0), 0);
	CHECK_INT((intmax_t)pax_write_padding(1), 511);
	CHECK_INT((intmax_t)pax_write_padding(511), 1);
	CHECK_INT((intmax_t)pax_write_padding(512), 0);
	CHECK_INT((intmax_t)pax_write_padding(INT64_MAX), 1);
}

int main(void)
{
	promise("what fits is in one header of ustar", fields);
	promise("files, directories and links are read back", types);
	promise("paths and targets of any length are read back", lengths);
	promise("sizes of 8 GiB and more, and any time, are read back", numbers);
	promise("any bytes are read back, and what is not UTF-8 is said to be binary", bytes);
	promise("content fills blocks of 512 bytes", padding);
	return check_end();
}
