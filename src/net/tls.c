#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/*
 * The suites, the server's preference first. An external key has one hash, SHA-256; a suite with
 * another would make the handshake fail where the key is right.
 */
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

/* Bytes read from the socket at once, and written to it: TLS_BUFFER_RECORDS and some. */
#define BUFFER_SIZE ((size_t)128 * 1024)

/* How long a session in PEM form says that it is good for: ten years. */
#define SESSION_SECONDS (10L * 365 * 86400)

/* An error of OpenSSL that has nothing to do with the peer. */
static int set_library_error(struct err *err)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	return err_set(err, ERR_FAILED, 0, "TLS: %s", why == NULL ? "out of memory" : why);
}

/* Makes the session that stands for the key. Returns it, the caller's to free, or NULL. */
static SSL_SESSION *new_session(SSL *ssl, const unsigned char *secret, size_t len)
{
	/* Of the cipher only the hash counts, SHA-256 (SSL_CTX_set_psk_use_session_callback(3)). */
	static const unsigned char aes_128_gcm_sha256[] = {0x13, 0x01};
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, aes_128_gcm_sha256);
	SSL_SESSION *session = SSL_SESSION_new();

	if (session != NULL && cipher != NULL &&
	    SSL_SESSION_set1_master_key(session, secret, len) == 1 &&
	    SSL_SESSION_set_cipher(session, cipher) == 1 &&
	    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1)
		return session;
	SSL_SESSION_free(session);
	return NULL;
}

/* The end that connects names its key, the first of its list. */
static int use_key(SSL *ssl, const EVP_MD *digest, const unsigned char **identity, size_t *len,
    SSL_SESSION **session)
{
	struct tls_peer *peer = SSL_get_app_data(ssl);
	const struct key *key = &peer->tls->keys->one[0];

	*session = NULL;
	*identity = NULL;
	*len = 0;
	/* After a request for another hello the suite is fixed; all of ours have this hash. */
	if (digest != NULL && EVP_MD_is_a(digest, "SHA256") != 1)
		return 1;
	*session = new_session(ssl, key->secret, key->len);
	if (*session == NULL)
		return 0;
	*identity = (const unsigned char *)key->identity;
	*len = strlen(key->identity);
	peer->key = key;
	return 1;
}

static const struct key *find_key(const struct key_list *keys, const unsigned char *identity,
    size_t len)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct key *key = &keys->one[i];
		if (strlen(key->identity) == len && memcmp(key->identity, identity, len) == 0)
			return key;
	}
	return NULL;
}

/*
 * The end that listens finds the key that the peer names. A name that it does not know gets a key
 * that nobody has: else the alert would tell a stranger which names are known (RFC 8446, E.6).
 */
static int find_session(SSL *ssl, const unsigned char *identity, size_t len, SSL_SESSION **session)
{
	struct tls_peer *peer = SSL_get_app_data(ssl);
	unsigned char nobodys[32];

	peer->key = find_key(peer->tls->keys, identity, len);
	peer->has_unknown_name = peer->key == NULL;
	if (peer->key != NULL) {
		*session = new_session(ssl, peer->key->secret, peer->key->len);
	} else {
		*session = NULL;
		if (getentropy(nobodys, sizeof(nobodys)) == 0)
			*session = new_session(ssl, nobodys, sizeof(nobodys));
		explicit_bzero(nobodys, sizeof(nobodys));
	}
	return *session != NULL;
}

/*
 * Both limits of the version are set, for a system's openssl.cnf may set them, too. With
 * SSL_MODE_AUTO_RETRY a peer that sends no data but records of other kinds would hold us inside one
 * call.
 */
static bool set_up(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* A psk_ke handshake would have no forward secrecy. */
	SSL_CTX_clear_options(context, SSL_OP_ALLOW_NO_DHE_KEX | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, BUFFER_SIZE);
	SSL_CTX_set_psk_find_session_callback(context, find_session);
	SSL_CTX_set_psk_use_session_callback(context, use_key);
	return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(context, 0) == 1 &&
	       SSL_CTX_set_max_early_data(context, 0) == 1 &&
	       SSL_CTX_set_ciphersuites(context, SUITES) == 1;
}

int tls_open(struct tls *tls, const struct key_list *keys, struct err *err)
{
	*tls = (struct tls){.context = SSL_CTX_new(TLS_method()), .keys = keys};
	if (tls->context != NULL && set_up(tls->context))
		return 0;
	set_library_error(err);
	tls_close(tls);
	return -1;
}

void tls_close(struct tls *tls)
{
	SSL_CTX_free(tls->context);
	tls->context = NULL;
}

/* Lets the records of a write go to the socket together, as far as the buffer holds them. */
static bool buffer_output(SSL *ssl, int sock)
{
	BIO *buffer = BIO_new(BIO_f_buffer());
	BIO *output = BIO_new_socket(sock, BIO_NOCLOSE);

	if (buffer == NULL || output == NULL ||
	    BIO_set_write_buffer_size(buffer, (long)BUFFER_SIZE) != 1) {
		BIO_free(buffer);
		BIO_free(output);
		return false;
	}
	SSL_set0_wbio(ssl, BIO_push(buffer, output));
	return true;
}

SSL *tls_connection(const struct tls *tls, int sock, bool is_server, struct tls_peer *peer,
    struct err *err)
{
	SSL *ssl = SSL_new(tls->context);

	*peer = (struct tls_peer){.tls = tls};
	if (ssl == NULL || SSL_set_fd(ssl, sock) != 1 || !buffer_output(ssl, sock)) {
		set_library_error(err);
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_app_data(ssl, peer);
	/*
	 * A server that shows a certificate instead of using the key is refused by the client,
	 * which trusts none. A server that asked for a certificate would have to name its session's
	 * use.
	 */
	SSL_set_verify(ssl, is_server ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (is_server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

int tls_no_key(struct err *err)
{
	return err_set(err, ERR_NO_KEY, 0, "handshake: the other end does not have this key");
}

static int set_not_encrypted(struct err *err)
{
	err_set(err, ERR_FAILED, 0, "handshake: the other end does not encrypt");
	return err_advise(err, "give --key at both ends");
}

/* Fills err by OpenSSL's reason for a failed handshake. */
static int explain_handshake(int reason, struct err *err)
{
	switch (reason) {
	case SSL_R_BINDER_DOES_NOT_VERIFY:
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM: /* no key was offered */
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_BAD_PSK:
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER:
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
	case SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_PSK_IDENTITY:
		return tls_no_key(err);
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_VERSION_TOO_LOW:
		return err_set(err, ERR_FAILED, 0, "handshake: the other end has no TLS 1.3");
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
	case SSL_R_BAD_RECORD_TYPE:
	case SSL_R_RECORD_TOO_SMALL:
		return set_not_encrypted(err);
	default:
		return 0;
	}
}

/* Fills err for what both the handshake and the stream can meet. */
static int set_broken(int result, int errnum, struct err *err)
{
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_REASON(code);
	const char *why = ERR_reason_error_string(code);

	if (result == SSL_ERROR_SYSCALL && errnum != 0)
		return err_set(err, ERR_FAILED, errnum, "%s", "");
	if (result == SSL_ERROR_SYSCALL || result == SSL_ERROR_ZERO_RETURN ||
	    reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return err_set(err, ERR_FAILED, 0, "cut off");
	if (reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC)
		return err_set(err, ERR_FAILED, 0, "the encrypted stream was changed on its way");
	return err_set(err, ERR_FAILED, 0, "TLS: %s", why == NULL ? "failed" : why);
}

int tls_handshake_error(int result, int errnum, struct err *err)
{
	int reason = ERR_GET_REASON(ERR_peek_last_error());

	if (result == SSL_ERROR_SSL && explain_handshake(reason, err) == -1)
		return -1;
	set_broken(result, errnum, err);
	return err_prefix(err, "handshake");
}

int tls_stream_error(int result, int errnum, struct err *err)
{
	return set_broken(result, errnum, err);
}

/* Makes a session outside of any connection, of which the cipher has to come from one. */
static SSL_SESSION *lone_session(const struct key *key)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	SSL *ssl = context == NULL ? NULL : SSL_new(context);
	SSL_SESSION *session = ssl == NULL ? NULL : new_session(ssl, key->secret, key->len);

	SSL_free(ssl);
	SSL_CTX_free(context);
	return session;
}

int tls_session_pem(const struct key *key, char *text, size_t size, struct err *err)
{
	SSL_SESSION *session = lone_session(key);
	BIO *memory = BIO_new(BIO_s_secmem());
	int len = -1;

	/* Without these it would be taken for an old one. */
	if (session != NULL) {
		SSL_SESSION_set_time(session, (long)time(NULL));
		SSL_SESSION_set_timeout(session, SESSION_SECONDS);
	}
	if (session != NULL && memory != NULL && PEM_write_bio_SSL_SESSION(memory, session) == 1)
		len = BIO_read(memory, text, (int)size - 1);
	BIO_free(memory);
	SSL_SESSION_free(session);
	if (len <= 0)
		return set_library_error(err);
	text[len] = '\0';
	return len;
}
