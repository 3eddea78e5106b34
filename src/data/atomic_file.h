/*
 * A file that appears under its name in one step: before it, the name is free or belongs to the old
 * file; after it, the name belongs to the new file. Until then the new file has no name (O_TMPFILE)
 * or, if the file system cannot do that, a temporary name in the same directory (temporary.h).
 * No function here blocks for longer than the file system takes.
 */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "data/attributes.h"
#include "data/temporary.h"
#include "sys/place.h"

struct atomic_file {
	int fd;             /* the new file, for writing; -1: it is not open */
	struct place place; /* where it appears; found by the caller */
	/*
	 * For a file that gets its name only at the end: a name like that one, and then it appears
	 * by a rename, which tells a watcher of the directory (inotify(7), IN_MOVED_TO) that all of
	 * it is there. NULL: its name is in place. Set by the caller.
	 */
	const char *example;
	bool syncs; /* it is on the disk before it takes the place of another; set by the caller */
	bool is_tried;            /* this place has been opened before; set by the caller */
	bool is_nameless;         /* it has no name yet */
	bool is_append_only;      /* names in the directory can be neither changed nor removed */
	char temp[TEMPORARY_MAX]; /* its temporary name there; "": it has none */
	bool is_part;             /* temp is the name of a part, which it keeps when it is closed */
	bool is_private;          /* it has fewer rights than a new file */
	struct attributes fresh;  /* those of a new file, if it replaces none */
	bool has_old;             /* there is a file that it replaces, or was when it was opened */
	struct attributes old;    /* of that file, as last seen */
	bool is_like_old;         /* the new file has them, or if there is none the fresh ones */
};

/*
 * Opens the new file for writing, in the directory of file->place. path is for messages. old is the
 * file that the new one is going to replace, or NULL. Whatever would keep the new file from getting
 * its name is an error now: an old file that we may not replace, a name that the file system does
 * not take. Unless file->is_tried, the step itself is tried, with a file without data. With old the
 * new file is private until it is matched; without old its mode is 0666 less the umask. Returns 0,
 * or -1 with ERR_FAILED; the caller closes file in both cases.
 */
int atomic_file_open(struct atomic_file *file, const char *path, const struct stat *old,
    struct err *err);

/*
 * Gives the new file, as much as there is of it, a name of its own in the directory, which it keeps
 * when it is closed: it is a part then, for nobody but us, and appended to. If replaces, it takes
 * the place of what has the name. Returns 0, or -1 with errno set, to EEXIST if the name is taken;
 * then it is private, and otherwise as it was.
 */
int atomic_file_keep(struct atomic_file *file, const char *name, bool replaces);

/*
 * Puts the part fd, which has that name in the directory, and a lock, in the place of the new file,
 * of which nothing stays. fd becomes the file's.
 */
void atomic_file_go_on(struct atomic_file *file, int fd, const char *name);

/*
 * Gives the new file the attributes of the file that has the name now, or if none has it of the one
 * that had it when it was opened (attributes_give()). If there was none, or it is no regular file,
 * the new one stays as it is, or gets those of a new file if it was made private. Of another user's
 * that came during the transfer, in a directory that others may write to, only the mode counts, and
 * only to take rights away. Returns 0, or -1 with errno set, to EACCES if it is a stranger's
 * (place.h). atomic_file_publish() does the same at the last moment; the caller does it before
 * fsync(2), which syncs them.
 */
int atomic_file_match(struct atomic_file *file);

/*
 * Gives the file its name, and so replaces an old file of that name; if no_clobber, an old file
 * makes it fail with EEXIST. Returns 0 if the file has its name then, also where a call has failed;
 * else -1 with errno set, to ESTALE if another file has the name of the part that it was. After
 * EEXIST the caller may try again with another name.
 */
int atomic_file_publish(struct atomic_file *file, bool no_clobber);

/*
 * Closes the file and its place, and removes its temporary name, if it has one. A part stays, and
 * is ours and private again. A second call does nothing.
 */
void atomic_file_close(struct atomic_file *file);

#endif
