/*
 * TLS 1.3 (RFC 8446) with keys that both ends share, and nothing else: no certificate, no older
 * version, no key exchange without forward secrecy, no tickets, no early data. OpenSSL does it.
 */
#ifndef TLS_H
#define TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/err.h"
#include "net/key.h"

/* So many records, of up to 16 KiB, fit into the buffer for the socket, and short ones beside. */
#define TLS_BUFFER_RECORDS 7

/* The common part of all connections: it is made once, before any fork. */
struct tls {
	SSL_CTX *context;
	const struct key_list *keys; /* the end that connects uses the first, the other end all */
};

/* A connection's part of the handshake, for its callbacks. */
struct tls_peer {
	const struct tls *tls;
	const struct key *key; /* the key that the peer named, or that we named; NULL: none */
	bool has_unknown_name; /* the peer named a key that we do not have */
};

/*
 * Prepares TLS with the keys, at least one, which have to outlive it. Does not block. Returns 0,
 * tls then being the caller's to close, or -1 with ERR_FAILED.
 */
int tls_open(struct tls *tls, const struct key_list *keys, struct err *err);

/* Frees it. A second call does nothing. */
void tls_close(struct tls *tls);

/*
 * Makes the TLS side of a connection over the socket, which stays the caller's; the handshake is
 * not begun. peer has to outlive it. Does not block. Returns it, the caller's to SSL_free(), or
 * NULL with ERR_FAILED.
 */
SSL *tls_connection(const struct tls *tls, int sock, bool is_server, struct tls_peer *peer,
    struct err *err);

/* Fills err, ERR_NO_KEY: the other end does not have the key. Returns -1. Does not block. */
int tls_no_key(struct err *err);

/*
 * Fills err with why the handshake failed, of which result is SSL_get_error(3)'s value and errnum
 * the errno: ERR_NO_KEY if the other end does not have the key; ERR_FAILED for all else. Returns
 * -1. Does not block.
 */
int tls_handshake_error(int result, int errnum, struct err *err);

/*
 * Fills err with why the stream after the handshake broke, as tls_handshake_error(); an end of the
 * connection without close_notify is "cut off".
 */
int tls_stream_error(int result, int errnum, struct err *err);

/*
 * Writes the session of the key in the PEM form that openssl s_client -psk_session reads (openssl-
 * s_client(1)) into text, of size bytes. Returns its length, or -1 with ERR_FAILED. Does not block.
 */
int tls_session_pem(const struct key *key, char *text, size_t size, struct err *err);

#endif
