/*
 * Preloaded (LD_PRELOAD), this looks whether memory that is given back, by free(3) or because realloc(3) has
 * moved it, still holds a secret.
 *
 *	WIPED_SECRET  the secret, in hexadecimal digits: it is looked for as its bytes and as these digits
 *	WIPED_LOG     a file that gets one line at exit: "1234 blocks, 0 with the secret"
 */
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "next.h"

#define SECRET_MAX 64

static char digits[2 * SECRET_MAX + 1];
static unsigned char secret[SECRET_MAX];
static size_t size;
static atomic_uint_fast64_t blocks;
static atomic_uint_fast64_t unwiped;

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("WIPED_SECRET");

	while (text != NULL && size < SECRET_MAX && sscanf(text, "%2hhx", &secret[size]) == 1) {
		memcpy(digits + 2 * size, text, 2);
		text += 2;
		size++;
	}
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("WIPED_LOG");
	FILE *log = path == NULL ? NULL : fopen(path, "we");

	if (log == NULL)
		return;
	fprintf(log, "%llu blocks, %llu with the secret\n", (unsigned long long)blocks,
	    (unsigned long long)unwiped);
	fclose(log);
}

static int holds_secret(void *block)
{
	size_t room = malloc_usable_size(block);

	return size > 0 && (memmem(block, room, secret, size) != NULL ||
			       memmem(block, room, digits, 2 * size) != NULL);
}

void free(void *block)
{
	NEXT(free);

	if (block != NULL) {
		blocks++;
		unwiped += (unsigned)holds_secret(block);
	}
	next.function(block);
}

void *realloc(void *block, size_t wanted)
{
	NEXT(realloc);
	unsigned held = block == NULL ? 0 : (unsigned)holds_secret(block);
	void *moved = next.function(block, wanted);

	if (moved != block)
		unwiped += held;
	return moved;
}
