/* A channel over TLS: the end of a stream, its death, and what a peer cannot do to us. */
#include "net/channel_tls.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "check.h"

#define HEX32 "00112233445566778899aabbccddeeff"
#define OTHER "ff112233445566778899aabbccddeeff"

/* One end: its keys, and its channel. */
struct end {
	struct key_list keys;
	struct tls tls;
	struct channel *channel;
	bool is_done;
	struct err err;
};

static struct end client;
static struct end server;
static int sockets[2]; /* of the client, of the server */

static void open_end(struct end *end, const char *keys, int sock, bool is_server, int64_t key_bytes)
{
	*end = (struct end){.err = {.kind = ERR_NONE}};
	CHECK_INT(key_list_parse(&end->keys, keys, strlen(keys), &end->err), 0);
	CHECK_INT(tls_open(&end->tls, &end->keys, &end->err), 0);
	end->channel = channel_tls_open(sock, &end->tls, is_server, key_bytes, &end->err);
	CHECK(end->channel != NULL);
}

static void open_ends(const char *clients, const char *servers, int64_t key_bytes)
{
	signal(SIGPIPE, SIG_IGN);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
	open_end(&client, clients, sockets[0], false, key_bytes);
	open_end(&server, servers, sockets[1], true, key_bytes);
}

static void close_end(struct end *end)
{
	if (end->channel != NULL)
		end->channel->type->close(end->channel);
	end->channel = NULL;
	tls_close(&end->tls);
	key_list_wipe(&end->keys);
}

static void close_ends(void)
{
	close_end(&client);
	close_end(&server);
}

/* Lets both go on with their handshakes until both are done, or have failed. */
static void shake(void)
{
	short events;

	for (int steps = 0; steps < 100 && !(client.is_done && server.is_done); steps++) {
		struct end *end = steps % 2 == 0 ? &client : &server;
		if (end->is_done)
			continue;
		int status = channel_tls_shake(end->channel, &events, &end->err);
		end->is_done = status != 0;
	}
	CHECK(client.is_done && server.is_done);
}

static void open_agreed(int64_t key_bytes)
{
	open_ends("a:" HEX32, "a:" HEX32, key_bytes);
	shake();
	CHECK_INT(client.err.kind, ERR_NONE);
	CHECK_INT(server.err.kind, ERR_NONE);
}

static ssize_t send_to(struct end *end, const void *bytes, size_t size)
{
	return end->channel->type->send(end->channel, bytes, size, &end->err);
}

static ssize_t recv_from(struct end *end, void *bytes, size_t size)
{
	return end->channel->type->recv(end->channel, bytes, size, DEADLINE_NOW, &end->err);
}

static int wait_now(struct end *end, unsigned events)
{
	return end->channel->type->wait(end->channel, events, NULL, DEADLINE_NOW, &end->err);
}

static void agrees(void)
{
	char got[100];

	open_agreed(CHANNEL_TLS_KEY_BYTES);
	CHECK_STR(client.channel->suite, "TLS_AES_128_GCM_SHA256");
	CHECK_STR(server.channel->suite, "TLS_AES_128_GCM_SHA256");
	CHECK_STR(client.channel->key, "a");
	CHECK_STR(server.channel->key, "a");
	CHECK_INT(recv_from(&server, got, sizeof(got)), CHANNEL_LATER);
	CHECK_INT(send_to(&client, "hello", 5), 5);
	CHECK_INT(recv_from(&server, got, sizeof(got)), 5);
	CHECK(memcmp(got, "hello", 5) == 0);
	server.channel->type->say(server.channel, "line\n", 5);
	CHECK_INT(recv_from(&client, got, sizeof(got)), 5);
	close_ends();
}

static void other_keys(void)
{
	open_ends("a:" HEX32 "\nb:" OTHER, "b:" OTHER "\na:" HEX32, CHANNEL_TLS_KEY_BYTES);
	shake();
	CHECK_INT(client.err.kind, ERR_NONE);
	CHECK_STR(server.channel->key, "a");
	close_ends();
}

static void refused(const char *clients, const char *servers, const char *detail)
{
	check_row("%s", detail);
	open_ends(clients, servers, CHANNEL_TLS_KEY_BYTES);
	shake();
	CHECK_INT(client.err.kind, ERR_NO_KEY);
	CHECK_STR(client.err.text, "handshake: the other end does not have this key");
	CHECK_INT(server.err.kind, ERR_NO_KEY);
	CHECK_STR(server.err.text, "handshake: the other end does not have this key");
	channel_tls_detail(server.channel, &server.err);
	CHECK_STR(server.err.text, detail);
	CHECK(client.channel->key == NULL);
	CHECK(server.channel->key == NULL);
	close_ends();
}

static void wrong_keys(void)
{
	refused("a:" OTHER, "a:" HEX32, "handshake: its key is not the one called a here");
	refused("b:" HEX32, "a:" HEX32, "handshake: no key here has the identity that it names");
	refused("a:" OTHER "\nb:" HEX32, "b:" HEX32,
	    "handshake: no key here has the identity that it names");
}

static void plain_peer(void)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	short events;

	open_ends("a:" HEX32, "a:" HEX32, CHANNEL_TLS_KEY_BYTES);
	CHECK_INT(write(sockets[0], request, sizeof(request) - 1), (intmax_t)sizeof(request) - 1);
	CHECK_INT(channel_tls_shake(server.channel, &events, &server.err), -1);
	CHECK_INT(server.err.kind, ERR_FAILED);
	CHECK_HAS(server.err.text, "does not encrypt");
	CHECK_INT(write(sockets[1], "sockxfer/1 failed x\n", 20), 20);
	CHECK_INT(channel_tls_shake(client.channel, &events, &client.err), -1);
	CHECK_HAS(client.err.text, "does not encrypt");
	CHECK_INT(client.err.errnum, EPROTO);
	close_ends();
}

static void gone_peer(void)
{
	short events;

	open_ends("a:" HEX32, "a:" HEX32, CHANNEL_TLS_KEY_BYTES);
	CHECK_INT(shutdown(sockets[0], SHUT_WR), 0);
	CHECK_INT(channel_tls_shake(server.channel, &events, &server.err), -1);
	CHECK_INT(server.err.kind, ERR_FAILED);
	CHECK_HAS(server.err.text, "cut off");
	close_ends();
}

static void shake_once_more(int errnum)
{
	short events;

	CHECK_INT(channel_tls_shake(client.channel, &events, &client.err), -1);
	CHECK_INT(client.err.kind, ERR_FAILED);
	CHECK_HAS(client.err.text, "cut off");
	CHECK_INT(client.err.errnum, errnum);
	close_ends();
}

static void answered(void)
{
	short events;

	open_ends("a:" HEX32, "a:" HEX32, CHANNEL_TLS_KEY_BYTES);
	CHECK_INT(channel_tls_shake(client.channel, &events, &client.err), 0);
	CHECK_INT(shutdown(sockets[1], SHUT_WR), 0);
	shake_once_more(0);
	open_ends("a:" HEX32, "a:" HEX32, CHANNEL_TLS_KEY_BYTES);
	CHECK_INT(channel_tls_shake(client.channel, &events, &client.err), 0);
	CHECK_INT(write(sockets[1], "\x16", 1), 1);
	CHECK_INT(shutdown(sockets[1], SHUT_WR), 0);
	shake_once_more(EPROTO);
}

static void ends(void)
{
	char got[10];

	open_agreed(CHANNEL_TLS_KEY_BYTES);
	CHECK_INT(server.channel->type->peer(server.channel), CHANNEL_PEER_OPEN);
	CHECK_INT(send_to(&client, "all", 3), 3);
	CHECK_INT(client.channel->type->finish(client.channel, &client.err), 0);
	CHECK_INT(recv_from(&server, got, sizeof(got)), 3);
	CHECK_INT(recv_from(&server, got, sizeof(got)), 0);
	CHECK_INT(recv_from(&server, got, sizeof(got)), 0);
	CHECK_INT(server.channel->type->peer(server.channel), CHANNEL_PEER_DONE);
	CHECK_INT(read(sockets[1], got, 1), 0); /* the FIN behind it */
	server.channel->type->say(server.channel, "stored\n", 7);
	CHECK_INT(recv_from(&client, got, sizeof(got)), 7);
	server.channel->type->settle(server.channel);
	CHECK_INT(recv_from(&client, got, sizeof(got)), 0);
	close_ends();
}

/* Whatever is cut off in front of, the data that came before it come, and then an error. */
static void cut(size_t size)
{
	char bytes[1000] = {0};
	char got[1000];

	check_row("after %zu bytes", size);
	open_agreed(CHANNEL_TLS_KEY_BYTES);
	if (size > 0)
		CHECK_INT(send_to(&client, bytes, size), (intmax_t)size);
	CHECK_INT(shutdown(sockets[0], SHUT_WR), 0);
	if (size > 0)
		CHECK_INT(recv_from(&server, got, sizeof(got)), (intmax_t)size);
	for (int again = 0; again < 2; again++) {
		CHECK_INT(recv_from(&server, got, sizeof(got)), -1);
		CHECK_INT(server.err.kind, ERR_FAILED);
		CHECK_STR(server.err.text, "cut off");
	}
	CHECK_INT(server.channel->type->peer(server.channel), CHANNEL_PEER_OPEN);
	close_ends();
}

static void cuts(void)
{
	cut(0);
	cut(1);
	cut(1000);
}

/* Reads what the client has put on the wire. */
static size_t take_wire(char *wire, size_t size)
{
	ssize_t n = read(sockets[1], wire, size);

	return n < 0 ? 0 : (size_t)n;
}

static void cut_in_a_record(void)
{
	char wire[200];
	char got[100];

	open_agreed(CHANNEL_TLS_KEY_BYTES);
	CHECK_INT(send_to(&client, "some bytes", 10), 10);
	size_t size = take_wire(wire, sizeof(wire));
	CHECK(size > 20);
	CHECK_INT(write(sockets[0], wire, size - 1), (intmax_t)size - 1);
	CHECK_INT(shutdown(sockets[0], SHUT_WR), 0);
	CHECK_INT(recv_from(&server, got, sizeof(got)), -1);
	CHECK_STR(server.err.text, "cut off");
	close_ends();
}

static void changed(void)
{
	char wire[200];
	char got[100];

	open_agreed(CHANNEL_TLS_KEY_BYTES);
	CHECK_INT(send_to(&client, "some bytes", 10), 10);
	size_t size = take_wire(wire, sizeof(wire));
	wire[size - 3] ^= 1;
	CHECK_INT(write(sockets[0], wire, size), (intmax_t)size);
	CHECK_INT(recv_from(&server, got, sizeof(got)), -1);
	CHECK_STR(server.err.text, "the encrypted stream was changed on its way");
	close_ends();
}

/* A record that is sent twice is not two: nobody can repeat a part of the stream. */
static void repeated(void)
{
	char wire[200];
	char got[100];

	open_agreed(CHANNEL_TLS_KEY_BYTES);
	CHECK_INT(send_to(&client, "some bytes", 10), 10);
	size_t size = take_wire(wire, sizeof(wire));
	CHECK_INT(write(sockets[0], wire, size), (intmax_t)size);
	CHECK_INT(write(sockets[0], wire, size), (intmax_t)size);
	CHECK_INT(recv_from(&server, got, sizeof(got)), 10);
	CHECK_INT(recv_from(&server, got, sizeof(got)), -1);
	close_ends();
}

static char pattern_at(int64_t i)
{
	return (char)(i * 7 + i / 251);
}

/* Sends total bytes to the server while that takes them, as fast as both can. */
static void pump(int64_t total)
{
	char bytes[40000];
	char got[30000];
	int64_t sent = 0;
	int64_t received = 0;
	bool is_same = true;

	for (int turns = 0; received < total && turns < 1000000; turns++) {
		size_t size = sizeof(bytes);
		for (size_t i = 0; i < size; i++)
			bytes[i] = pattern_at(sent + (int64_t)i);
		if (total - sent < (int64_t)size)
			size = (size_t)(total - sent);
		ssize_t n = size == 0 ? 0 : send_to(&client, bytes, size);
		if (n != CHANNEL_LATER && (n < 0 || (n == 0 && size > 0)))
			break;
		sent += n > 0 ? n : 0;
		wait_now(&client, 0); /* lets the rest out of the buffer */
		ssize_t m = recv_from(&server, got, sizeof(got));
		if (m < 0 && m != CHANNEL_LATER)
			break;
		for (ssize_t i = 0; i < m; i++)
			is_same = is_same && got[i] == pattern_at(received + i);
		received += m > 0 ? m : 0;
	}
	CHECK_INT(sent, total);
	CHECK_INT(received, total);
	CHECK(is_same);
	CHECK_STR(client.err.text, "");
	CHECK_STR(server.err.text, "");
}

static void many_bytes(void)
{
	open_agreed(CHANNEL_TLS_KEY_BYTES);
	pump(INT64_C(20) * 1024 * 1024 + 17);
	CHECK_INT((intmax_t)client.channel->type->in_flight(client.channel), 0);
	close_ends();
}

static void many_keys(void)
{
	open_agreed(INT64_C(512) * 1024);
	pump(INT64_C(20) * 1024 * 1024 + 17);
	close_ends();
}

static void hidden_bytes(void)
{
	char got[10];

	open_agreed(CHANNEL_TLS_KEY_BYTES);
	CHECK_INT(wait_now(&server, CHANNEL_READABLE), CHANNEL_READABLE); /* to be looked at */
	CHECK_INT(recv_from(&server, got, 1), CHANNEL_LATER);
	CHECK_INT(wait_now(&server, CHANNEL_READABLE), 0);
	CHECK_INT(send_to(&client, "ab", 2), 2);
	CHECK_INT(wait_now(&server, CHANNEL_READABLE), CHANNEL_READABLE);
	CHECK_INT(recv_from(&server, got, 1), 1);
	/* The second byte is decrypted: the socket has nothing any more, and the channel has. */
	CHECK_INT(recv(sockets[1], got, 1, MSG_PEEK), -1);
	CHECK_INT(wait_now(&server, CHANNEL_READABLE), CHANNEL_READABLE);
	CHECK_INT(recv_from(&server, got, 1), 1);
	close_ends();
}

/* Sends until nothing more goes out: the peer does not read. Returns how many bytes went. */
static int64_t fill(void)
{
	static char bytes[100000];
	int64_t sent = 0;

	for (int i = 0; i < 1000; i++) {
		ssize_t n = send_to(&client, bytes, sizeof(bytes));
		if (n < 0)
			break;
		sent += n;
	}
	return sent;
}

static void late_end(void)
{
	static char bytes[100000];
	static char got[100000];
	int64_t received = 0;

	open_agreed(CHANNEL_TLS_KEY_BYTES);
	int64_t sent = fill();
	ssize_t n = CHANNEL_LATER;
	while (n == CHANNEL_LATER) {
		ssize_t m = recv_from(&server, got, sizeof(got));
		received += m > 0 ? m : 0;
		n = send_to(&client, bytes, sizeof(bytes)); /* the record is finished first */
	}
	CHECK(n > 0);
	sent += n;
	while ((n = send_to(&client, bytes, sizeof(bytes))) == CHANNEL_LATER)
		received += recv_from(&server, got, sizeof(got));
	CHECK(n > 0);
	sent += n;
	CHECK_INT(client.channel->type->finish(client.channel, &client.err), 0);
	CHECK(client.channel->type->in_flight(client.channel) > 0);
	for (int turns = 0; turns < 10000; turns++) {
		wait_now(&client, 0);
		n = recv_from(&server, got, sizeof(got));
		if (n == 0)
			break;
		received += n > 0 ? n : 0;
	}
	CHECK_INT(n, 0);
	CHECK(received >= sent);
	CHECK_INT((intmax_t)client.channel->type->in_flight(client.channel), 0);
	close_ends();
}

static void last_words(void)
{
	char got[100];

	open_agreed(CHANNEL_TLS_KEY_BYTES);
	server.channel->type->say(server.channel, "sockxfer/1 failed x\n", 20);
	close_end(&server);
	ssize_t n = 0;
	for (int i = 0; i < 100 && n >= 0; i++)
		n = send_to(&client, "data", 4);
	CHECK_INT(n, -1);
	CHECK_INT(client.err.kind, ERR_FAILED);
	CHECK_INT(recv_from(&client, got, sizeof(got)), 20);
	close_end(&client);
}

/* As a peer that OpenSSL serves: reads what there is, and asks for another key. Returns how many. */
static int64_t read_and_ask(SSL *raw, bool *is_same, int64_t received)
{
	char got[30000];
	size_t n = 0;

	if (SSL_read_ex(raw, got, sizeof(got), &n) != 1)
		n = 0;
	for (size_t i = 0; i < n; i++)
		*is_same = *is_same && got[i] == pattern_at(received + (int64_t)i);
	if (SSL_key_update(raw, SSL_KEY_UPDATE_REQUESTED) == 1)
		(void)SSL_do_handshake(raw);
	(void)BIO_flush(SSL_get_wbio(raw));
	return (int64_t)n;
}

/* What is not sent at once is a record that is half sent when the peer asks. */
static void asked_keys(void)
{
	static char bytes[400000];
	struct tls_peer peer;
	short events;
	int status = 0;
	int64_t sent = 0;
	int64_t received = 0;
	bool is_same = true;

	open_ends("a:" HEX32, "a:" HEX32, CHANNEL_TLS_KEY_BYTES);
	SSL *raw = tls_connection(&server.tls, sockets[1], true, &peer, &server.err);
	for (int i = 0; i < 100 && (status == 0 || SSL_in_init(raw)); i++) {
		if (status == 0)
			status = channel_tls_shake(client.channel, &events, &client.err);
		(void)SSL_do_handshake(raw);
	}
	CHECK_INT(status, 1);
	/* OpenSSL takes 32 changes in a row, without data between, for an attack. */
	for (int turns = 0; turns < 400; turns++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = pattern_at(sent + (int64_t)i);
		ssize_t n = send_to(&client, bytes, sizeof(bytes));
		sent += n > 0 ? n : 0;
		received += read_and_ask(raw, &is_same, received);
		if (!CHECK_INT(recv_from(&client, bytes, 1), CHANNEL_LATER))
			break;
	}
	CHECK_STR(client.err.text, "");
	CHECK(is_same);
	CHECK(received > 1000000 && received <= sent);
	SSL_free(raw);
	close_ends();
}

/* The peer, as OpenSSL has it, sends records without data. */
static void flood(void)
{
	struct tls_peer peer;
	char got[10];
	int64_t deadline;

	open_ends("a:" HEX32, "a:" HEX32, CHANNEL_TLS_KEY_BYTES);
	SSL *raw = tls_connection(&client.tls, sockets[0], false, &peer, &client.err);
	short events;
	int status = 0;
	for (int i = 0; i < 100 && status == 0; i++) {
		(void)SSL_do_handshake(raw);
		status = channel_tls_shake(server.channel, &events, &server.err);
	}
	CHECK_INT(status, 1);
	int flooder = fork();
	if (flooder == 0) {
		for (;;) {
			if (SSL_key_update(raw, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
				(void)SSL_do_handshake(raw);
			(void)BIO_flush(SSL_get_wbio(raw));
		}
	}
	deadline = deadline_after(CLOCK_SECOND);
	ssize_t n =
	    server.channel->type->recv(server.channel, got, sizeof(got), deadline, &server.err);
	/* OpenSSL may take so many for an attack, which is as well. */
	CHECK(n == CHANNEL_LATER || n == -1);
	CHECK(clock_now() < deadline + 60 * CLOCK_SECOND);
	kill(flooder, SIGKILL);
	waitpid(flooder, NULL, 0);
	SSL_free(raw);
	close_ends();
}

/* The session of a client that has the key, and may send data before the server has answered. */
static int use_early_session(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_len,
    SSL_SESSION **session)
{
	static const unsigned char suite[] = {0x13, 0x01}; /* TLS_AES_128_GCM_SHA256 */
	unsigned char key[16];

	(void)md;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)(i * 0x11);
	*id = (const unsigned char *)"a";
	*id_len = 1;
	*session = SSL_SESSION_new();
	return *session != NULL && SSL_SESSION_set1_master_key(*session, key, sizeof(key)) == 1 &&
	       SSL_SESSION_set_cipher(*session, SSL_CIPHER_find(ssl, suite)) == 1 &&
	       SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION) == 1 &&
	       SSL_SESSION_set_max_early_data(*session, 16384) == 1;
}

/* Data that come with the first message could be a recording that somebody plays again. */
static void early_data(void)
{
	char got[100];
	short events;
	size_t n = 0;
	int status = 0;

	open_ends("a:" HEX32, "a:" HEX32, CHANNEL_TLS_KEY_BYTES);
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *raw = context == NULL ? NULL : SSL_new(context);
	if (!CHECK(raw != NULL))
		return;
	SSL_set_psk_use_session_callback(raw, use_early_session);
	CHECK_INT(SSL_set_fd(raw, sockets[0]), 1);
	CHECK_INT(SSL_write_early_data(raw, "early", 5, &n), 1);
	CHECK(n == 5);
	for (int i = 0; i < 100 && (status == 0 || SSL_in_init(raw)); i++) {
		if (status == 0)
			status = channel_tls_shake(server.channel, &events, &server.err);
		(void)SSL_do_handshake(raw);
	}
	CHECK_INT(status, 1);
	CHECK_STR(server.channel->key, "a");
	CHECK_INT(SSL_get_early_data_status(raw), SSL_EARLY_DATA_REJECTED);
	CHECK_INT(recv_from(&server, got, sizeof(got)), CHANNEL_LATER);
	CHECK_INT(SSL_write(raw, "later", 5), 5);
	CHECK_INT(recv_from(&server, got, sizeof(got)), 5);
	CHECK(memcmp(got, "later", 5) == 0);
	SSL_free(raw);
	SSL_CTX_free(context);
	close_ends();
}

int main(void)
{
	promise("two ends with the key agree, and bytes go both ways", agrees);
	promise("data that come with a client's first message are not taken", early_data);
	promise("the end that connects uses its first key, the other end finds it", other_keys);
	promise("a wrong key and an unknown identity look the same to the peer, and not in our log",
	    wrong_keys);
	promise("a peer that does not encrypt is told from one without the key", plain_peer);
	promise("a peer that is gone before its handshake has cut it off", gone_peer);
	promise("a peer that is gone before it has answered is told from one that has", answered);
	promise("close_notify is the end, in both directions", ends);
	promise("an end of the connection without close_notify is an error", cuts);
	promise("so is one in the middle of a record", cut_in_a_record);
	promise("a bit that is changed on the way is found", changed);
	promise("a record that is repeated is found", repeated);
	promise("20 MiB arrive as they were, though the socket takes less at once", many_bytes);
	promise("so they do with a new key every 512 KiB", many_keys);
	promise("a peer that asks for other keys while we send gets them", asked_keys);
	promise("bytes that poll(2) does not see are not waited for", hidden_bytes);
	promise("an end that does not fit into the socket goes out later, behind the data",
	    late_end);
	promise("the last words of the peer are heard after a write has failed", last_words);
	promise("a flood of records without data does not outlast the deadline", flood);
	return check_end();
}
