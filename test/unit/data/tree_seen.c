/* The set of paths: what was added is there, and nothing else, however many there are. */
#include "data/tree_seen.h"

#include "check.h"

#define MANY 20000

static uint64_t bits_of(int number)
{
	char path[64];

	snprintf(path, sizeof(path), "dir/%d", number);
	return tree_seen_bits(0, path, strlen(path));
}

static void keeps_all(void)
{
	struct tree_seen seen = {.slots = NULL};

	CHECK(!tree_seen_has(&seen, bits_of(0)));
	for (int i = 0; i < MANY; i++)
		CHECK_INT(tree_seen_add(&seen, bits_of(i)), 0);
	for (int i = 0; i < MANY; i++) {
		CHECK(tree_seen_has(&seen, bits_of(i)));
		CHECK(!tree_seen_has(&seen, bits_of(MANY + i)));
		CHECK_INT(tree_seen_add(&seen, bits_of(i)), 1);
	}
	tree_seen_clear(&seen);
	CHECK(!tree_seen_has(&seen, bits_of(1)));
	tree_seen_clear(&seen);
}

static void in_parts(void)
{
	static const char path[] = "a/b/c";
	uint64_t bits = tree_seen_bits(0, path, 1);

	CHECK(bits != 0);
	bits = tree_seen_bits(bits, path + 1, 2);
	CHECK(bits == tree_seen_bits(0, path, 3));
	CHECK(tree_seen_bits(bits, path + 3, 2) == tree_seen_bits(0, path, 5));
	CHECK(tree_seen_bits(0, "A/b", 3) != bits);
}

int main(void)
{
	promise("what was added is there, once, and nothing else", keeps_all);
	promise("the bits of a path can be had part by part", in_parts);
	return check_end();
}
