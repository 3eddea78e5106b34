/*
 * Gives a fuzz target the inputs of its corpus, without libFuzzer: each whole, and each cut off after
 * every of its bytes. It is linked with one target and is one test.
 *
 * usage: NAME [FILE | DIRECTORY]...     without operands: test/fuzz/corpus/NAME
 */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_MAX 65536

#define TIME_LIMIT 60 /* seconds for a file: a bound for what hangs */

static int inputs;
static int broken;

/* A copy of just that size, so that a sanitizer sees a read beyond it. */
static void try_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	MUST(copy != NULL);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void try_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	FILE *file = fopen(path, "rb");

	MUST(file != NULL);
	size_t size = fread(data, 1, sizeof(data), file);
	MUST(!ferror(file) && feof(file));
	fclose(file);
	for (size_t len = 0; len <= size; len++)
		try_input(data, len);
}

/* Each file has a process of its own, so that one that crashes is named and spoils no other. */
static void replay_file(const char *path)
{
	int status = -1;

	pid_t child = fork();
	if (child == 0) {
		alarm(TIME_LIMIT);
		try_file(path);
		exit(0);
	}
	MUST(child != -1 && waitpid(child, &status, 0) == child);
	inputs++;
	if (status == 0)
		return;
	broken++;
	fprintf(stderr, "# %s: %s\n", path,
	    WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exits");
}

static void replay_directory(const char *path)
{
	struct dirent **entries;
	char file[4096];
	int count = scandir(path, &entries, NULL, alphasort);

	MUST(count != -1);
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			replay_file(file);
		free(entries[i]);
	}
	free(entries);
}

static void replay(const char *path)
{
	struct stat st;

	MUST(stat(path, &st) == 0);
	if (S_ISDIR(st.st_mode))
		replay_directory(path);
	else
		replay_file(path);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash == NULL ? argv[0] : slash + 1;
	char corpus[4096];

	snprintf(corpus, sizeof(corpus), "test/fuzz/corpus/%s", name);
	if (argc == 1)
		replay(corpus);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	MUST(inputs > 0);
	printf(
	    "%s 1 - what the fuzz target %s asserts holds for %d inputs and their beginnings\n1..1\n",
	    broken == 0 ? "ok" : "not ok", name, inputs);
	return broken == 0 ? 0 : 1;
}
