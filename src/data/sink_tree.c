#include "data/sink_tree.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path_name.h"
#include "data/first_block.h"
#include "data/pax_read.h"
#include "data/staging.h"
#include "sys/signals.h"

struct sink_tree {
	struct sink sink;
	char *path;          /* without slashes at its end */
	char made[PATH_MAX]; /* for sink.made */
	enum sink_sync sync;
	struct staging staging;
	struct tree_build *build;
	struct pax_listener listener; /* of build, for the reader */
	struct pax_reader *reader;
	struct first_block first;
};

/*
 * Puts the sink's name before what is wrong with the stream, or says instead that it is no archive.
 */
static int fail_archive(const struct sink_tree *tree, struct err *err)
{
	const struct first_block_packer *packer = first_block_packed_by(&tree->first);

	if (err->kind != ERR_FAILED || first_block_is_archive(&tree->first))
		return err_prefix(err, "%s", tree->sink.name);
	if (packer != NULL)
		return err_set(err, ERR_FAILED, 0,
		    "%s: not a tar archive, but compressed by %s: send it uncompressed, or receive "
		    "it by -- %s",
		    tree->sink.name, packer->program, packer->command);
	return err_set(err, ERR_FAILED, 0,
	    "%s: not a tar archive: the sender needs --named, or has to send a directory",
	    tree->sink.name);
}

static int sink_tree_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	struct sink_tree *tree = (struct sink_tree *)sink;

	(void)deadline;
	first_block_add(&tree->first, buffer, size);
	int status = pax_reader_write(tree->reader, buffer, size, err);
	sink->entries = tree_build_entries(tree->build);
	return status == -1 ? fail_archive(tree, err) : 0;
}

/* Fills in what the commit is going to have made: the path of each entry, with a NUL behind it. */
static int prepare_list(struct sink_tree *tree, struct err *err)
{
	const struct staging *staging = &tree->staging;
	const char *path = *tree->made == '\0' ? tree->path : tree->made;
	const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
	size_t size = 1;

	for (size_t i = 0; i < staging->count; i++)
		size += strlen(path) + strlen(slash) + strlen(staging->names[i]) + 1;
	char *list = malloc(size);
	if (list == NULL)
		return err_sys(err, "its entries");
	char *end = list;
	for (size_t i = 0; i < staging->count; i++) {
		end = stpcpy(stpcpy(stpcpy(end, path), slash), staging->names[i]) + 1;
	}
	tree->sink.made_list = list;
	tree->sink.made_size = (size_t)(end - list);
	return 0;
}

/* Finds out where the tree is going to be, if a directory above it was moved. */
static void find_made(struct sink_tree *tree)
{
	if (!place_has_moved(&tree->staging.place, tree->path, tree->made))
		*tree->made = '\0';
}

/* Waits until all that the file system has is on its device; it is heard if a write has failed. */
static int sync_all(const struct sink_tree *tree, const char *when, struct err *err)
{
	return syncfs(tree->staging.root) == 0 ? 0 : err_sys(err, "syncfs%s", when);
}

static int store_tree(struct sink_tree *tree, struct err *err)
{
	if (tree_build_finish(tree->build, err) == -1)
		return -1;
	if (tree->sync == SINK_SYNC_ALL && sync_all(tree, "", err) == -1)
		return -1;
	find_made(tree);
	/* A signal that came meanwhile still prevents the commit; a later one does not. */
	if (signals_check(err) == -1 || staging_list(&tree->staging, err) == -1 ||
	    prepare_list(tree, err) == -1)
		return -1;
	return staging_publish(&tree->staging, tree_build_settle, tree->build, err);
}

static int sink_tree_commit(struct sink *sink, int64_t deadline, struct err *err)
{
	struct sink_tree *tree = (struct sink_tree *)sink;

	(void)deadline;
	if (pax_reader_finish(tree->reader, err) == -1)
		return fail_archive(tree, err);
	if (store_tree(tree, err) == -1) {
		free(sink->made_list);
		sink->made_list = NULL;
		return err_prefix(err, "%s", sink->name);
	}
	sink->entries = tree_build_entries(tree->build);
	if (*tree->made != '\0') {
		sink->made = tree->made;
		sink->name = tree->made;
	}
	if (tree->sync != SINK_SYNC_ALL)
		return 0;
	/* Modes, too, may have changed since. */
	if (sync_all(tree, " after it got its name", err) == -1)
		return err_prefix(err, "%s", sink->name);
	if (staging_sync_place(&tree->staging) == -1)
		return err_sys(err, "%s: fsync of its directory after it got its name", sink->name);
	return 0;
}

static void sink_tree_note(struct sink *sink, char *text, size_t size)
{
	const struct sink_tree *tree = (const struct sink_tree *)sink;

	if (tree_build_lost_attributes(tree->build))
		snprintf(text, size, "%s: the file system took not all modes and times",
		    sink->name);
}

static void sink_tree_close(struct sink *sink)
{
	struct sink_tree *tree = (struct sink_tree *)sink;

	pax_reader_free(tree->reader);
	tree_build_free(tree->build);
	staging_close(&tree->staging);
	free(sink->made_list);
	free(tree->path);
	free(tree);
}

static const struct sink_type sink_tree = {
    .write = sink_tree_write,
    .commit = sink_tree_commit,
    .note = sink_tree_note,
    .close = sink_tree_close,
};

/* Makes the sink, which takes over place. Returns NULL with err set if memory is short. */
static struct sink_tree *new_tree(const char *path, struct place *place, enum sink_sync sync,
    struct err *err)
{
	struct sink_tree *tree = calloc(1, sizeof(*tree));
	char *copy = strndup(path, path_name_end(path));

	if (tree == NULL || copy == NULL) {
		err_sys(err, "%s", path);
		free(copy);
		free(tree);
		return NULL;
	}
	*tree = (struct sink_tree){
	    .sink =
		{
		    .type = &sink_tree,
		    .name = copy,
		    .done = sync == SINK_SYNC_ALL ? "stored on disk" : "stored",
		    .is_inbox = place->object != -1,
		    .is_tree = true,
		},
	    .path = copy,
	    .sync = sync,
	    .staging = {.place = *place, .is_inside = place->object != -1, .root = -1},
	};
	place->dir = -1;
	if (tree->staging.is_inside)
		place_enter(&tree->staging.place);
	place_drop_object(&tree->staging.place);
	return tree;
}

/* Opens what the tree needs. Returns 0, or -1. */
static int open_parts(struct sink_tree *tree, const struct tree_build_limits *limits, bool is_tried,
    struct err *err)
{
	if (staging_open(&tree->staging, tree->path, is_tried, err) == -1)
		return -1;
	tree->build = tree_build_new(&tree->staging, limits, err);
	if (tree->build == NULL)
		return err_prefix(err, "%s", tree->path);
	tree->listener = tree_build_listener(tree->build);
	tree->reader = pax_reader_new(&tree->listener, err);
	return tree->reader == NULL ? err_prefix(err, "%s", tree->path) : 0;
}

struct sink *sink_tree_open(const char *path, struct place *place,
    const struct tree_build_limits *limits, enum sink_sync sync, bool is_tried, struct err *err)
{
	struct sink_tree *tree = new_tree(path, place, sync, err);

	if (tree == NULL)
		return NULL;
	if (open_parts(tree, limits, is_tried, err) == 0)
		return &tree->sink;
	sink_close(&tree->sink);
	return NULL;
}
