#include "job/first_walk.h"

#include "data/source_tree.h"

/* What is left out is said by the walk whose entries are sent. */
static void say_nothing(void *context, const char *text)
{
	(void)context;
	(void)text;
}

struct first_walk first_walk_of(const struct tree_walk_options *files, struct progress *progress)
{
	struct first_walk walk = {.files = *files, .progress = progress};

	walk.files.say = say_nothing;
	walk.files.skips_unreadable = true;
	return walk;
}

bool first_walk_go_on(void *context)
{
	struct first_walk *walk = context;
	struct err ignored = {.kind = ERR_NONE};

	if (walk->source == NULL)
		walk->source = source_tree_open(&walk->files, -1, walk->files.paths[0], &ignored);
	if (walk->source == NULL)
		return false;
	int status = source_tree_measure(walk->source, &walk->bytes, &ignored);
	if (status == 1)
		return true;
	if (status == 0)
		progress_note_total(walk->progress, walk->bytes);
	first_walk_close(walk);
	return false;
}

void first_walk_close(struct first_walk *walk)
{
	source_close(walk->source);
	walk->source = NULL;
}
