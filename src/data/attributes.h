/* What a new file takes over from the old one that it replaces: its mode and its owner. */
#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

#include <sys/stat.h>

/*
 * Gives the file fd the mode and, as far as permitted, the owner of the old one. Does not block.
 * Returns 0, or -1 with errno of fchmod(2).
 */
int attributes_copy(int fd, const struct stat *old);

#endif
