/*
 * sockxfer key: makes a key, or writes one in the form that another program reads.
 */
#ifndef KEY_COMMAND_H
#define KEY_COMMAND_H

#include <stdio.h>

#include "base/err.h"

/*
 * Runs "key [NAME]", which writes the line of a new key to out, or "key --openssl FILE", which
 * writes the first key of the file as a session in PEM form for openssl s_client -psk_session. argv
 * begins with the word "key". Hides the memory (keyring_hide_memory()). Blocks while a FIFO is
 * read. Returns 0, or -1: ERR_USAGE, ERR_FAILED or ERR_INTERRUPTED. The caller flushes out.
 */
int key_command(int argc, char **argv, FILE *out, struct err *err);

#endif
