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
	MUST(key_list_parse(&list, keys, sizeof(keys) - 1, &err) == 0);
	MUST(tls_open(&tls, &list, &err) == 0);
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets) == 0);
	struct channel *channel =
	    channel_tls_open(sockets[0], &tls, data[0] % 2 == 0, CHANNEL_TLS_KEY_BYTES, &err);
	MUST(channel != NULL);
	send_in_two(channel, sockets[1], data + 2, size - 2, data[1]);
	MUST(channel->key == NULL && channel->suite == NULL);
	channel->type->close(channel);
	close(sockets[1]);
	tls_close(&tls);
	key_list_wipe(&list);
	return 0;
}
