#include "data/pax_member.h"

#include <string.h>

static int refuse_for(struct err *err, const char *why)
{
	return err_set(err, ERR_FAILED, 0, "%s", why);
}

static int damaged_in(struct err *err, const char *what)
{
	return err_set(err, ERR_FAILED, 0, "the archive is damaged: %s", what);
}

/* Returns the path, or NULL with err set. */
static char *find_path(struct pax_member_room *room, const struct pax_header *header,
    const struct pax_extended *extended, struct err *err)
{
	char *path = extended->path != NULL ? extended->path : extended->long_path;

	if (extended->path != NULL && extended->long_path != NULL) {
		refuse_for(err, "a member with two long paths");
		return NULL;
	}
	if (path == NULL) {
		path = room->path;
		if (!pax_header_path(header, path)) {
			refuse_for(err, "a path of two parts with a slash too much between them");
			return NULL;
		}
	}
	if (*path == '\0') {
		refuse_for(err, "a member without a path");
		return NULL;
	}
	return path;
}

/* Removes the slashes at the path's end but for the root's. Returns whether there were some. */
static bool cut_slashes(char *path)
{
	size_t len = strlen(path);
	bool has_slash = path[len - 1] == '/';

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	return has_slash;
}

/* Returns what kind of member it is, if that is known but not taken, or NULL. */
static const char *kind_not_taken(const struct pax_header *header,
    const struct pax_extended *extended)
{
	if (extended->refused != NULL)
		return extended->refused;
	switch (header->type) {
	case '3':
	case '4':
		return "a device";
	case '6':
		return "a FIFO";
	case 'D':
		return "a directory of an incremental backup";
	case 'M':
		return "a file of several volumes";
	case 'N':
		return "a list of other names";
	case 'S':
		return "a sparse file";
	case 'V':
		return "a label with more than a name";
	default:
		return pax_header_is_sparse(header) ? "a sparse file" : NULL;
	}
}

static int find_type(struct pax_member *member, const struct pax_header *header,
    const struct pax_extended *extended, bool has_slash, struct err *err)
{
	const char *kind = kind_not_taken(header, extended);

	if (kind != NULL)
		return err_set(err, ERR_FAILED, 0, "%s, which is not taken", kind);
	switch (header->type) {
	case '\0': /* of Unix V7, as is a directory by its slash only */
	case '0':
	case '7': /* a file that is to lie in one piece */
		member->type = has_slash ? PAX_DIRECTORY : PAX_FILE;
		return 0;
	case '1':
		member->type = PAX_HARD_LINK;
		return 0;
	case '2':
		member->type = PAX_SYMLINK;
		return 0;
	case '5':
		member->type = PAX_DIRECTORY;
		return 0;
	default:
		return err_set(err, ERR_FAILED, 0, "of type %c, which is not known", header->type);
	}
}

static int find_numbers(struct pax_member *member, const struct pax_header *header,
    const struct pax_extended *extended, struct err *err)
{
	int64_t mode;
	int64_t seconds;

	if (!pax_header_number(header->mode, sizeof(header->mode), &mode) || mode < 0)
		return damaged_in(err, "its mode is no number");
	if (!pax_header_number(header->mtime, sizeof(header->mtime), &seconds))
		return damaged_in(err, "its time is no number");
	if (!pax_header_number(header->size, sizeof(header->size), &member->size) ||
	    member->size < 0)
		return damaged_in(err, "its size is no number");
	if (header->type == '5') /* a limit on what it may hold (POSIX) */
		member->size = 0;
	member->mode = (mode_t)(mode & 0777);
	member->mtime = (struct timespec){.tv_sec = seconds};
	if (extended->has_mtime)
		member->mtime = extended->mtime;
	if (extended->has_size)
		member->size = extended->size;
	/* Readers do not agree on whether the content is there. */
	if (member->type != PAX_FILE && member->size > 0)
		return refuse_for(err, "with content but no file, which is not taken");
	return 0;
}

static int find_target(struct pax_member *member, struct pax_member_room *room,
    const struct pax_header *header, const struct pax_extended *extended, struct err *err)
{
	const char *target = extended->target != NULL ? extended->target : extended->long_target;

	if (extended->target != NULL && extended->long_target != NULL)
		return damaged_in(err, "it has two long targets");
	if (member->type != PAX_SYMLINK && member->type != PAX_HARD_LINK) {
		/* libarchive makes it a hard link. */
		return target == NULL ? 0 : damaged_in(err, "it has a target but is no link");
	}
	if (target == NULL) {
		pax_header_target(header, room->target);
		target = room->target;
	}
	if (*target == '\0')
		return damaged_in(err, "it is a link without a target");
	if (strlen(target) > PAX_PATH_MAX)
		return err_set(err, ERR_FAILED, 0, "a target of more than %d bytes", PAX_PATH_MAX);
	member->target = target;
	return 0;
}

int pax_member_read(struct pax_member *member, struct pax_member_room *room,
    const struct pax_header *header, struct pax_extended *extended, struct err *err)
{
	char *path = find_path(room, header, extended, err);

	*member = (struct pax_member){.path = path};
	if (path == NULL)
		return -1;
	bool has_slash = cut_slashes(path);
	if (strlen(path) > PAX_PATH_MAX)
		return err_set(err, ERR_FAILED, 0, "a path of more than %d bytes", PAX_PATH_MAX);
	if (find_type(member, header, extended, has_slash, err) == -1 ||
	    find_numbers(member, header, extended, err) == -1)
		return -1;
	return find_target(member, room, header, extended, err);
}
