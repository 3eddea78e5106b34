#include "data/pax_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data/pax_extended.h"
#include "data/pax_header.h"
#include "data/pax_member.h"

/* How many bytes of a path are shown: there has to be room for what is wrong. */
#define PATH_SHOWN 160

/* Where in the archive the next byte stands. */
enum place {
	IN_HEADER,
	IN_EXTENDED, /* what follows an extended header, to the end of its last block */
	IN_CONTENT,  /* of a file */
	IN_PADDING,  /* behind it, to the end of its last block */
	IN_MARK,     /* the second block of the mark of the end */
	BEHIND_MARK,
};

struct pax_reader {
	const struct pax_listener *listener;
	enum place place;
	bool has_begun; /* with a block that an archive can begin with */
	struct pax_header header;
	size_t header_len; /* of it, how much is there */
	int64_t left;      /* of the content, or of what follows an extended header */
	size_t padding;    /* likewise */
	char *extended;    /* what follows an extended header */
	size_t extended_len;
	size_t extended_room;
	size_t extended_size;     /* without its padding */
	size_t said_size;         /* of all the extended headers of the next member */
	struct pax_extended said; /* by them */
	char *path;               /* of the last member that came, or NULL */
	int64_t members;
};

struct pax_reader *pax_reader_new(const struct pax_listener *listener, struct err *err)
{
	struct pax_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		err_set(err, ERR_FAILED, ENOMEM, "an archive");
	else
		reader->listener = listener;
	return reader;
}

void pax_reader_free(struct pax_reader *reader)
{
	if (reader == NULL)
		return;
	pax_extended_clear(&reader->said);
	free(reader->extended);
	free(reader->path);
	free(reader);
}

/* Puts in front of what is wrong where that is. */
static int damaged_here(const struct pax_reader *reader, struct err *err)
{
	if (reader->path == NULL)
		return err_prefix(err, "the archive is damaged at its beginning");
	return err_prefix(err, "the archive is damaged behind %.*s", PATH_SHOWN, reader->path);
}

static int damaged_by(const struct pax_reader *reader, struct err *err, const char *what)
{
	err_set(err, ERR_FAILED, 0, "%s", what);
	return damaged_here(reader, err);
}

static size_t padding_of(int64_t size)
{
	return (size_t)(-(uint64_t)size % PAX_BLOCK);
}

static int use_extended(struct pax_reader *reader, struct err *err)
{
	const char *bytes = reader->extended_size > 0 ? reader->extended : "";

	reader->place = IN_HEADER;
	if (pax_extended_read(&reader->said, reader->header.type, bytes, reader->extended_size,
		err) == -1)
		return damaged_here(reader, err);
	return 0;
}

static int begin_extended(struct pax_reader *reader, struct err *err)
{
	const struct pax_header *header = &reader->header;
	int64_t size;

	if (pax_extended_has(&reader->said, header->type))
		return damaged_by(reader, err, "two extended headers of one type");
	if (header->type == 'g' && !pax_extended_is_empty(&reader->said))
		return damaged_by(reader, err, "an extended header without a member");
	if (!pax_header_number(header->size, sizeof(header->size), &size) || size < 0)
		return damaged_by(reader, err, "a size that is no number");
	if (size > PAX_EXTENDED_MAX - (int64_t)reader->said_size) {
		err_set(err, ERR_FAILED, 0, "extended headers of more than %d bytes",
		    PAX_EXTENDED_MAX);
		return damaged_here(reader, err);
	}
	if (header->type != 'g')
		reader->said_size += (size_t)size;
	reader->extended_size = (size_t)size;
	reader->extended_len = 0;
	reader->left = size + (int64_t)padding_of(size);
	reader->place = IN_EXTENDED;
	return size > 0 ? 0 : use_extended(reader, err);
}

static int end_member(struct pax_reader *reader, struct err *err)
{
	const struct pax_listener *listener = reader->listener;

	reader->place = reader->padding > 0 ? IN_PADDING : IN_HEADER;
	return listener->ended(listener->context, err);
}

static int begin_member(struct pax_reader *reader, struct err *err)
{
	const struct pax_listener *listener = reader->listener;
	struct pax_member member;
	struct pax_member_room room;

	if (pax_member_read(&member, &room, &reader->header, &reader->said, err) == -1)
		return member.path == NULL ? damaged_here(reader, err)
		                           : err_prefix(err, "%.*s", PATH_SHOWN, member.path);
	free(reader->path);
	reader->path = strdup(member.path);
	if (reader->path == NULL)
		return err_set(err, ERR_FAILED, ENOMEM, "a member of the archive");
	reader->members++;
	if (listener->member(listener->context, &member, err) == -1)
		return -1;
	pax_extended_clear(&reader->said);
	reader->said_size = 0;
	reader->left = member.size;
	reader->padding = padding_of(member.size);
	reader->place = IN_CONTENT;
	return member.size > 0 ? 0 : end_member(reader, err);
}

/* The label of an archive (tar --label) is no member, and says nothing of one. */
static bool is_label(const struct pax_reader *reader)
{
	const struct pax_header *header = &reader->header;
	int64_t size;

	return header->type == 'V' && pax_extended_is_empty(&reader->said) &&
	       pax_header_number(header->size, sizeof(header->size), &size) && size == 0;
}

static int use_empty_block(struct pax_reader *reader, struct err *err)
{
	if (!pax_extended_is_empty(&reader->said))
		return damaged_by(reader, err, "an extended header without a member");
	reader->place = reader->place == IN_HEADER ? IN_MARK : BEHIND_MARK;
	return 0;
}

static int use_block(struct pax_reader *reader, struct err *err)
{
	bool is_empty = pax_header_is_empty(&reader->header);
	bool is_header = !is_empty && pax_header_is_one(&reader->header);

	if (!reader->has_begun && !is_empty && !is_header)
		return err_set(err, ERR_FAILED, 0, "not a tar archive");
	reader->has_begun = true;
	if (is_empty)
		return use_empty_block(reader, err);
	if (reader->place == IN_MARK)
		return damaged_by(reader, err, "half a mark of the end");
	if (!is_header)
		return damaged_by(reader, err, "a header that is none");
	if (pax_extended_is_one(reader->header.type))
		return begin_extended(reader, err);
	return is_label(reader) ? 0 : begin_member(reader, err);
}

static int take_header(struct pax_reader *reader, const char *bytes, size_t size, struct err *err)
{
	memcpy((char *)&reader->header + reader->header_len, bytes, size);
	reader->header_len += size;
	if (reader->header_len < sizeof(reader->header))
		return 0;
	reader->header_len = 0;
	return use_block(reader, err);
}

/* The room grows with what comes: a header that only promises much costs nothing. */
static int take_extended(struct pax_reader *reader, const char *bytes, size_t size, struct err *err)
{
	size_t wanted = reader->extended_len + size;

	if (wanted > reader->extended_room) {
		size_t twice = 2 * reader->extended_room;
		size_t room = wanted > twice ? wanted : twice;
		char *more = realloc(reader->extended, room);
		if (more == NULL)
			return err_set(err, ERR_FAILED, ENOMEM, "an extended header");
		reader->extended = more;
		reader->extended_room = room;
	}
	memcpy(reader->extended + reader->extended_len, bytes, size);
	reader->extended_len += size;
	reader->left -= (int64_t)size;
	return reader->left > 0 ? 0 : use_extended(reader, err);
}

static int take_content(struct pax_reader *reader, const char *bytes, size_t size, struct err *err)
{
	const struct pax_listener *listener = reader->listener;

	if (listener->content(listener->context, bytes, size, err) == -1)
		return -1;
	reader->left -= (int64_t)size;
	return reader->left > 0 ? 0 : end_member(reader, err);
}

static void take_padding(struct pax_reader *reader, size_t size)
{
	reader->padding -= size;
	if (reader->padding == 0)
		reader->place = IN_HEADER;
}

static int take_trailer(const struct pax_reader *reader, const char *bytes, size_t size,
    struct err *err)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != '\0')
			return damaged_by(reader, err, "the mark of its end is not the end");
	}
	return 0;
}

/* How many bytes there are to come in the present place. */
static uint64_t bytes_here(const struct pax_reader *reader)
{
	switch (reader->place) {
	case IN_EXTENDED:
	case IN_CONTENT:
		return (uint64_t)reader->left;
	case IN_PADDING:
		return reader->padding;
	case BEHIND_MARK:
		return UINT64_MAX;
	default:
		return sizeof(reader->header) - reader->header_len;
	}
}

static int take_bytes(struct pax_reader *reader, const char *bytes, size_t size, struct err *err)
{
	switch (reader->place) {
	case IN_EXTENDED:
		return take_extended(reader, bytes, size, err);
	case IN_CONTENT:
		return take_content(reader, bytes, size, err);
	case IN_PADDING:
		take_padding(reader, size);
		return 0;
	case BEHIND_MARK:
		return take_trailer(reader, bytes, size, err);
	default:
		return take_header(reader, bytes, size, err);
	}
}

int pax_reader_write(struct pax_reader *reader, const void *bytes, size_t size, struct err *err)
{
	const char *next = bytes;

	while (size > 0) {
		uint64_t here = bytes_here(reader);
		size_t part = here < size ? (size_t)here : size;
		if (take_bytes(reader, next, part, err) == -1)
			return -1;
		next += part;
		size -= part;
	}
	return 0;
}

int pax_reader_finish(const struct pax_reader *reader, struct err *err)
{
	if (reader->place == BEHIND_MARK)
		return 0;
	if (!reader->has_begun)
		return err_set(err, ERR_FAILED, 0, "not a tar archive");
	if (reader->place == IN_CONTENT || reader->place == IN_PADDING)
		return err_set(err, ERR_FAILED, 0, "the archive ends in the middle of %.*s",
		    PATH_SHOWN, reader->path);
	if (reader->place == IN_EXTENDED || reader->header_len > 0 ||
	    !pax_extended_is_empty(&reader->said))
		return err_set(err, ERR_FAILED, 0, "the archive ends in a header");
	return err_set(err, ERR_FAILED, 0, "the archive has no end mark: %" PRId64 " member%s came",
	    reader->members, reader->members == 1 ? "" : "s");
}
