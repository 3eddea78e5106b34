/* A signal that comes between the last check of the flag and the wait. */
#include "sys/io.h"

#include <errno.h>
#include <signal.h>

#include "base/deadline.h"
#include "check.h"
#include "sys/signals.h"

static int polls;
static bool hangs;

/*
 * Takes the place of the C library's ppoll(2), through the two functions below, and sends the signal
 * at its start. If the signal is blocked, as it should be, the mask lets it through, and it ends the
 * wait. If not, its handler has run already, and nothing would end the wait any more.
 */
static int late_signal(const sigset_t *mask)
{
	sigset_t old;

	polls++;
	raise(SIGTERM);
	hangs = signals_caught() != 0;
	if (hangs || mask == NULL)
		return 0;
	pthread_sigmask(SIG_SETMASK, mask, &old);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	hangs = signals_caught() == 0;
	errno = EINTR;
	return hangs ? 0 : -1;
}

/* By their names in the object files: as functions they may be inline ones of <poll.h>. */
int fake_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
    const sigset_t *mask) __asm__("ppoll");
int fake_ppoll_fortified(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
    const sigset_t *mask, size_t size) __asm__("__ppoll_chk");

int fake_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
    const sigset_t *mask)
{
	(void)fds, (void)count, (void)timeout;
	return late_signal(mask);
}

int fake_ppoll_fortified(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
    const sigset_t *mask, size_t size)
{
	(void)fds, (void)count, (void)timeout, (void)size;
	return late_signal(mask);
}

static void not_lost(void)
{
	struct err err = {.kind = ERR_NONE};

	signals_install();
	CHECK_INT(io_wait(STDIN_FILENO, POLLIN, DEADLINE_NEVER, &err), -1);
	CHECK_INT(polls, 1);
	CHECK(!hangs);
	CHECK_INT(err.kind, ERR_INTERRUPTED);
}

int main(void)
{
	promise("a signal that comes just before a wait ends it all the same", not_lost);
	return check_end();
}
