/*
 * Archives: what is read does not depend on the pieces in which the bytes come, each member is one that
 * can be, and libarchive, where it is there, reads the same members. An input is tried as it is, and
 * mended: with right sums in its headers and a mark at its end, or hardly one would come so far.
 */
#include "data/pax_read.h"

#include "fuzz.h"

#if __has_include(<archive.h>)
#define HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

struct entry {
	enum pax_type type;
	char *path;
	char *target; /* or NULL */
	int64_t size; /* counted */
	mode_t mode;
	struct timespec mtime;
	uint64_t hash; /* of the content (FNV-1a) */
};

struct listing {
	struct entry *entries;
	size_t count;
	bool is_whole;
	/* Of ours only. */
	int64_t left;
	bool in_member;
	struct err err;
};

static struct entry *add_entry(struct listing *listing, const char *path, const char *target)
{
	listing->entries = reallocarray(listing->entries, listing->count + 1, sizeof(struct entry));
	MUST(listing->entries != NULL);
	struct entry *entry = &listing->entries[listing->count++];
	*entry = (struct entry){.path = strdup(path), .hash = FNV_START};
	MUST(entry->path != NULL);
	if (target != NULL) {
		entry->target = strdup(target);
		MUST(entry->target != NULL);
	}
	return entry;
}

static void free_listing(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		free(listing->entries[i].path);
		free(listing->entries[i].target);
	}
	free(listing->entries);
}

static void add_content(struct listing *listing, const void *bytes, size_t size)
{
	struct entry *entry = &listing->entries[listing->count - 1];

	for (size_t i = 0; i < size; i++)
		entry->hash = (entry->hash ^ ((const unsigned char *)bytes)[i]) * FNV_PRIME;
	entry->size += (int64_t)size;
}

static int hear_member(void *context, const struct pax_member *member, struct err *err)
{
	struct listing *listing = context;
	size_t len = strlen(member->path);
	bool is_link = member->type == PAX_SYMLINK || member->type == PAX_HARD_LINK;

	(void)err;
	MUST(!listing->in_member);
	MUST(len > 0 && len <= PAX_PATH_MAX);
	MUST(len == 1 || member->path[len - 1] != '/');
	MUST(is_link == (member->target != NULL));
	MUST(!is_link || (*member->target != '\0' && strlen(member->target) <= PAX_PATH_MAX));
	MUST(member->size >= 0 && (member->size == 0 || member->type == PAX_FILE));
	MUST(member->mode <= 0777);
	MUST(member->mtime.tv_nsec >= 0 && member->mtime.tv_nsec <= 999999999);
	struct entry *entry = add_entry(listing, member->path, member->target);
	entry->type = member->type;
	entry->mode = member->mode;
	entry->mtime = member->mtime;
	listing->left = member->size;
	listing->in_member = true;
	return 0;
}

static int hear_content(void *context, const void *bytes, size_t size, struct err *err)
{
	struct listing *listing = context;

	(void)err;
	MUST(listing->in_member && size > 0 && size <= (size_t)listing->left);
	listing->left -= (int64_t)size;
	add_content(listing, bytes, size);
	return 0;
}

static int hear_end(void *context, struct err *err)
{
	struct listing *listing = context;

	(void)err;
	MUST(listing->in_member && listing->left == 0);
	listing->in_member = false;
	return 0;
}

/* Reads in pieces, each at the end of a block, so that a sanitizer sees a read beyond it. */
static struct listing read_ours(const uint8_t *data, size_t size, size_t piece)
{
	struct listing listing = {.count = 0};
	struct pax_listener listener = {hear_member, hear_content, hear_end, &listing};
	struct pax_reader *reader = pax_reader_new(&listener, &listing.err);
	size_t room = piece < size ? piece : size;
	uint8_t *block = malloc(room + 1);
	int result = 0;

	MUST(reader != NULL && block != NULL);
	for (size_t at = 0; at < size && result == 0; at += room) {
		size_t len = size - at < room ? size - at : room;
		memcpy(block + 1 + room - len, data + at, len);
		result = pax_reader_write(reader, block + 1 + room - len, len, &listing.err);
	}
	if (result == 0)
		result = pax_reader_finish(reader, &listing.err);
	MUST((result == 0) == (listing.err.kind == ERR_NONE));
	MUST(result == 0 || (listing.err.kind == ERR_FAILED && listing.err.text[0] != '\0'));
	MUST(result == -1 || !listing.in_member);
	listing.is_whole = result == 0;
	pax_reader_free(reader);
	free(block);
	return listing;
}

/* All but mode and time. */
static void must_be_same_entry(const struct entry *a, const struct entry *b)
{
	MUST(a->type == b->type);
	MUST(strcmp(a->path, b->path) == 0);
	MUST((a->target == NULL) == (b->target == NULL));
	MUST(a->target == NULL || strcmp(a->target, b->target) == 0);
	MUST(a->size == b->size);
	MUST(a->hash == b->hash);
}

static void must_be_same(const struct listing *a, const struct listing *b)
{
	MUST(a->is_whole == b->is_whole);
	MUST(strcmp(a->err.text, b->err.text) == 0);
	MUST(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct timespec *time = &a->entries[i].mtime;
		must_be_same_entry(&a->entries[i], &b->entries[i]);
		MUST(a->entries[i].mode == b->entries[i].mode);
		MUST(time->tv_sec == b->entries[i].mtime.tv_sec);
		MUST(time->tv_nsec == b->entries[i].mtime.tv_nsec);
	}
}

#ifdef HAVE_LIBARCHIVE
/* A path that is no UTF-8 is only a warning, and the path is there as it is. */
static bool has_header(struct archive *archive, int result)
{
	return result == ARCHIVE_OK ||
	       (result == ARCHIVE_WARN &&
		   strstr(archive_error_string(archive), "can't be converted") != NULL);
}

/* Returns whether it is whole: of a link whose own header has no target it loses that of an extended one. */
static bool add_theirs(struct listing *listing, struct archive_entry *from)
{
	const char *path = archive_entry_pathname(from);
	const char *hard_link = archive_entry_hardlink(from);
	const char *symlink = archive_entry_symlink(from);
	mode_t type = archive_entry_filetype(from);

	if (path == NULL || *path == '\0')
		return false;
	if (hard_link == NULL && symlink == NULL && (type == 0 || type == AE_IFLNK))
		return false;
	struct entry *entry = add_entry(listing, path, hard_link != NULL ? hard_link : symlink);
	size_t len = strlen(path);
	bool has_slash = path[len - 1] == '/';
	while (len > 1 && entry->path[len - 1] == '/')
		entry->path[--len] = '\0';
	entry->mode = archive_entry_perm(from) & 0777;
	entry->mtime.tv_sec = archive_entry_mtime(from);
	entry->mtime.tv_nsec = archive_entry_mtime_nsec(from);
	entry->type = PAX_FILE;
	if (hard_link != NULL)
		entry->type = PAX_HARD_LINK;
	else if (symlink != NULL)
		entry->type = PAX_SYMLINK;
	else if (type == AE_IFDIR || has_slash)
		entry->type = PAX_DIRECTORY;
	return true;
}

static int add_their_content(struct listing *listing, struct archive *archive)
{
	int64_t expected = 0;
	int64_t offset;
	const void *bytes;
	size_t size;
	int result;

	while ((result = archive_read_data_block(archive, &bytes, &size, &offset)) == ARCHIVE_OK) {
		MUST(offset == expected);
		add_content(listing, bytes, size);
		expected += (int64_t)size;
	}
	return result;
}

static struct listing read_theirs(const uint8_t *data, size_t size)
{
	struct listing listing = {.count = 0};
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	int result;

	MUST(archive != NULL);
	MUST(archive_read_support_format_tar(archive) == ARCHIVE_OK);
	result = archive_read_open_memory(archive, data, size);
	while (result == ARCHIVE_OK) {
		result = archive_read_next_header(archive, &entry);
		if (!has_header(archive, result) || !add_theirs(&listing, entry))
			break;
		result = add_their_content(&listing, archive);
		if (result == ARCHIVE_EOF)
			result = ARCHIVE_OK;
	}
	listing.is_whole = result == ARCHIVE_EOF;
#ifdef TELL
	if (!listing.is_whole)
		fprintf(stderr, "theirs: %d %s\n", result, archive_error_string(archive));
#endif
	archive_read_free(archive);
	return listing;
}

/* libarchive takes -1.5 for -1 + 0.5, and cuts it off at nanoseconds towards 0. */
static bool is_same_time(struct timespec ours, struct timespec theirs)
{
	long nanoseconds = ours.tv_nsec == 0 ? 0 : 1000000000 - ours.tv_nsec;

	if (ours.tv_sec == theirs.tv_sec && ours.tv_nsec == theirs.tv_nsec)
		return true;
	if (ours.tv_sec >= 0 || theirs.tv_sec != ours.tv_sec + 1)
		return false;
	return nanoseconds == 0
	           ? theirs.tv_nsec == 999999999
	           : theirs.tv_nsec == nanoseconds || theirs.tv_nsec == nanoseconds - 1;
}

/* What both take they take for the same; but an ACL, which we pass over, changes libarchive's mode. */
static void compare_with_libarchive(const struct listing *ours, const uint8_t *data, size_t size)
{
	struct listing theirs = read_theirs(data, size);
	bool has_acl = memmem(data, size, "SCHILY.acl.", strlen("SCHILY.acl.")) != NULL;

	if (theirs.is_whole) {
		MUST(ours->count == theirs.count);
		for (size_t i = 0; i < ours->count; i++) {
			must_be_same_entry(&ours->entries[i], &theirs.entries[i]);
			MUST(has_acl || ours->entries[i].mode == theirs.entries[i].mode);
			MUST(is_same_time(ours->entries[i].mtime, theirs.entries[i].mtime));
		}
	}
	free_listing(&theirs);
}
#endif

static void try_archive(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 61};
	struct listing whole = read_ours(data, size, SIZE_MAX);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct listing listing = read_ours(data, size, pieces[i]);
		must_be_same(&whole, &listing);
		free_listing(&listing);
	}
#ifdef HAVE_LIBARCHIVE
	if (whole.is_whole)
		compare_with_libarchive(&whole, data, size);
#endif
	free_listing(&whole);
}

static bool is_empty(const uint8_t *block)
{
	return block[0] == 0 && memcmp(block, block + 1, PAX_BLOCK - 1) == 0;
}

/* Sets the sum of a header. Returns how many blocks of content its size in octal digits promises. */
static size_t mend_header(uint8_t *block)
{
	unsigned sum = 0;
	char field[13];

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < PAX_BLOCK; i++)
		sum += block[i];
	snprintf(field, sizeof(field), "%06o", sum);
	memcpy(block + 148, field, 7);
	memcpy(field, block + 124, 12);
	field[12] = '\0';
	return (size_t)(strtoul(field, NULL, 8) + PAX_BLOCK - 1) / PAX_BLOCK;
}

static void try_mended(const uint8_t *data, size_t size)
{
	size_t blocks = (size + PAX_BLOCK - 1) / PAX_BLOCK;
	uint8_t *copy = calloc(blocks + 2, PAX_BLOCK);
	size_t at = 0;

	MUST(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	while (at < blocks && !is_empty(copy + at * PAX_BLOCK))
		at += 1 + mend_header(copy + at * PAX_BLOCK);
	if (at > blocks)
		at = blocks;
	memset(copy + at * PAX_BLOCK, 0, 2 * PAX_BLOCK);
	try_archive(copy, (at + 2) * PAX_BLOCK);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_archive(data, size);
	try_mended(data, size);
	return 0;
}
