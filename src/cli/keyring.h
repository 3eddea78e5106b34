/*
 * The keys that --key asks for: of a file, a new one for this run, or one that is typed.
 */
#ifndef KEYRING_H
#define KEYRING_H

#include <sys/resource.h>

#include "base/err.h"
#include "cli/settings.h"
#include "net/tls.h"
#include "ui/log.h"

struct keyring {
	struct key_list keys;
	struct tls tls;                  /* context NULL: --key was not given */
	struct rlimit core_limit;        /* with keys: what it was, for commands to have */
	char shown[KEY_SECRET_TEXT_MAX]; /* --key new: the key, to be shown; else "" */
};

/*
 * Keeps the memory of this process, and of those that it forks, to itself, for it is to have keys:
 * no core file, and no process of the same user that traces it (RLIMIT_CORE, PR_SET_DUMPABLE). *old
 * becomes the limit of core files that is lowered: a command can have it again, for the hard one
 * stays. Does not block.
 */
void keyring_hide_memory(struct rlimit *old);

/*
 * Gets the keys, if --key was given, and prepares TLS with them; before that the memory is hidden.
 * Blocks while a FIFO is read or a key is typed. Returns 0, the keyring then being the caller's to
 * close, or -1: as key_list_read() and tls_open(), or ERR_USAGE if there is no terminal to type on
 * or to show the key on.
 */
int keyring_open(struct keyring *keyring, const struct settings *settings, const struct log *log,
    struct err *err);

/* Overwrites the keys, and frees what was prepared. */
void keyring_close(struct keyring *keyring);

#endif
