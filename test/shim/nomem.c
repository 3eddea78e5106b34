/*
 * Preloaded (LD_PRELOAD), this makes one allocation fail with ENOMEM, and counts what is not freed.
 *
 *	NOMEM_AT   the number of the allocation that fails, from 1; none if it is 0 or not set
 *	NOMEM_STAY if set, so do all that come after it
 *	NOMEM_LOG  a file that gets a line at exit, "57 allocations, 1 failed, 0 left", and one for each block
 *	           that is left: its number, its size, and the library or program that asked for it
 *
 * The C library's own allocations (getaddrinfo, stdio, threads) come by here too. Those that it keeps
 * on purpose are freed before the count, so that what is left is a leak. Only the program itself is
 * treated so, not the commands that it starts.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCKS_MAX 65536
#define ALIGNMENT 16
#define EARLY_MAX 65536

/* How often, a millisecond apart, threads are looked at that are about to end. */
#define THREAD_TRIES 2000

struct block {
	void *address;
	size_t size;
	unsigned long number;
	void *caller;
};

/* glibc's, for tools as this one: frees what it would keep to the end. */
extern void __libc_freeres(void) __attribute__((weak));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block blocks[BLOCKS_MAX];
static size_t left;
static unsigned long count;
static unsigned long failed;
static unsigned long fail_at;
static bool stay;
static bool counting; /* not before the program's settings are read, nor after the end */

/* What dlsym() needs for itself, when the functions that it looks for are not found yet. */
static _Alignas(ALIGNMENT) char early[EARLY_MAX];
static size_t early_used;

static struct {
	void *(*malloc)(size_t);
	void *(*realloc)(void *, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void (*free)(void *);
} next;

/* ISO C has no cast from void * to a function. */
static void find(void *function, const char *name)
{
	void *object = dlsym(RTLD_NEXT, name);

	memcpy(function, &object, sizeof(object));
}

static void find_all(void)
{
	static bool finding;

	if (finding)
		return;
	finding = true;
	find(&next.realloc, "realloc");
	find(&next.aligned_alloc, "aligned_alloc");
	find(&next.free, "free");
	find(&next.malloc, "malloc");
}

static bool is_early(const void *address)
{
	return (const char *)address >= early && (const char *)address < early + sizeof(early);
}

static void *allocate_early(size_t size)
{
	void *address = early + early_used;

	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (size > sizeof(early) - early_used)
		abort();
	early_used += size;
	return address;
}

/* Whether this allocation may succeed. Called with the lock held, as the two below. */
static bool count_one(void)
{
	if (!counting)
		return true;
	count++;
	if (fail_at == 0 || (count != fail_at && !(stay && count > fail_at)))
		return true;
	failed++;
	errno = ENOMEM;
	return false;
}

static void remember(void *address, size_t size, void *caller)
{
	if (!counting || address == NULL)
		return;
	if (left == BLOCKS_MAX)
		abort();
	blocks[left++] = (struct block){address, size, count, caller};
}

static void forget(const void *address)
{
	for (size_t i = left; i > 0; i--) {
		if (blocks[i - 1].address == address) {
			blocks[i - 1] = blocks[--left];
			return;
		}
	}
}

static void *allocate(size_t alignment, size_t size, void *caller)
{
	void *address = NULL;

	if (next.malloc == NULL)
		find_all();
	if (next.malloc == NULL)
		return allocate_early(size);
	pthread_mutex_lock(&lock);
	if (count_one()) {
		address = alignment <= ALIGNMENT ? next.malloc(size)
		                                 : next.aligned_alloc(alignment, size);
		remember(address, size, caller);
	}
	pthread_mutex_unlock(&lock);
	return address;
}

void *malloc(size_t size)
{
	return allocate(0, size, __builtin_return_address(0));
}

void *calloc(size_t number, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(number, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	void *address = allocate(0, bytes, __builtin_return_address(0));
	return address == NULL ? NULL : memset(address, 0, bytes);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return allocate(alignment, size, __builtin_return_address(0));
}

void *memalign(size_t alignment, size_t size)
{
	return allocate(alignment, size, __builtin_return_address(0));
}

int posix_memalign(void **address, size_t alignment, size_t size)
{
	int error = errno;
	void *block = allocate(alignment, size, __builtin_return_address(0));

	errno = error;
	if (block == NULL)
		return ENOMEM;
	*address = block;
	return 0;
}

void *realloc(void *old, size_t size)
{
	void *address = NULL;
	void *caller = __builtin_return_address(0);

	if (old == NULL)
		return allocate(0, size, caller);
	if (is_early(old))
		abort(); /* dlsym() does not */
	pthread_mutex_lock(&lock);
	if (count_one()) {
		address = next.realloc(old, size);
		if (address != NULL || size == 0)
			forget(old);
		remember(address, size, caller);
	}
	pthread_mutex_unlock(&lock);
	return address;
}

void *reallocarray(void *old, size_t number, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(number, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}

void free(void *address)
{
	int error = errno;

	if (address == NULL || is_early(address))
		return;
	pthread_mutex_lock(&lock);
	forget(address);
	next.free(address);
	pthread_mutex_unlock(&lock);
	errno = error;
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("NOMEM_AT");

	fail_at = text == NULL ? 0 : strtoul(text, NULL, 10);
	stay = getenv("NOMEM_STAY") != NULL;
	unsetenv("LD_PRELOAD");
	counting = true;
}

static int count_threads(void)
{
	int threads = 0;
	DIR *tasks = opendir("/proc/self/task");

	if (tasks == NULL)
		return 1;
	for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;)
		threads += entry->d_name[0] != '.';
	closedir(tasks);
	return threads;
}

/* A thread that has done its work, but not come to its end, still has what glibc gave it. */
static void wait_for_threads(void)
{
	static const struct timespec pause = {.tv_nsec = 1000000};

	for (int tries = 0; tries < THREAD_TRIES && count_threads() > 1; tries++)
		nanosleep(&pause, NULL);
}

static const char *object_of(void *caller)
{
	Dl_info info;

	if (dladdr(caller, &info) == 0 || info.dli_fname == NULL)
		return "?";
	const char *slash = strrchr(info.dli_fname, '/');
	return slash == NULL ? info.dli_fname : slash + 1;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("NOMEM_LOG");

	fail_at = 0;
	wait_for_threads();
	if (__libc_freeres != NULL)
		__libc_freeres();
	counting = false;
	int log = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (log == -1)
		return;
	dprintf(log, "%lu allocations, %lu failed, %zu left\n", count, failed, left);
	for (size_t i = 0; i < left; i++)
		dprintf(log, "left: allocation %lu, %zu bytes, by %s\n", blocks[i].number,
		    blocks[i].size, object_of(blocks[i].caller));
	close(log);
}
