/*
 * Keys that two hosts share: each an identity and a secret, the external pre-shared key of TLS 1.3
 * (RFC 8446, 2.2; RFC 9257). They are kept in a file of lines identity:hex, the format that stunnel
 * (PSKsecrets) and gnutls (psk.txt) share.
 */
#ifndef KEY_H
#define KEY_H

#include <stddef.h>

#include "base/err.h"

/* The most bytes of an identity, as stunnel and gnutls take it. */
#define KEY_IDENTITY_MAX 128

/* Of a key that was given no name, as openssl calls it. */
#define KEY_DEFAULT_IDENTITY "Client_identity"

/* Fewer bytes could be guessed, offline, from one handshake that was recorded. */
#define KEY_SECRET_MIN 16
#define KEY_SECRET_MAX 64

/* Room for a line of a key file with its NUL: identity, colon, hexadecimal digits, newline. */
#define KEY_LINE_MAX (KEY_IDENTITY_MAX + 1 + 2 * KEY_SECRET_MAX + 2)

/* Room for a secret as key_format_secret() writes it. */
#define KEY_SECRET_TEXT_MAX (2 * KEY_SECRET_MAX + KEY_SECRET_MAX / 2)

struct key {
	char identity[KEY_IDENTITY_MAX + 1];
	unsigned char secret[KEY_SECRET_MAX];
	size_t len; /* bytes of the secret */
};

/* The keys of a file, in its order. */
struct key_list {
	struct key *one;
	size_t count;
};

/*
 * Reads a line without its newline. No error text has a byte of the secret. Does not block. Returns
 * 0, or -1 with ERR_USAGE: no colon, no or a long identity, too short a secret or no hexadecimal
 * digits.
 */
int key_parse(struct key *key, const char *line, struct err *err);

/*
 * Reads the keys of the size bytes of text, a whole file: blank lines and lines that begin with #
 * are left out. Does not block. Returns 0, the list then being the caller's to wipe, or -1 with
 * ERR_USAGE, which tells the line: a bad one, an identity that is there twice, no key at all.
 */
int key_list_parse(struct key_list *list, const char *text, size_t size, struct err *err);

/*
 * Reads the keys of the file at path, which may be a FIFO or /dev/fd/N (descriptor N, if it is none
 * of the standard ones, is not inherited by commands then). A regular file that others may read or
 * write, or that a group may write, or that belongs to neither root nor us, is refused with
 * ERR_FAILED. Blocks until a FIFO has ended; a signal ends the wait with ERR_INTERRUPTED. Returns
 * as key_list_parse(), or -1 with ERR_FAILED.
 */
int key_list_read(struct key_list *list, const char *path, struct err *err);

/* Overwrites the secrets, and frees the list, which is empty then. */
void key_list_wipe(struct key_list *list);

/*
 * Makes a new key of len random bytes (getentropy(3)) for the identity. Returns 0, or -1: ERR_USAGE
 * if that is no identity, ERR_FAILED if there is no randomness.
 */
int key_make(struct key *key, const char *identity, size_t len, struct err *err);

/* Writes the key as a line of a key file, newline included, into line, of KEY_LINE_MAX bytes. */
void key_format(const struct key *key, char *line);

/*
 * Writes the secret in hexadecimal digits, in groups of four to be read and typed, into text, of
 * KEY_SECRET_TEXT_MAX bytes.
 */
void key_format_secret(const struct key *key, char *text);

#endif
