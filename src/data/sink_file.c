#include "data/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "data/atomic_file.h"
#include "data/first_block.h"
#include "data/inbox_name.h"
#include "data/part.h"
#include "sys/descriptor.h"
#include "sys/io.h"
#include "sys/signals.h"

/* The most files of the same millisecond and peer. */
#define INBOX_TRIES 10000

/* Of a file that is synced, how many bytes are written before the device gets them. */
#define SYNC_WINDOW (INT64_C(8) * 1024 * 1024)

/* With so many bytes a file becomes a part: less is sent again sooner than it is compared. */
#define PART_LEAST (INT64_C(1024) * 1024)

struct sink_file {
	struct sink sink;
	const char *path; /* of the file; in an inbox, of the directory */
	struct atomic_file file;
	bool no_clobber;
	enum sink_sync sync;
	bool begins_early; /* the device gets the data as they come */
	int dir;           /* the directory, for fsync(2); -1: it is not synced */
	int64_t written;   /* bytes */
	int64_t synced;    /* of these, bytes that the device gets by now */
	bool may_keep;     /* it becomes a part when there is enough of it */
	bool is_published; /* the file has its name */
	struct part part;  /* beside which it is written, or which is read */
	int64_t part_read; /* bytes of it */
	struct first_block first;
	const char *peer;    /* the address that they come from */
	char made[PATH_MAX]; /* for sink.made */
};

static ssize_t sink_file_read_part(struct sink *sink, void *buffer, size_t size, struct err *err)
{
	struct sink_file *file = (struct sink_file *)sink;
	int64_t left = file->part.size - file->part_read;

	if (left < (int64_t)size)
		size = (size_t)left;
	ssize_t n = io_read_file(file->part.fd, buffer, size, err);
	if (n == -1)
		return err_prefix(err, "%s: read", file->part.name);
	if (n == 0)
		return part_changed(&file->part, err);
	first_block_add(&file->first, buffer, (size_t)n);
	file->part_read += n;
	return n;
}

/* Makes the part the file that is written. */
static void take_over_part(struct sink_file *file)
{
	atomic_file_go_on(&file->file, file->part.fd, file->part.name);
	file->part.fd = -1;
	file->written = file->part.size;
	file->synced = file->part.size;
}

static int sink_file_resume(struct sink *sink, struct err *err)
{
	struct sink_file *file = (struct sink_file *)sink;

	if (part_check(&file->part, file->part.fd, file->part.size, err) == -1)
		return -1;
	take_over_part(file);
	return 0;
}

static int sink_file_begin(struct sink *sink, const struct ends *ends, struct err *err)
{
	(void)err;
	((struct sink_file *)sink)->peer = ends->peer;
	return 0;
}

static int sink_file_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	struct sink_file *file = (struct sink_file *)sink;

	(void)deadline;
	first_block_add(&file->first, buffer, size);
	if (io_write_file(file->file.fd, buffer, size, err) == -1)
		return err_prefix(err, "%s: write", sink->name);
	file->written += (int64_t)size;
	if (file->may_keep && file->written >= PART_LEAST) {
		/* Another receiver may have a part by now: then this one has none. */
		file->may_keep = false;
		(void)atomic_file_keep(&file->file, file->part.name, false);
	}
	for (; file->begins_early && file->written - file->synced >= SYNC_WINDOW;
	     file->synced += SYNC_WINDOW) {
		if (io_write_back(file->file.fd, file->synced, SYNC_WINDOW, err) == -1)
			return err_prefix(err, "%s: write", sink->name);
	}
	return 0;
}

/*
 * Notes where the file is that was published: by the path of the command line if that still leads
 * there; if its directory was moved, by the directory's present path.
 */
static void note_made(struct sink_file *file)
{
	const char *slash = file->path[strlen(file->path) - 1] == '/' ? "" : "/";
	char path[PATH_MAX];

	if (file->sink.is_inbox)
		snprintf(path, sizeof(path), "%s%s%s", file->path, slash, file->file.place.name);
	else
		strlcpy(path, file->path, sizeof(path));
	bool has_moved = place_has_moved(&file->file.place, path, file->made);
	if (!has_moved && !file->sink.is_inbox)
		return;
	if (!has_moved)
		strlcpy(file->made, path, sizeof(file->made));
	file->sink.made = file->made;
	file->sink.name = file->made;
}

/*
 * Publishes the file under a name of the present time, with the first number that makes it a free
 * name. Returns 0, or -1 with errno set.
 */
static int publish_in_inbox(struct sink_file *file)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (unsigned number = 1; number <= INBOX_TRIES; number++) {
		inbox_name(file->file.place.name, &now, file->peer, number);
		if (atomic_file_publish(&file->file, true) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static int publish(struct sink_file *file)
{
	int status = file->sink.is_inbox ? publish_in_inbox(file)
	                                 : atomic_file_publish(&file->file, file->no_clobber);

	file->is_published = status == 0;
	if (file->is_published && file->part.fd != -1)
		part_remove(&file->part);
	return status;
}

/*
 * Syncs what the name has changed: the directory, and the file's count of links, which was 0 when
 * the file was synced, so that a check of the disk would take it for a deleted one. The directory
 * is first: where there is no journal, the file's sync may take along that the old one is gone.
 */
static int sync_name(struct sink_file *file, struct err *err)
{
	if (descriptor_sync(file->dir) == -1)
		return err_sys(err, "%s: fsync of its directory after it got its name",
		    file->sink.name);
	if (descriptor_sync(file->file.fd) == -1)
		return err_sys(err, "%s: fsync after it got its name", file->sink.name);
	return 0;
}

/* Fills err with the errno of a failed commit, or with the stranger's object that is in the way. */
static int fail_commit(const struct sink_file *file, struct err *err)
{
	const struct place *place = &file->file.place;
	struct stat st;

	if (file->file.is_part && errno == ESTALE)
		return part_changed(&file->part, err);
	err_sys(err, "%s", file->sink.name);
	if (err->errnum == EACCES &&
	    fstatat(place->dir, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    place_check(place, &st, err) == -1)
		err_prefix(err, "%s", file->sink.name);
	return -1;
}

static int sink_file_commit(struct sink *sink, int64_t deadline, struct err *err)
{
	struct sink_file *file = (struct sink_file *)sink;

	(void)deadline;
	if (!sink->is_inbox && atomic_file_match(&file->file) == -1)
		return fail_commit(file, err);
	if (descriptor_finish(file->file.fd, file->sync == SINK_SYNC_ALL, err) == -1)
		return err_prefix(err, "%s", sink->name);
	/*
	 * A signal that came during a long fsync(2) still prevents the commit; a later one does
	 * not.
	 */
	if (signals_check(err) == -1)
		return -1;
	if (file->file.is_part && part_check(&file->part, file->file.fd, file->written, err) == -1)
		return -1;
	if (publish(file) == -1)
		return fail_commit(file, err);
	note_made(file);
	if (first_block_is_archive(&file->first))
		sink->hint = "a tar archive, which recv -x unpacks";
	return file->sync == SINK_SYNC_ALL ? sync_name(file, err) : 0;
}

static void sink_file_note(struct sink *sink, char *text, size_t size)
{
	const struct sink_file *file = (struct sink_file *)sink;
	char lost[256];

	if (!file->file.has_old)
		return;
	attributes_lost(&file->file.old, file->file.fd, lost, sizeof(lost));
	if (*lost != '\0')
		snprintf(text, size, "%s: %s", sink->name, lost);
}

/* Puts what has come in the place of the part beside which it was written, if it is more. */
static void replace_part(struct sink_file *file)
{
	struct err ignored;

	if (file->is_published || file->part.fd == -1 || file->written <= file->part.size ||
	    part_check(&file->part, file->part.fd, file->part.size, &ignored) == -1)
		return;
	(void)atomic_file_keep(&file->file, file->part.name, true);
}

static void sink_file_close(struct sink *sink)
{
	struct sink_file *file = (struct sink_file *)sink;

	replace_part(file);
	part_close(&file->part);
	atomic_file_close(&file->file);
	if (file->dir != -1)
		close(file->dir);
	free(file);
}

static const struct sink_type sink_file = {
    .read_part = sink_file_read_part,
    .resume = sink_file_resume,
    .begin = sink_file_begin,
    .write = sink_file_write,
    .commit = sink_file_commit,
    .note = sink_file_note,
    .close = sink_file_close,
};

/* Makes the sink, which takes over place. Returns NULL with err set if memory is short. */
static struct sink_file *new_sink(const char *path, struct place *place, bool is_inbox,
    enum sink_sync sync, struct err *err)
{
	struct sink_file *file = calloc(1, sizeof(*file));

	if (file == NULL) {
		err_sys(err, "%s", path);
		return NULL;
	}
	*file = (struct sink_file){
	    .sink =
		{
		    .type = &sink_file,
		    .name = path,
		    .done = sync == SINK_SYNC_ALL ? "stored on disk" : "stored",
		    .is_inbox = is_inbox,
		},
	    .path = path,
	    .file = {.fd = -1, .place = *place, .syncs = sync != SINK_SYNC_NONE},
	    .sync = sync,
	    .dir = -1,
	    .part = {.fd = -1},
	    .peer = "",
	};
	place->dir = -1;
	place_drop_object(&file->file.place);
	return file;
}

/* Opens the new file in the directory that was found, and for sync the directory, too. */
static int open_there(struct sink_file *file, const struct stat *old, struct err *err)
{
	file->begins_early =
	    file->sync == SINK_SYNC_ALL || (file->sync == SINK_SYNC_REPLACEMENT && old != NULL);
	if (file->sync == SINK_SYNC_ALL) {
		file->dir = openat(file->file.place.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (file->dir == -1)
			return err_sys(err, "%s: %s directory, which -S has to open", file->path,
			    file->sink.is_inbox ? "the" : "its");
	}
	return atomic_file_open(&file->file, file->path, old, err);
}

struct sink *sink_file_open(const char *path, struct place *place, bool no_clobber,
    enum sink_sync sync, bool is_tried, struct err *err)
{
	if (place->is_magic) {
		err_set(err, ERR_FAILED, 0,
		    "%s: the file has no name under which it could be replaced", path);
		return NULL;
	}
	bool has_old = place->object != -1;
	struct sink_file *file = new_sink(path, place, false, sync, err);
	if (file == NULL)
		return NULL;
	file->no_clobber = no_clobber;
	file->file.is_tried = is_tried;
	file->sink.has_part = !is_tried && part_is_there(&file->file.place);
	if (open_there(file, has_old ? &file->file.place.st : NULL, err) == 0)
		return &file->sink;
	sink_close(&file->sink);
	return NULL;
}

int sink_file_take_part(struct sink *sink, struct err *err)
{
	struct sink_file *file = (struct sink_file *)sink;

	if (file->file.is_append_only)
		return err_set(err, ERR_FAILED, EPERM,
		    "%s: the directory is append-only (chattr +a), and a part could not become the "
		    "file",
		    sink->name);
	if (part_open(&file->part, &file->file.place, file->path, err) == -1)
		return -1;
	sink->part = file->part.size;
	/* There is nothing to lose in an empty one. */
	if (file->part.fd != -1 && file->part.size == 0)
		take_over_part(file);
	else
		file->may_keep = file->part.fd == -1;
	return 0;
}

struct sink *sink_file_open_new(const char *path, struct place *place, enum sink_sync sync,
    bool is_tried, struct err *err)
{
	/* The file gets its name at the commit; its path has to fit into PATH_MAX then. */
	if (strlen(path) + 1 + INBOX_NAME_MAX > PATH_MAX) {
		err_set(err, ERR_FAILED, ENAMETOOLONG, "%s", path);
		return NULL;
	}
	place_enter(place);
	struct sink_file *file = new_sink(path, place, true, sync, err);
	if (file == NULL)
		return NULL;
	file->file.example = INBOX_NAME_EXAMPLE;
	file->file.is_tried = is_tried;
	if (open_there(file, NULL, err) == 0)
		return &file->sink;
	sink_close(&file->sink);
	return NULL;
}
