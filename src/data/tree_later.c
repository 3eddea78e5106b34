#include "data/tree_later.h"

#include <stdlib.h>
#include <string.h>

/* What stands before the two strings of a member. */
struct head {
	struct timespec mtime;
	enum pax_type type;
	mode_t mode;
	size_t path;   /* bytes, its NUL counted */
	size_t target; /* the same; 0: there is none */
};

/* Makes room for another member, of so many bytes. Returns 0, or -1 with errno set. */
static int grow(struct tree_later *later, size_t size)
{
	if (later->room - later->used < size) {
		size_t room = 2 * later->room + size + 4096;
		char *bytes = realloc(later->bytes, room);
		if (bytes == NULL)
			return -1;
		later->bytes = bytes;
		later->room = room;
	}
	if (later->count == later->slots) {
		size_t slots = 2 * later->slots + 64;
		size_t *at = reallocarray(later->at, slots, sizeof(*at));
		if (at == NULL)
			return -1;
		later->at = at;
		later->slots = slots;
	}
	return 0;
}

int tree_later_add(struct tree_later *later, const struct pax_member *member, const char *path,
    struct err *err)
{
	const struct head head = {
	    .mtime = member->mtime,
	    .type = member->type,
	    .mode = member->mode,
	    .path = strlen(path) + 1,
	    .target = member->target == NULL ? 0 : strlen(member->target) + 1,
	};
	size_t size = sizeof(head) + head.path + head.target;

	if (size > TREE_LATER_MAX - later->used)
		return err_set(err, ERR_FAILED, 0,
		    "too many directories and links: their names take more than %zu MiB",
		    TREE_LATER_MAX / 1024 / 1024);
	if (grow(later, size) == -1)
		return err_sys(err, "names of directories and links");
	char *at = later->bytes + later->used;
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), path, head.path);
	if (head.target > 0)
		memcpy(at + sizeof(head) + head.path, member->target, head.target);
	later->at[later->count++] = later->used;
	later->used += size;
	return 0;
}

void tree_later_get(const struct tree_later *later, size_t index, struct pax_member *member)
{
	const char *at = later->bytes + later->at[index];
	struct head head;

	memcpy(&head, at, sizeof(head));
	*member = (struct pax_member){
	    .type = head.type,
	    .path = at + sizeof(head),
	    .target = head.target == 0 ? NULL : at + sizeof(head) + head.path,
	    .mode = head.mode,
	    .mtime = head.mtime,
	};
}

/* Compares by the length of the path: a directory's is shorter than those of what is in it. */
static int compare_lengths(const void *a, const void *b, void *bytes)
{
	struct head first;
	struct head second;

	memcpy(&first, (const char *)bytes + *(const size_t *)a, sizeof(first));
	memcpy(&second, (const char *)bytes + *(const size_t *)b, sizeof(second));
	return (first.path < second.path) - (first.path > second.path);
}

void tree_later_sort(struct tree_later *later)
{
	if (later->count > 0)
		qsort_r(later->at, later->count, sizeof(*later->at), compare_lengths, later->bytes);
}

void tree_later_clear(struct tree_later *later)
{
	free(later->bytes);
	free(later->at);
	*later = (struct tree_later){.bytes = NULL};
}
