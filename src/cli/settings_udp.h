/*
 * Which settings go together with datagrams, and their defaults. No function here blocks.
 */
#ifndef SETTINGS_UDP_H
#define SETTINGS_UDP_H

#include <stdint.h>

#include "base/err.h"
#include "cli/settings.h"

/*
 * Checks that the settings go together with the address if it is of datagrams, and that those for
 * datagrams have such an address. Returns 0, or -1 with ERR_USAGE, whose text says why not.
 */
int settings_udp_check(const struct settings *settings, struct err *err);

/* Returns the bytes of a datagram at the most, where none are given by -B. */
int64_t settings_udp_chunk(const struct settings *settings);

#endif
