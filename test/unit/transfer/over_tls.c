/* Success, for a sender over TLS, where the receiver is cut off before its close_notify. */
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "check.h"
#include "data/source_file.h"
#include "net/channel_tls.h"
#include "transfer/send.h"

#define KEYS "a:00112233445566778899aabbccddeeff"
#define DATA "0123456789"

static struct err err;

/* Makes two TCP sockets that are connected with each other. */
static void connect_pair(int pair[2])
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int listening = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_INT(bind(listening, (struct sockaddr *)&addr, len), 0);
	CHECK_INT(listen(listening, 1), 0);
	CHECK_INT(getsockname(listening, (struct sockaddr *)&addr, &len), 0);
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_INT(connect(pair[0], (struct sockaddr *)&addr, len), 0);
	pair[1] = accept(listening, NULL, NULL);
	for (int i = 0; i < 2; i++)
		CHECK_INT(fcntl(pair[i], F_SETFL, O_NONBLOCK), 0);
	close(listening);
}

/* Opens a channel over sock, and does the handshake. */
static struct channel *open_channel(struct tls *tls, struct key_list *keys, int sock,
    bool is_server)
{
	short events;
	int status;
	int64_t deadline = deadline_after(CHECK_TIME_LIMIT / 2 * CLOCK_SECOND);

	CHECK_INT(key_list_parse(keys, KEYS, strlen(KEYS), &err), 0);
	CHECK_INT(tls_open(tls, keys, &err), 0);
	struct channel *channel =
	    channel_tls_open(sock, tls, is_server, CHANNEL_TLS_KEY_BYTES, &err);
	if (!CHECK(channel != NULL))
		exit(1);
	while ((status = channel_tls_shake(channel, &events, &err)) == 0 && clock_now() < deadline)
		(void)channel->type->wait(channel, 0, NULL, deadline_after(CLOCK_MILLISECOND),
		    &err);
	CHECK_INT(status, 1);
	return channel;
}

/* Receives to the end, says the lines of a receipt, the last of them or not, and is gone. */
static _Noreturn void receive_and_go(int sock, bool stores, bool resets)
{
	struct tls tls;
	struct key_list keys;
	struct channel *channel = open_channel(&tls, &keys, sock, true);
	struct linger abort = {.l_onoff = 1, .l_linger = 0};
	struct digest digest;
	char text[DIGEST_TEXT_MAX];
	char line[RECEIPT_LINE_MAX];
	char got[100];
	int64_t bytes = 0;
	ssize_t n;

	digest_open(&digest, &err);
	while ((n = channel->type->recv(channel, got, sizeof(got), DEADLINE_NEVER, &err)) > 0) {
		digest_add(&digest, got, (size_t)n);
		bytes += n;
	}
	digest_text(&digest, text);
	channel->type->say(channel, line, receipt_write_received(line, bytes, text));
	if (stores)
		channel->type->say(channel, line, receipt_write_stored(line));
	/* A reset takes away what has not been read: the lines have to arrive first. */
	while (channel->type->in_flight(channel) > 0)
		(void)channel->type->wait(channel, 0, NULL, deadline_after(CLOCK_MILLISECOND),
		    &err);
	if (resets)
		setsockopt(sock, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	_exit(0);
}

/* Returns what transfer_send() does, to a receiver that is cut off behind its last line. */
static int send_to_one_that_goes(bool stores, bool resets, struct transfer_result *result)
{
	const struct ends ends = {.peer = "peer", .local = "local"};
	struct progress progress = {.bytes = 0};
	const struct send_policy policy = {
	    .limits = {.idle = 0, .end = DEADLINE_NEVER},
	    .chunk = 4,
	    .heeds_receipts = true,
	    .progress = &progress,
	};
	struct tls tls;
	struct key_list keys;
	int pair[2];
	int file = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);

	signal(SIGPIPE, SIG_IGN);
	err = (struct err){.kind = ERR_NONE};
	CHECK_INT(write(file, DATA, strlen(DATA)), strlen(DATA));
	CHECK_INT(lseek(file, 0, SEEK_SET), 0);
	connect_pair(pair);
	pid_t peer = fork();
	if (peer == 0) {
		close(pair[0]);
		receive_and_go(pair[1], stores, resets);
	}
	close(pair[1]);
	struct channel *channel = open_channel(&tls, &keys, pair[0], false);
	struct source *source = source_file_open(file, strlen(DATA), "data", &err);
	int status = transfer_send(source, channel, &ends, &policy, result, &err);
	source_close(source);
	channel->type->close(channel);
	tls_close(&tls);
	key_list_wipe(&keys);
	waitpid(peer, NULL, 0);
	return status;
}

static void cut_behind_stored(void)
{
	for (int resets = 0; resets < 2; resets++) {
		struct transfer_result result;

		check_row("%s", resets ? "reset" : "end without close_notify");
		CHECK_INT(send_to_one_that_goes(true, resets, &result), 0);
		CHECK_INT(result.end, TRANSFER_STORED);
		CHECK_INT(err.kind, ERR_NONE);
	}
}

static void cut_before_stored(void)
{
	for (int resets = 0; resets < 2; resets++) {
		struct transfer_result result;

		check_row("%s", resets ? "reset" : "end without close_notify");
		CHECK_INT(send_to_one_that_goes(false, resets, &result), -1);
		CHECK_INT(result.end, TRANSFER_FAILED);
		CHECK_INT(err.kind, ERR_FAILED);
	}
}

int main(void)
{
	promise("a receiver that is cut off behind \"stored\" has stored it", cut_behind_stored);
	promise("one that is cut off before that has not", cut_before_stored);
	return check_end();
}
