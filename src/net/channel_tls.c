#include "net/channel_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/channel_socket.h"
#include "net/sock.h"
#include "sys/io.h"
#include "sys/signals.h"

/* An error that one direction has met, which every later call for it tells again. */
struct failure {
	bool is_set;
	struct err err;
};

struct channel_tls {
	struct channel_socket socket;
	SSL *ssl;
	struct tls_peer peer;
	int64_t key_bytes;  /* after so many, another key */
	int64_t sent;       /* bytes with this key */
	int records;        /* that were written to the buffer since that was empty */
	bool is_writing;    /* a call waits to be made again, until when the key stays */
	bool may_have_more; /* bytes may be here that poll(2) does not see */
	bool is_ending;     /* our stream has ended, as far as the caller knows */
	bool has_said_end;  /* close_notify is in the buffer, or beyond */
	bool has_ended;     /* and the FIN behind it */
	bool peer_ended;    /* by close_notify */
	struct failure in;
	struct failure out;
};

static struct channel_tls *tls_of(struct channel *channel)
{
	return (struct channel_tls *)channel;
}

/* Clears what would be taken for the reason of the next failure. */
static SSL *prepare_call(const struct channel_tls *channel)
{
	ERR_clear_error();
	errno = 0;
	return channel->ssl;
}

/*
 * Takes the result of a call of OpenSSL that has not succeeded. Returns 0 if it has to wait for
 * *events, or -1 with the reason in failure.
 *
 * A socket that takes no more of a change of keys comes as a failed system call: OpenSSL flushes
 * such a message through a buffer of its own, which does not hand on that ours is to be tried
 * again.
 */
static int take_failure(const struct channel_tls *channel, int result, short *events,
    struct failure *failure)
{
	int errnum = errno;
	int why = SSL_get_error(channel->ssl, result);

	if (why == SSL_ERROR_SYSCALL && (errnum == EAGAIN || errnum == EINTR))
		why = SSL_ERROR_WANT_WRITE;
	*events = why == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return 0;
	failure->is_set = true;
	return tls_stream_error(why, errnum, &failure->err);
}

static int fail_again(const struct failure *failure, struct err *err)
{
	*err = failure->err;
	return -1;
}

/* Returns how many bytes wait in the buffer for the socket. */
static size_t unflushed(const struct channel_tls *channel)
{
	return (size_t)BIO_wpending(SSL_get_wbio(channel->ssl));
}

/* Hands the buffer to the socket, as far as that takes it. Returns whether it is empty then. */
static bool flush_buffer(struct channel_tls *channel)
{
	BIO *output = SSL_get_wbio(channel->ssl);

	errno = 0;
	if (unflushed(channel) == 0 || BIO_flush(output) > 0) {
		channel->records = 0;
		return true;
	}
	if (!BIO_should_retry(output)) {
		channel->out.is_set = true;
		err_sys(&channel->out.err, "%s", "");
	}
	return false;
}

/*
 * Whether the buffer takes a whole record. One that is half written would break the connection if
 * the peer asked for another key twice meanwhile: OpenSSL answers while it reads.
 */
static bool has_room(struct channel_tls *channel)
{
	return channel->records < TLS_BUFFER_RECORDS || flush_buffer(channel);
}

/* Puts close_notify into the buffer. Returns whether it is there. */
static bool say_end(struct channel_tls *channel)
{
	short events;

	if (channel->has_said_end)
		return true;
	int result = SSL_shutdown(prepare_call(channel));
	channel->has_said_end = result >= 0;
	if (result < 0)
		take_failure(channel, result, &events, &channel->out);
	return channel->has_said_end;
}

/*
 * Hands over what the socket takes by now: the buffer, and the end behind it. A failure is told by
 * the next call that can.
 */
static void push(struct channel_tls *channel)
{
	if (channel->out.is_set || (channel->is_ending && !say_end(channel)))
		return;
	if (!flush_buffer(channel) || !channel->is_ending || channel->has_ended)
		return;
	channel->has_ended = true;
	if (sock_shutdown_write(channel->socket.fd, &channel->out.err) == -1)
		channel->out.is_set = true;
}

/* Whether something of ours still has to go to the socket. */
static bool has_output(const struct channel_tls *channel)
{
	return !channel->out.is_set &&
	       (unflushed(channel) > 0 || (channel->is_ending && !channel->has_ended));
}

/* Takes another key for what we send, when it is time, and no record is half sent. */
static int change_key(struct channel_tls *channel)
{
	if (channel->sent < channel->key_bytes || channel->is_writing)
		return 0;
	channel->sent = 0;
	short events;
	if (SSL_key_update(prepare_call(channel), SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
		return 0;
	return take_failure(channel, 0, &events, &channel->out);
}

/* Sees to it that a record can be written. Returns whether one can, now. */
static bool prepare_record(struct channel_tls *channel)
{
	return has_room(channel) && !channel->out.is_set && change_key(channel) == 0;
}

static ssize_t tls_send(struct channel *base, const void *bytes, size_t size, struct err *err)
{
	struct channel_tls *channel = tls_of(base);
	size_t sent = 0;
	short events;

	if (signals_check(err) == -1)
		return -1;
	while (sent < size && prepare_record(channel)) {
		size_t n = 0;
		const char *next = (const char *)bytes + sent;
		int result = SSL_write_ex(prepare_call(channel), next, size - sent, &n);
		channel->is_writing = result != 1;
		if (result != 1) {
			take_failure(channel, result, &events, &channel->out);
			break;
		}
		channel->records++;
		sent += n;
		channel->sent += (int64_t)n;
	}
	push(channel);
	if (sent > 0)
		return (ssize_t)sent;
	return channel->out.is_set ? fail_again(&channel->out, err) : CHANNEL_LATER;
}

/*
 * Reads what is decrypted, or is here to be decrypted. Returns how many bytes, 0 at the end,
 * CHANNEL_LATER with *events, or -1.
 */
static ssize_t read_ready(struct channel_tls *channel, char *bytes, size_t size, short *events)
{
	size_t got = 0;

	while (got < size) {
		size_t n = 0;
		int result = SSL_read_ex(prepare_call(channel), bytes + got, size - got, &n);
		if (result != 1 && SSL_get_error(channel->ssl, result) == SSL_ERROR_ZERO_RETURN) {
			channel->peer_ended = true;
			break;
		}
		if (result != 1 && take_failure(channel, result, events, &channel->in) == -1)
			return got > 0 ? (ssize_t)got : -1;
		if (result != 1) {
			channel->may_have_more = false;
			return got > 0 ? (ssize_t)got : CHANNEL_LATER;
		}
		got += n;
	}
	channel->may_have_more = true;
	return (ssize_t)got;
}

/*
 * First it reads and then it waits, for bytes may have come with others before. A peer that sends
 * records without data is not waited for beyond the deadline.
 */
static ssize_t tls_recv(struct channel *base, void *bytes, size_t size, int64_t deadline,
    struct err *err)
{
	struct channel_tls *channel = tls_of(base);
	short events = POLLIN;

	for (;;) {
		if (channel->in.is_set)
			return fail_again(&channel->in, err);
		ssize_t n = read_ready(channel, bytes, size, &events);
		if (n >= 0)
			return n;
		if (n == -1)
			return fail_again(&channel->in, err);
		push(channel);
		if (clock_now() >= deadline)
			return CHANNEL_LATER;
		struct pollfd pfd = {.fd = channel->socket.fd, .events = events};
		if (has_output(channel))
			pfd.events |= POLLOUT;
		int ready = io_poll(&pfd, 1, deadline, err);
		if (ready <= 0)
			return ready == 0 ? CHANNEL_LATER : -1;
	}
}

/*
 * What poll(2) does not see is looked at first. What is ours to send is sent meanwhile, also where
 * the caller does not look at the channel.
 */
static int tls_wait(struct channel *base, unsigned events, struct pollfd *other, int64_t deadline,
    struct err *err)
{
	struct channel_tls *channel = tls_of(base);

	for (;;) {
		push(channel);
		bool can_read = channel->may_have_more || channel->in.is_set;
		if ((events & CHANNEL_READABLE) != 0 && can_read)
			return CHANNEL_READABLE;
		if ((events & CHANNEL_WRITABLE) != 0 && channel->out.is_set)
			return CHANNEL_WRITABLE;
		unsigned wanted = events | (has_output(channel) ? CHANNEL_WRITABLE : 0);
		int found = channel_socket_wait(base, wanted, other, deadline, err);
		if (found <= 0)
			return found;
		if ((found & CHANNEL_READABLE) != 0)
			channel->may_have_more = true;
		found &= (int)(events | CHANNEL_HUNG_UP | CHANNEL_OTHER);
		if (found != 0 || clock_now() >= deadline)
			return found;
	}
}

static void tls_say(struct channel *base, const char *line, size_t len)
{
	struct channel_tls *channel = tls_of(base);
	size_t n;

	if (channel->out.is_set || channel->is_ending)
		return;
	if (SSL_write_ex(prepare_call(channel), line, len, &n) == 1)
		push(channel);
}

/* The end goes out when the socket takes it: in wait() and recv(), which the caller calls next. */
static int tls_finish(struct channel *base, struct err *err)
{
	struct channel_tls *channel = tls_of(base);

	channel->is_ending = true;
	push(channel);
	return channel->out.is_set ? fail_again(&channel->out, err) : 0;
}

static void tls_settle(struct channel *base)
{
	struct channel_tls *channel = tls_of(base);

	channel->is_ending = true;
	push(channel);
	channel_socket_settle(base);
}

static enum channel_peer tls_peer(struct channel *base)
{
	return tls_of(base)->peer_ended ? CHANNEL_PEER_DONE : CHANNEL_PEER_OPEN;
}

static int64_t tls_in_flight(const struct channel *base)
{
	const struct channel_tls *channel = (const struct channel_tls *)base;
	int64_t unacknowledged = channel_socket_in_flight(base);
	bool owes_end = channel->is_ending && !channel->has_ended;

	if (unacknowledged == -1)
		return -1;
	return unacknowledged + (int64_t)unflushed(channel) + (owes_end ? 1 : 0);
}

static void tls_close_channel(struct channel *base)
{
	SSL_free(tls_of(base)->ssl);
	channel_socket_close(base);
}

static const struct channel_type channel_tls = {
    .send = tls_send,
    .recv = tls_recv,
    .wait = tls_wait,
    .say = tls_say,
    .finish = tls_finish,
    .settle = tls_settle,
    .check = channel_socket_check,
    .peer = tls_peer,
    .in_flight = tls_in_flight,
    .is_gone = channel_socket_is_gone,
    .pace = channel_socket_pace,
    .close = tls_close_channel,
};

struct channel *channel_tls_open(int sock, const struct tls *tls, bool is_server, int64_t key_bytes,
    struct err *err)
{
	struct channel_tls *channel = malloc(sizeof(*channel));

	if (channel == NULL) {
		err_sys(err, "channel");
		return NULL;
	}
	/*
	 * Of TCP a hang-up shows only after a line of ours; a peer of a unix socket is gone at
	 * once.
	 */
	bool shows_death = sock_family(sock, err) == AF_UNIX;
	*channel = (struct channel_tls){
	    .socket =
		{
		    .channel = {.type = &channel_tls, .shows_death = shows_death},
		    .fd = sock,
		},
	    .key_bytes = key_bytes,
	    .may_have_more = true,
	};
	channel->ssl = tls_connection(tls, sock, is_server, &channel->peer, err);
	if (channel->ssl != NULL)
		return &channel->socket.channel;
	free(channel);
	return NULL;
}

/* Notes what the handshake has agreed on. A session without the key would prove nothing. */
static int take_agreement(struct channel_tls *channel, struct err *err)
{
	if (SSL_session_reused(channel->ssl) != 1 || channel->peer.key == NULL)
		return tls_no_key(err);
	channel->socket.channel.suite = SSL_get_cipher_name(channel->ssl);
	channel->socket.channel.key = channel->peer.key->identity;
	return 1;
}

/*
 * Marks the failure of a handshake, in which a byte of the peer has come, as one that another try
 * would meet again: it is not a port forwarder with nobody behind it. Returns -1.
 */
static int set_answered(const struct channel_tls *channel, struct err *err)
{
	if (BIO_number_read(SSL_get_rbio(channel->ssl)) > 0)
		err->errnum = EPROTO;
	return -1;
}

int channel_tls_shake(struct channel *channel, short *events, struct err *err)
{
	struct channel_tls *local = tls_of(channel);
	int result = SSL_do_handshake(prepare_call(local));
	int errnum = errno;
	int why = SSL_get_error(local->ssl, result);

	*events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return 0;
	int status =
	    result == 1 ? take_agreement(local, err) : tls_handshake_error(why, errnum, err);
	/* A reset could overtake the alert that says so. Nothing is lost by a FIN: no data came. */
	if (status == -1 && err->kind == ERR_NO_KEY)
		channel_socket_settle(channel);
	return status == 1 ? 1 : set_answered(local, err);
}

int channel_tls_handshake(struct channel *channel, int64_t deadline, struct err *err)
{
	struct channel_tls *local = tls_of(channel);
	short events;
	int status;

	while ((status = channel_tls_shake(channel, &events, err)) == 0) {
		struct pollfd pfd = {.fd = local->socket.fd, .events = events};
		int ready = io_poll(&pfd, 1, deadline, err);
		if (ready == 0 || clock_now() >= deadline) {
			err_set(err, ERR_TIMEOUT, 0, "handshake: timed out");
			return set_answered(local, err);
		}
		if (ready == -1)
			return err_prefix(err, "handshake");
	}
	return status == 1 ? 0 : -1;
}

int channel_tls_fd(const struct channel *channel)
{
	return ((const struct channel_tls *)channel)->socket.fd;
}

void channel_tls_detail(const struct channel *channel, struct err *err)
{
	const struct tls_peer *peer = &((const struct channel_tls *)channel)->peer;

	if (err->kind != ERR_NO_KEY)
		return;
	if (peer->has_unknown_name)
		err_set(err, ERR_NO_KEY, 0,
		    "handshake: no key here has the identity that it names");
	else if (peer->key != NULL)
		err_set(err, ERR_NO_KEY, 0, "handshake: its key is not the one called %s here",
		    peer->key->identity);
	else
		err_set(err, ERR_NO_KEY, 0, "handshake: it offers no key");
}
