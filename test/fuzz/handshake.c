/*
 * A handshake with a peer that does not have the key: whatever it sends, a recorded handshake or parts of one among
 * it, the handshake is never done, and no byte of it is taken for data. The first byte of an input says which end we
 * are, the second after how many bytes the rest is sent.
 */
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"
#include "fuzz.h"
#include "net/channel_tls.h"

/* Where a hello, of either end, has the 32 bytes of a session id, after their length. */
#define SESSION_ID 44
#define SESSION_ID_LEN 32

static const char keys[] = "a:00112233445566778899aabbccddeeff\n";

/* Goes on with the handshake until it waits or has failed. Returns whether it waits. */
static bool shake(struct channel *channel)
{
	struct err err = {.kind = ERR_NONE};
	short events;
	int status = channel_tls_shake(channel, &events, &err);

	MUST(status != 1);
	if (status == -1)
		MUST(err.kind == ERR_FAILED || err.kind == ERR_NO_KEY);
	return status == 0;
}

/* Reads what we have sent, so that nothing of ours waits for room. */
static void drain(int sock)
{
	char bytes[4096];

	while (recv(sock, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

/*
 * Begins as the end that connects, and makes a ServerHello answer our hello: without its session id
 * (RFC 8446, 4.1.3) nothing behind it would be looked at.
 */
static void answer_hello(struct channel *channel, int peer, uint8_t *data, size_t size)
{
	uint8_t hello[SESSION_ID + SESSION_ID_LEN];

	MUST(shake(channel));
	MUST(recv(peer, hello, sizeof(hello), MSG_DONTWAIT) == (ssize_t)sizeof(hello));
	if (size >= sizeof(hello) && data[SESSION_ID - 1] == SESSION_ID_LEN)
		memcpy(data + SESSION_ID, hello + SESSION_ID, SESSION_ID_LEN);
}

static void send_in_two(struct channel *channel, int peer, const uint8_t *data, size_t size,
    size_t first)
{
	size_t before = first < size ? first : size;

	if (before > 0)
		MUST(send(peer, data, before, MSG_NOSIGNAL) == (ssize_t)before);
	if (!shake(channel))
		return;
	drain(peer);
	if (size > before)
		MUST(send(peer, data + before, size - before, MSG_NOSIGNAL) ==
		     (ssize_t)(size - before));
	shutdown(peer, SHUT_WR);
	for (int steps = 0; steps < 100 && shake(channel); steps++)
		drain(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_list list;
	struct tls tls;
	struct err err = {.kind = ERR_NONE};
	int sockets[2];

	if (size < 2 || size > 60000)
		return 0;
	uint8_t *bytes = (uint8_t *)fuzz_text(data + 2, size - 2);
	bool is_server = data[0] % 2 == 0;
	MUST(key_list_parse(&list, keys, sizeof(keys) - 1, &err) == 0);
	MUST(tls_open(&tls, &list, &err) == 0);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets) == 0);
	struct channel *channel =
	    channel_tls_open(sockets[0], &tls, is_server, CHANNEL_TLS_KEY_BYTES, &err);
	MUST(channel != NULL);
	if (!is_server)
		answer_hello(channel, sockets[1], bytes, size - 2);
	send_in_two(channel, sockets[1], bytes, size - 2, data[1]);
	MUST(channel->key == NULL && channel->suite == NULL);
	channel->type->close(channel);
	close(sockets[1]);
	tls_close(&tls);
	key_list_wipe(&list);
	free(bytes);
	return 0;
}
