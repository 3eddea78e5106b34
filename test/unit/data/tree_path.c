/* Paths of an archive's members: which are names in a tree, and how the others are refused. */
#include "data/tree_path.h"

#include "check.h"

static void taken(void)
{
	static const struct {
		const char *path;
		const char *clean;
	} rows[] = {
	    {"a", "a"},
	    {"a/b", "a/b"},
	    {"./a", "a"},
	    {"././a/b", "a/b"},
	    {"a/./b", "a/b"},
	    {"a/.", "a"},
	    {".", ""},
	    {"./.", ""},
	    {"...", "..."},
	    {"..a/b..", "..a/b.."},
	    {" ", " "},
	    {".sockxfer", ".sockxfer"},
	    {"x.sockxfer.01.a", "x.sockxfer.01.a"},
	    {"\\\n\xff", "\\\n\xff"},
	};
	char clean[TREE_PATH_MAX];
	struct err err = {.kind = ERR_NONE};

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%s", rows[i].path);
		CHECK_INT(tree_path_clean(clean, rows[i].path, &err), 0);
		CHECK_STR(clean, rows[i].clean);
	}
}

static void refused(void)
{
	static const struct {
		const char *path;
		const char *why;
	} rows[] = {
	    {"", "empty"},
	    {"/", "absolute"},
	    {"/etc/passwd", "absolute"},
	    {"//a", "absolute"},
	    {"a//b", "empty"},
	    {".//a", "empty"},
	    {"a/", "empty"},
	    {"..", ".."},
	    {"../a", ".."},
	    {"a/../b", ".."},
	    {"a/..", ".."},
	    {"./../a", ".."},
	    {"././/../a", "empty"},
	    {".sockxfer.", "temporary"},
	    {".sockxfer.01.a", "temporary"},
	    {"a/.sockxfer.01.a/b", "temporary"},
	};
	char clean[TREE_PATH_MAX];
	struct err err = {.kind = ERR_NONE};

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%s", rows[i].path);
		CHECK_INT(tree_path_clean(clean, rows[i].path, &err), -1);
		CHECK_INT(err.kind, ERR_FAILED);
		CHECK_HAS(err.text, rows[i].why);
	}
}

static void lengths(void)
{
	char path[PAX_PATH_MAX + 2];
	char clean[TREE_PATH_MAX];
	struct err err = {.kind = ERR_NONE};

	memset(path, 'x', sizeof(path));
	path[255] = '\0';
	CHECK_INT(tree_path_clean(clean, path, &err), 0);
	CHECK_STR(clean, path);
	path[255] = 'x';
	path[256] = '\0';
	CHECK_INT(tree_path_clean(clean, path, &err), -1);
	CHECK_HAS(err.text, "255");
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 2 == 0 ? 'x' : '/';
	path[PAX_PATH_MAX - 1] = '\0';
	CHECK_INT(tree_path_clean(clean, path, &err), 0);
	CHECK_INT((intmax_t)strlen(clean), PAX_PATH_MAX - 1);
	path[PAX_PATH_MAX - 1] = 'x';
	path[PAX_PATH_MAX] = 'x';
	path[PAX_PATH_MAX + 1] = '\0';
	CHECK_INT(tree_path_clean(clean, path, &err), -1);
	CHECK_HAS(err.text, "64 KiB");
	CHECK(strlen(err.text) < 220);
}

int main(void)
{
	promise("a path of names is taken, without the dots that mean nothing", taken);
	promise("a path that is absolute, leads up or has an empty name is refused", refused);
	promise("a name has 255 bytes and a path 64 KiB at the most, and the refusal is short",
	    lengths);
	return check_end();
}
