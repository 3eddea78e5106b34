/*
 * Which settings go together.
 */
#ifndef SETTINGS_CHECK_H
#define SETTINGS_CHECK_H

#include "base/err.h"
#include "cli/settings.h"

/*
 * Checks settings, which are complete else, and gives those their defaults that depend on others: -B and those of -k.
 * Returns 0, or -1 with ERR_USAGE.
 */
int settings_check(struct settings *settings, struct err *err);

#endif
