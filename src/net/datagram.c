#include "net/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/sock_diag.h>

struct datagram_room {
	struct mmsghdr message[DATAGRAM_BATCH];
	struct iovec part[DATAGRAM_BATCH];
	struct sock_addr from[DATAGRAM_BATCH];
	size_t longest;
	char *data; /* longest + 1 bytes for each */
};

static bool is_none_now(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

struct datagram_room *datagram_room_new(size_t longest, struct err *err)
{
	struct datagram_room *room = calloc(1, sizeof(*room));

	if (room != NULL)
		room->data = malloc(DATAGRAM_BATCH * (longest + 1));
	if (room == NULL || room->data == NULL) {
		err_sys(err, "datagrams");
		free(room);
		return NULL;
	}
	room->longest = longest;
	for (size_t i = 0; i < DATAGRAM_BATCH; i++) {
		room->part[i] = (struct iovec){
		    .iov_base = room->data + i * (longest + 1),
		    .iov_len = longest,
		};
		room->message[i].msg_hdr = (struct msghdr){
		    .msg_name = &room->from[i].storage,
		    .msg_iov = &room->part[i],
		    .msg_iovlen = 1,
		};
	}
	return room;
}

void datagram_room_free(struct datagram_room *room)
{
	if (room == NULL)
		return;
	free(room->data);
	free(room);
}

int datagram_receive(int sock, struct datagram_room *room, struct err *err)
{
	for (size_t i = 0; i < DATAGRAM_BATCH; i++)
		room->message[i].msg_hdr.msg_namelen = sizeof(room->from[i].storage);
	int count = recvmmsg(sock, room->message, DATAGRAM_BATCH, MSG_DONTWAIT, NULL);
	if (count == -1)
		return is_none_now() ? 0 : err_sys(err, "%s", "");
	for (int i = 0; i < count; i++)
		room->from[i].len = room->message[i].msg_hdr.msg_namelen;
	return count;
}

struct datagram datagram_at(const struct datagram_room *room, size_t index)
{
	const struct mmsghdr *message = &room->message[index];

	return (struct datagram){
	    .data = room->part[index].iov_base,
	    .size = message->msg_len,
	    .is_cut = (message->msg_hdr.msg_flags & MSG_TRUNC) != 0,
	    .from = &room->from[index],
	};
}

int datagram_send(int sock, struct iovec *parts, size_t count, struct err *err)
{
	struct mmsghdr message[DATAGRAM_BATCH];

	memset(message, 0, sizeof(message));
	for (size_t i = 0; i < count; i++) {
		message[i].msg_hdr.msg_iov = &parts[i];
		message[i].msg_hdr.msg_iovlen = 1;
	}
	int sent = sendmmsg(sock, message, (unsigned int)count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0)
		return sent;
	return is_none_now() ? 0 : err_sys(err, "%s", "");
}

int datagram_look(int sock, struct datagram_state *state, struct err *err)
{
	uint32_t facts[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(facts);

	if (getsockopt(sock, SOL_SOCKET, SO_MEMINFO, facts, &len) == -1)
		return err_sys(err, "SO_MEMINFO");
	if (len <= SK_MEMINFO_DROPS * sizeof(facts[0]))
		return err_set(err, ERR_FAILED, 0, "the kernel does not count what it drops");
	state->dropped = facts[SK_MEMINFO_DROPS];
	state->waiting = facts[SK_MEMINFO_RMEM_ALLOC];
	return 0;
}
