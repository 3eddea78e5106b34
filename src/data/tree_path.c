#include "data/tree_path.h"

#include <limits.h>
#include <string.h>

#include "data/temporary.h"

/* How many bytes of a path are shown, of a longer one at each end: there has to be room for why. */
#define SHOWN_MAX 160
#define SHOWN_END 70

int tree_path_refuse(const char *path, int errnum, const char *why, struct err *err)
{
	size_t len = strlen(path);

	if (len <= SHOWN_MAX)
		return err_set(err, ERR_FAILED, 0, "%s: %s%s%s", path, why, errnum == 0 ? "" : ": ",
		    errnum == 0 ? "" : strerror(errnum));
	return err_set(err, ERR_FAILED, 0, "%.*s...%s: %s%s%s", SHOWN_END, path,
	    path + len - SHOWN_END, why, errnum == 0 ? "" : ": ",
	    errnum == 0 ? "" : strerror(errnum));
}

/* Returns what is wrong with a name, of len bytes, in a path; or NULL. */
static const char *fault_of(const char *name, size_t len)
{
	if (len == 0)
		return "refused, a name in its path is empty";
	if (len > NAME_MAX)
		return "refused, a name in its path has more than 255 bytes";
	if (len == 2 && memcmp(name, "..", 2) == 0)
		return "refused, its path has ..";
	if (strncmp(name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0)
		return "refused, such a name is for our temporary files, and may be removed";
	return NULL;
}

int tree_path_clean(char *clean, const char *path, struct err *err)
{
	char *end = clean;
	const char *name = path;

	if (*path == '/')
		return tree_path_refuse(path, 0, "refused, its path is absolute", err);
	if (strlen(path) > PAX_PATH_MAX)
		return tree_path_refuse(path, 0, "refused, its path has more than 64 KiB", err);
	for (;;) {
		size_t len = strcspn(name, "/");
		const char *fault = fault_of(name, len);
		if (fault != NULL)
			return tree_path_refuse(path, 0, fault, err);
		if (len != 1 || *name != '.') {
			if (end != clean)
				*end++ = '/';
			memcpy(end, name, len);
			end += len;
		}
		if (name[len] == '\0')
			break;
		name += len + 1;
	}
	*end = '\0';
	return 0;
}

const char *tree_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}
