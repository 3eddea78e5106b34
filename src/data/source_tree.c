#include "data/source_tree.h"

#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/pax_write.h"
#include "sys/disk_reads.h"
#include "sys/io.h"

/* A file of at most so many bytes is read before its header is written, whose size is true then. */
#define SMALL_MAX ((int64_t)1024 * 1024)

/* A file that may have several names. */
struct identity {
	dev_t dev;
	ino_t ino;
};

/* Such a file, and the first of its names that was sent. */
struct linked {
	struct identity identity;
	char path[];
};

struct source_tree {
	struct source source;
	struct tree_walk_options walk_options;
	struct tree_walk *walk;
	int64_t disk_blocks; /* disk_reads_blocks() at the beginning; -1: none was read yet */
	void *linked;        /* a tree of struct linked (tsearch(3)) */
	/* the file whose content is being read */
	int fd; /* -1: there is none */
	int64_t size;
	int64_t left;
	char *file_name; /* for messages */
	/* what is read next: headers, small files, padding */
	char *ready;
	size_t ready_size;
	size_t ready_taken;
	bool has_ended;
	char directory[PAX_PATH_MAX + 2]; /* the path of one, with a slash at its end */
};

static int compare_identities(const void *a, const void *b)
{
	const struct identity *left = a;
	const struct identity *right = b;

	if (left->dev != right->dev)
		return left->dev < right->dev ? -1 : 1;
	if (left->ino != right->ino)
		return left->ino < right->ino ? -1 : 1;
	return 0;
}

/* Returns the path under which the file was sent already, or NULL. */
static const char *find_linked(const struct source_tree *tree, const struct stat *st)
{
	const struct identity identity = {.dev = st->st_dev, .ino = st->st_ino};

	if (!S_ISREG(st->st_mode) || st->st_nlink == 1)
		return NULL;
	struct linked *const *found = tfind(&identity, &tree->linked, compare_identities);
	return found == NULL ? NULL : (*found)->path;
}

/* Notes the path of a file that may come once more, under another name. */
static int note_linked(struct source_tree *tree, const struct tree_walk_item *item,
    const struct pax_member *member, struct err *err)
{
	size_t size = strlen(item->path) + 1;

	if (member->type != PAX_FILE || item->st.st_nlink == 1)
		return 0;
	struct linked *linked = malloc(sizeof(*linked) + size);
	if (linked == NULL)
		return err_sys(err, "%s", item->name);
	linked->identity = (struct identity){.dev = item->st.st_dev, .ino = item->st.st_ino};
	memcpy(linked->path, item->path, size);
	if (tsearch(linked, &tree->linked, compare_identities) != NULL)
		return 0;
	free(linked);
	return err_sys(err, "%s", item->name);
}

/* Directories have a slash at the end of their paths, as old readers know them by that. */
static const char *path_of(struct source_tree *tree, const struct tree_walk_item *item)
{
	if (!S_ISDIR(item->st.st_mode))
		return item->path;
	snprintf(tree->directory, sizeof(tree->directory), "%s/", item->path);
	return tree->directory;
}

static struct pax_member member_of(struct source_tree *tree, const struct tree_walk_item *item)
{
	const char *first = find_linked(tree, &item->st);
	enum pax_type type = S_ISDIR(item->st.st_mode)   ? PAX_DIRECTORY
	                     : S_ISLNK(item->st.st_mode) ? PAX_SYMLINK
	                     : first != NULL             ? PAX_HARD_LINK
	                                                 : PAX_FILE;

	return (struct pax_member){
	    .type = type,
	    .path = path_of(tree, item),
	    .target = type == PAX_HARD_LINK ? first : item->target,
	    .size = type == PAX_FILE ? item->st.st_size : 0,
	    .mode = item->st.st_mode & 0777,
	    .mtime = item->st.st_mtim,
	};
}

static int became_shorter(const struct source_tree *tree, struct err *err)
{
	return err_set(err, ERR_FAILED, 0,
	    "%s: the file has become shorter: %lld of %lld bytes could be read", tree->file_name,
	    (long long)(tree->size - tree->left), (long long)tree->size);
}

/* Makes the padding of the content that was read ready. */
static void end_content(struct source_tree *tree)
{
	tree->ready_taken = 0;
	tree->ready_size = pax_write_padding(tree->size);
	memset(tree->ready, 0, tree->ready_size);
	close(tree->fd);
	tree->fd = -1;
}

/* Reads from a file that is not small. */
static ssize_t read_content(struct source_tree *tree, char *buffer, size_t size, struct err *err)
{
	if (tree->left < (int64_t)size)
		size = (size_t)tree->left;
	ssize_t n = io_read_file(tree->fd, buffer, size, err);
	if (n == -1)
		return err_prefix(err, "%s: read", tree->file_name);
	if (n == 0)
		return became_shorter(tree, err);
	tree->left -= n;
	if (tree->left == 0)
		end_content(tree);
	return n;
}

/* Reads at most size bytes of the file, up to its end. Returns how many, or -1. */
static ssize_t read_small(int fd, char *buffer, size_t size, struct err *err)
{
	size_t filled = 0;

	while (filled < size) {
		ssize_t n = io_read_file(fd, buffer + filled, size - filled, err);
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		filled += (size_t)n;
	}
	return (ssize_t)filled;
}

/*
 * Makes a small file ready, behind its header, which is written again if the file has become
 * shorter; its length is the same then. Returns 1, 0 if it cannot be read and is left out, or -1.
 */
static int make_small_ready(struct source_tree *tree, const struct tree_walk_item *item,
    struct pax_member *member, struct err *err)
{
	char *content = tree->ready + tree->ready_size;
	ssize_t n = read_small(item->fd, content, (size_t)member->size, err);

	if (n == -1) {
		tree->ready_size = 0;
		return tree_walk_leave_out(tree->walk, err);
	}
	if (n < member->size) {
		member->size = n;
		pax_write_header(tree->ready, member);
	}
	size_t padding = pax_write_padding(n);
	memset(content + n, 0, padding);
	tree->ready_size += (size_t)n + padding;
	return 1;
}

/* Takes over the file for read_content(). */
static int begin_content(struct source_tree *tree, const struct tree_walk_item *item,
    const struct pax_member *member, struct err *err)
{
	tree->fd = item->fd;
	free(tree->file_name);
	tree->file_name = strdup(item->name);
	if (tree->file_name == NULL)
		return err_sys(err, "%s", item->name);
	tree->size = member->size;
	tree->left = member->size;
	return 0;
}

/*
 * Makes the headers of the item ready, and a small file with them, or nothing if it is left out.
 * Returns 0, or -1; the file is taken over in both cases.
 */
static int make_ready(struct source_tree *tree, const struct tree_walk_item *item, struct err *err)
{
	struct pax_member member = member_of(tree, item);
	bool is_large = member.type == PAX_FILE && member.size > SMALL_MAX;

	tree->ready_taken = 0;
	tree->ready_size = pax_write_header(tree->ready, &member);
	int status = 1;
	if (member.type == PAX_FILE && !is_large)
		status = make_small_ready(tree, item, &member, err);
	if (status == 1) {
		tree->source.entries += strcmp(item->path, ".") != 0;
		status = note_linked(tree, item, &member, err);
		if (status == 0 && is_large)
			return begin_content(tree, item, &member, err);
	}
	if (item->fd != -1)
		close(item->fd);
	return status;
}

static void tell_unreadable(const struct source_tree *tree)
{
	const struct tree_walk_options *options = &tree->walk_options;
	size_t count = tree_walk_unreadable(tree->walk);
	char text[LINE_MAX];

	if (count == 0)
		return;
	snprintf(text, sizeof(text), "%s: left out, as it could not be read: %zu %s",
	    tree->source.name, count, count == 1 ? "entry" : "entries");
	options->say(options->context, text);
}

/*
 * Once the disk had to be read, the walk reads ahead. While all is in memory, it would be a third
 * more to do for each file.
 */
static void look_at_disk(struct source_tree *tree)
{
	int64_t blocks = disk_reads_blocks();

	if (tree->disk_blocks == -1)
		tree->disk_blocks = blocks;
	if (blocks > tree->disk_blocks)
		tree_walk_read_ahead(tree->walk);
}

/* Makes what comes next ready: a member, nothing if one was left out, or the end. */
static int go_on(struct source_tree *tree, struct err *err)
{
	struct tree_walk_item item;

	look_at_disk(tree);
	int found = tree_walk_next(tree->walk, &item, err);
	tree->source.left_out = (int64_t)tree_walk_left_out(tree->walk);
	if (found == -1)
		return -1;
	if (found == 1)
		return make_ready(tree, &item, err);
	tell_unreadable(tree);
	tree->has_ended = true;
	tree->ready_taken = 0;
	tree->ready_size = PAX_END_SIZE;
	memset(tree->ready, 0, PAX_END_SIZE);
	return 0;
}

static size_t take_ready(struct source_tree *tree, char *buffer, size_t size)
{
	size_t left = tree->ready_size - tree->ready_taken;

	if (size > left)
		size = left;
	memcpy(buffer, tree->ready + tree->ready_taken, size);
	tree->ready_taken += size;
	return size;
}

int source_tree_measure(struct source *source, int64_t *bytes, struct err *err)
{
	struct source_tree *tree = (struct source_tree *)source;
	struct tree_walk_item item;
	int found = tree_walk_next(tree->walk, &item, err);

	if (found != 1) {
		*bytes += found == 0 ? (int64_t)PAX_END_SIZE : 0;
		return found;
	}
	struct pax_member member = member_of(tree, &item);
	*bytes += (int64_t)pax_write_header(tree->ready, &member) + member.size +
	          (int64_t)pax_write_padding(member.size);
	int status = note_linked(tree, &item, &member, err);
	if (item.fd != -1)
		close(item.fd);
	return status == -1 ? -1 : 1;
}

static ssize_t source_tree_read(struct source *source, void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	struct source_tree *tree = (struct source_tree *)source;
	char *bytes = buffer;
	size_t filled = 0;
	ssize_t n = 0;

	(void)deadline;
	while (filled < size && n != -1) {
		/* The first member goes alone: what fails later is no stray to the receiver. */
		if (filled > 0 && source->taken == 0)
			break;
		if (tree->ready_taken < tree->ready_size)
			n = (ssize_t)take_ready(tree, bytes + filled, size - filled);
		else if (tree->fd != -1)
			n = read_content(tree, bytes + filled, size - filled, err);
		else if (tree->has_ended)
			break;
		else
			n = go_on(tree, err);
		filled += n == -1 ? 0 : (size_t)n;
	}
	return n == -1 ? -1 : (ssize_t)filled;
}

static void source_tree_close(struct source *source)
{
	struct source_tree *tree = (struct source_tree *)source;

	tdestroy(tree->linked, free);
	tree_walk_free(tree->walk);
	if (tree->fd != -1)
		close(tree->fd);
	free(tree->file_name);
	free(tree->ready);
	free(tree);
}

static const struct source_type source_tree = {
    .read = source_tree_read,
    .close = source_tree_close,
};

struct source *source_tree_open(const struct tree_walk_options *options, int first,
    const char *name, struct err *err)
{
	struct source_tree *tree = calloc(1, sizeof(*tree));

	if (tree == NULL) {
		err_sys(err, "%s", name);
		return NULL;
	}
	tree->source = (struct source){
	    .type = &source_tree,
	    .name = name,
	    .size = SOURCE_SIZE_UNKNOWN,
	    .is_tree = true,
	    .reopens = true,
	};
	tree->fd = -1;
	tree->disk_blocks = -1;
	tree->walk_options = *options;
	tree->ready = malloc(PAX_HEADER_MAX + (size_t)SMALL_MAX + PAX_BLOCK);
	if (tree->ready == NULL)
		err_sys(err, "%s", name);
	else
		tree->walk = tree_walk_new(&tree->walk_options, first, err);
	if (tree->walk != NULL)
		return &tree->source;
	source_tree_close(&tree->source);
	return NULL;
}
