/*
 * sendfile(2), where it is a gain. Measured, CPU seconds of the sender for 2 GiB of page cache, by
 * sendfile and by read and send in chunks of 2M:
 *
 *   over a link of 1 Gbit/s   0.13, 0.26
 *   over a unix socket        0.18, 0.32; 2.7 and 2.5 GB/s
 *   over loopback             0.69, 0.46; 2.5 and 2.8 GB/s: it sends pages one by one
 *
 * With a digest the bytes have to be read all the same, and nothing is left of the gain: pread into the
 * cache and then sendfile took 0.65 s over loopback, 0.49 s by read and send; hashing the mapped pages 0.85.
 *
 * What lost too, over loopback: splice(2) from a pipe to the socket, 1.6 to 2.0 GB/s where read and send made
 * 2.1, since the pages of a pipe are sent one by one as well; and at the receiver splice(2) from the socket
 * through a pipe of 1 MiB to the file, 2.6 GB/s without a digest where recv and write in chunks of 2M made 2.8, and 1.3
 * to 1.8 with the digest of what was then read or mapped back.
 */
#include "transfer/copy.h"

#include <errno.h>

#include "base/clock.h"
#include "net/sock.h"

bool copy_linux_suits(const struct copy *copy)
{
	return copy->source->sized && !digest_is_open(copy->digest) &&
	       !sock_is_loopback(copy->sock);
}

/* The lifeline needs a byte of ours to go with. */
static bool has_to_read(const struct copy *copy)
{
	return copy->lifeline->offer != -1;
}

/* Nothing to do: the bytes stay where they are. */
static ssize_t fill(struct copy *copy, int64_t deadline, struct err *err)
{
	int64_t left = source_left(copy->source);

	if (has_to_read(copy))
		return copy_portable.fill(copy, deadline, err);
	copy->in_file = true;
	copy->ready = left < (int64_t)copy->size ? (size_t)left : copy->size;
	return (ssize_t)copy->ready;
}

/* Whether sendfile(2) cannot do this for what the file or the socket is. */
static bool is_refusal(int errnum)
{
	return errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP || errnum == EOVERFLOW;
}

/*
 * sendfile(2) has failed, and does not say whether for the file's sake or the connection's. To read the file is to
 * know: if that fails, copy_fill() is going to say so; else it was the connection, or a refusal.
 */
static ssize_t fall_back(struct copy *copy, struct err *err)
{
	struct err failure = *err;

	copy->engine = &copy_portable;
	copy->ready = 0;
	if (copy_portable.fill(copy, DEADLINE_NOW, err) == -1 || is_refusal(failure.errnum))
		return 0;
	*err = failure;
	return -1;
}

static ssize_t send_ready(struct copy *copy, struct err *err)
{
	if (!copy->in_file)
		return copy_portable.send(copy, err);
	ssize_t n = source_sendfile(copy->source, copy->sock, copy->ready, err);
	if (n >= 0) {
		copy->live = true;
		copy->ready -= (size_t)n;
		return n;
	}
	return err->kind == ERR_FAILED ? fall_back(copy, err) : -1;
}

const struct copy_engine copy_linux = {.fill = fill, .send = send_ready};
