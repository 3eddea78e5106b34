/*
 * Checks which settings go together, and completes them.
 */
#ifndef SETTINGS_CHECK_H
#define SETTINGS_CHECK_H

#include "base/err.h"
#include "cli/settings.h"

/*
 * Checks that the settings go together. They have to be complete, but for the defaults of -B, -j
 * and --grace, which it sets afterwards. Returns 0, or -1 with ERR_USAGE. It does not block.
 */
int settings_check(struct settings *settings, struct err *err);

#endif
