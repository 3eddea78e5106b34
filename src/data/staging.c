#include "data/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path_name.h"
#include "data/inbox_name.h"
#include "data/obstacle.h"
#include "data/rename_new.h"
#include "data/tree_remove.h"
#include "sys/descriptor.h"

static const struct staging closed = {.root = -1, .place = {.dir = -1, .object = -1}};

/* What a process that moves the entries tells the one that waits for it. */
struct answer {
	int errnum;    /* 0: all have their place */
	size_t failed; /* which one has not */
};

/* Returns the name for which the temporary names stand. */
static const char *named_after(const struct staging *staging)
{
	return staging->is_inside ? INBOX_NAME_EXAMPLE : staging->place.name;
}

int staging_open(struct staging *staging, const char *path, bool is_tried, struct err *err)
{
	int dir = staging->place.dir;
	bool is_append_only;

	staging->root = -1;
	staging->temp[0] = '\0';
	if (obstacle_check(&staging->place, path, NULL, &is_append_only, err) == -1)
		return -1;
	if (is_append_only)
		return err_set(err, ERR_FAILED, EPERM,
		    "%s: the directory is append-only (chattr +a), and a tree could not be moved "
		    "there",
		    path);
	temporary_sweep(dir, named_after(staging), geteuid());
	if (!is_tried)
		temporary_sweep_directories(dir);
	staging->root = temporary_open_directory(staging->temp, dir, named_after(staging));
	if (staging->root != -1)
		return 0;
	staging->temp[0] = '\0';
	return err_sys(err, "%s", path);
}

bool staging_is_taken(const struct staging *staging, const char *name)
{
	struct stat st;

	return staging->is_inside &&
	       fstatat(staging->place.dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_name(struct staging *staging, size_t *room, const char *name)
{
	if (staging->count == *room) {
		size_t wanted = *room == 0 ? 64 : *room * 2;
		char **names = reallocarray(staging->names, wanted, sizeof(*names));
		if (names == NULL)
			return -1;
		staging->names = names;
		*room = wanted;
	}
	staging->names[staging->count] = strdup(name);
	if (staging->names[staging->count] == NULL)
		return -1;
	staging->count++;
	return 0;
}

/* Reads the names from the stream. Returns 0, or -1 with errno set. */
static int read_names(struct staging *staging, DIR *stream)
{
	const struct dirent *entry;
	size_t room = 0;

	for (;;) {
		errno = 0;
		entry = readdir(stream);
		if (entry == NULL)
			return errno == 0 ? 0 : -1;
		if (!path_name_is_dots(entry->d_name, strlen(entry->d_name)) &&
		    list_name(staging, &room, entry->d_name) == -1)
			return -1;
	}
}

int staging_list(struct staging *staging, struct err *err)
{
	int fd = openat(staging->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd == -1 ? NULL : fdopendir(fd);

	if (stream == NULL) {
		err_sys(err, "its entries");
		if (fd != -1)
			close(fd);
		return -1;
	}
	int status = read_names(staging, stream);
	if (status == -1)
		err_sys(err, "its entries");
	closedir(stream);
	if (status == 0 && staging->count > 0)
		qsort(staging->names, staging->count, sizeof(*staging->names), compare_entries);
	return status;
}

/* Whether the entry was moved: the private directory does not have it any more. */
static bool has_moved(const struct staging *staging, const char *name)
{
	struct stat st;

	return fstatat(staging->root, name, &st, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT;
}

/* Takes the entries back that have been moved. */
static void take_back(const struct staging *staging)
{
	for (size_t i = 0; i < staging->count; i++) {
		const char *name = staging->names[i];
		if (has_moved(staging, name))
			(void)rename_new(staging->place.dir, name, staging->root, name);
	}
}

static bool have_all_moved(const struct staging *staging)
{
	size_t i = 0;

	while (i < staging->count && has_moved(staging, staging->names[i]))
		i++;
	return i == staging->count;
}

static struct answer move_all(const struct staging *staging)
{
	struct answer answer = {.errnum = 0};

	for (size_t i = 0; i < staging->count && answer.errnum == 0; i++) {
		const char *name = staging->names[i];
		if (rename_new(staging->root, name, staging->place.dir, name) == -1)
			answer = (struct answer){.errnum = errno, .failed = i};
	}
	if (answer.errnum != 0)
		take_back(staging);
	return answer;
}

/* Ends what is left to do when all have their place. */
static void settle_all(const struct staging *staging, void (*settle)(void *context, int dir),
    void *context)
{
	settle(context, staging->place.dir);
	(void)unlinkat(staging->place.dir, staging->temp, AT_REMOVEDIR);
}

static struct answer move_and_settle(const struct staging *staging,
    void (*settle)(void *context, int dir), void *context)
{
	struct answer answer = move_all(staging);

	if (answer.errnum == 0)
		settle_all(staging, settle, context);
	return answer;
}

/* Waits for the child's answer, which is ECANCELED if none came. */
static struct answer read_moved(int fd)
{
	struct answer answer;
	ssize_t n;

	do {
		n = read(fd, &answer, sizeof(answer));
	} while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(answer))
		answer = (struct answer){.errnum = ECANCELED};
	return answer;
}

/*
 * Calls move_and_settle() in a child: if this process is killed, the child goes on to its end; if
 * the child is, the entries that it has moved are taken back, unless they are all.
 */
static struct answer move_in_child(const struct staging *staging,
    void (*settle)(void *context, int dir), void *context)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return move_and_settle(staging, settle, context);
	pid_t pid = fork();
	if (pid == 0) {
		struct answer moved = move_and_settle(staging, settle, context);
		_exit(write(ends[1], &moved, sizeof(moved)) == -1 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	close(ends[1]);
	struct answer answer =
	    pid == -1 ? move_and_settle(staging, settle, context) : read_moved(ends[0]);
	close(ends[0]);
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	if (answer.errnum != ECANCELED)
		return answer;
	if (!have_all_moved(staging)) {
		take_back(staging);
		return answer;
	}
	settle_all(staging, settle, context);
	return (struct answer){.errnum = 0};
}

static int refuse_taken(const char *name, struct err *err)
{
	return err_set(err, ERR_FAILED, 0, "%s: there is one already, and nothing is replaced",
	    name);
}

static int publish_entries(struct staging *staging, void (*settle)(void *context, int dir),
    void *context, struct err *err)
{
	for (size_t i = 0; i < staging->count; i++) {
		if (staging_is_taken(staging, staging->names[i]))
			return refuse_taken(staging->names[i], err);
	}
	const struct answer answer = move_in_child(staging, settle, context);
	if (answer.errnum == 0)
		return 0;
	if (answer.errnum == EEXIST)
		return refuse_taken(staging->names[answer.failed], err);
	if (answer.errnum == ECANCELED)
		return err_set(err, ERR_FAILED, 0, "the process that moves its entries was killed");
	return err_set(err, ERR_FAILED, answer.errnum, "%s", staging->names[answer.failed]);
}

static int publish_directory(struct staging *staging, void (*settle)(void *context, int dir),
    void *context, struct err *err)
{
	const struct place *place = &staging->place;
	int status = rename_new(place->dir, staging->temp, place->dir, place->name);
	int errnum = errno;

	if (status == -1 && !descriptor_is_named(staging->root, place->dir, place->name)) {
		if (errnum == EEXIST)
			return err_set(err, ERR_FAILED, 0,
			    "there is one already, and nothing is replaced");
		return err_set(err, ERR_FAILED, errnum, "rename");
	}
	staging->temp[0] = '\0';
	settle(context, staging->root);
	return 0;
}

int staging_publish(struct staging *staging, void (*settle)(void *context, int dir), void *context,
    struct err *err)
{
	return staging->is_inside ? publish_entries(staging, settle, context, err)
	                          : publish_directory(staging, settle, context, err);
}

int staging_sync_place(const struct staging *staging)
{
	int dir = openat(staging->place.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir == -1)
		return -1;
	int status = descriptor_sync(dir);
	int errnum = errno;
	close(dir);
	errno = errnum;
	return status;
}

void staging_close(struct staging *staging)
{
	if (staging->temp[0] != '\0' &&
	    descriptor_is_named(staging->root, staging->place.dir, staging->temp))
		(void)tree_remove(staging->root, staging->place.dir, staging->temp);
	if (staging->root != -1)
		close(staging->root);
	for (size_t i = 0; i < staging->count; i++)
		free(staging->names[i]);
	free(staging->names);
	place_close(&staging->place);
	*staging = closed;
}
