/*
 * The members of an archive as files: what one asks for, and what the file system takes for
 * something else than it is.
 */
#include "data/tree_build.h"

#include "check.h"

struct building {
	struct staging staging;
	struct tree_build *build;
	struct pax_listener listener;
	struct err err;
};

static void begin(struct building *building, int64_t max_entries)
{
	const struct tree_build_limits limits = {.entries = max_entries};
	struct place place;

	*building = (struct building){.err = {.kind = ERR_NONE}};
	CHECK_INT(place_find(&place, "tree", &building->err), 0);
	building->staging.place = place;
	CHECK_INT(staging_open(&building->staging, "tree", false, &building->err), 0);
	building->build = tree_build_new(&building->staging, &limits, &building->err);
	CHECK(building->build != NULL);
	building->listener = tree_build_listener(building->build);
}

static void end(struct building *building)
{
	tree_build_free(building->build);
	staging_close(&building->staging);
	CHECK_INT(rmdir("."), -1); /* there is a tree, or nothing */
}

/* Makes a member, a file with its path as its content. Returns what its listener does. */
static int make(struct building *building, enum pax_type type, const char *path, const char *target)
{
	const struct pax_member member = {
	    .type = type,
	    .path = path,
	    .target = target,
	    .size = type == PAX_FILE ? (int64_t)strlen(path) : 0,
	    .mode = 0755,
	    .mtime = {.tv_sec = -5, .tv_nsec = 7},
	};
	const struct pax_listener *listener = &building->listener;

	if (listener->member(listener->context, &member, &building->err) == -1)
		return -1;
	if (member.size > 0 &&
	    listener->content(listener->context, path, strlen(path), &building->err) == -1)
		return -1;
	return listener->ended(listener->context, &building->err);
}

static int make_file(struct building *building, const char *path)
{
	return make(building, PAX_FILE, path, NULL);
}

static int publish(struct building *building)
{
	if (tree_build_finish(building->build, &building->err) == -1 ||
	    staging_list(&building->staging, &building->err) == -1)
		return -1;
	return staging_publish(&building->staging, tree_build_settle, building->build,
	    &building->err);
}

static void makes(void)
{
	struct building building;
	struct stat st;

	umask(022);
	begin(&building, 6);
	CHECK_INT(make_file(&building, "./a/b/c"), 0);
	CHECK_INT(make(&building, PAX_DIRECTORY, "a", NULL), 0);
	CHECK_INT(make(&building, PAX_HARD_LINK, "again", "a/./b/c"), 0);
	CHECK_INT(make(&building, PAX_SYMLINK, "link", "/etc/passwd"), 0);
	CHECK_INT(make(&building, PAX_HARD_LINK, "a/link too", "link"), 0);
	CHECK_INT(make_file(&building, "one too many"), -1);
	CHECK_HAS(building.err.text, "more than 6");
	CHECK_INT(tree_build_entries(building.build), 6);
	CHECK_INT(publish(&building), 0);
	CHECK_INT((intmax_t)building.staging.count, 3);
	CHECK_INT(stat("tree/a", &st), 0);
	CHECK_INT(st.st_mode & 07777, 0755);
	CHECK_INT(st.st_mtim.tv_sec, -5);
	CHECK_INT(st.st_mtim.tv_nsec, 7);
	CHECK_INT(stat("tree/again", &st), 0);
	CHECK_INT((intmax_t)st.st_nlink, 2);
	CHECK_INT(st.st_size, (intmax_t)strlen("./a/b/c"));
	CHECK_INT(lstat("tree/a/link too", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_INT(stat("tree", &st), 0);
	CHECK_INT(st.st_mode & 07777, 0755);
	end(&building);
}

/*
 * A file system that does not tell A from a finds a directory of the other name: here it is one
 * that no member has made.
 */
static void folded(void)
{
	struct building building;

	begin(&building, 100);
	CHECK_INT(mkdirat(building.staging.root, "A", 0755), 0);
	CHECK_INT(make_file(&building, "A/x"), -1);
	CHECK_HAS(building.err.text, "twice");
	CHECK_INT(make(&building, PAX_DIRECTORY, "A", NULL), -1);
	CHECK_HAS(building.err.text, "twice");
	CHECK_INT(make_file(&building, "b/x"), 0);
	CHECK_INT(mkdirat(building.staging.root, "b/C", 0755), 0);
	CHECK_INT(make_file(&building, "b/C/d/x"), -1);
	CHECK_HAS(building.err.text, "twice");
	end(&building);
	CHECK_INT(access("tree", F_OK), -1);
}

static void masked(void)
{
	static const mode_t masks[] = {0777, 0700, 0277, 077};
	struct building building;
	struct stat st;

	check_as_user();
	for (size_t i = 0; i < ROWS(masks); i++) {
		check_row("%03o", masks[i]);
		umask(masks[i]);
		begin(&building, 100);
		CHECK_INT(make_file(&building, "a/b/c"), 0);
		CHECK_INT(make(&building, PAX_DIRECTORY, "d", NULL), 0);
		CHECK_INT(make_file(&building, "d/e"), 0);
		CHECK_INT(publish(&building), 0);
		CHECK_INT(fstat(building.staging.root, &st), 0);
		CHECK_INT(st.st_mode & 07777, 0777 & ~masks[i]);
		CHECK_INT(fchmod(building.staging.root, 0700), 0);
		CHECK_INT(stat("tree/d", &st), 0);
		CHECK_INT(st.st_mode & 07777, 0755 & ~masks[i]);
		end(&building);
		umask(0);
		CHECK_INT(rename("tree", i == 0 ? "0" : i == 1 ? "1" : i == 2 ? "2" : "3"), 0);
	}
	CHECK_INT(chmod("0/d", 0700) + chmod("1/d", 0700) + chmod("2/d", 0700), 0);
}

int main(void)
{
	promise("files, directories and links are made, with modes and times, up to a limit",
	    makes);
	promise("a directory of a name that is taken for another's is refused", folded);
	promise("a umask that takes the owner's rights keeps no tree from being made", masked);
	return check_end();
}
