#include "ui/terminal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_DEFAULT 80

/*
 * Erases from the cursor to the end of the screen: a terminal that has become narrower may have
 * broken the drawn line into several. Some terminals do so and some do not; therefore the cursor is
 * left at the beginning of the line, where it stays in either case.
 */
#define ERASE "\r\033[J"

/*
 * Between the two, text beyond the last column is not shown (DECAWM). The terminal may have become
 * narrower before we hear of it: tmux tells a quarter of a second later.
 */
#define CLIP "\033[?7l"
#define WRAP "\033[?7h"

void terminal_open(struct terminal *terminal)
{
	*terminal = (struct terminal){
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .is_terminal = isatty(STDERR_FILENO),
	};
}

static bool can_erase(void)
{
	const char *term = getenv("TERM");

	return term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

bool terminal_takes_output(void)
{
	struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT) != 0;
}

static bool in_foreground(void)
{
	return tcgetpgrp(STDERR_FILENO) == getpgrp();
}

bool terminal_is_ours(const struct terminal *terminal)
{
	return terminal->is_terminal && in_foreground() && terminal_takes_output();
}

bool terminal_can_draw(const struct terminal *terminal)
{
	return can_erase() && terminal_is_ours(terminal);
}

size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col;
}

void terminal_draw(struct terminal *terminal, const char *text)
{
	pthread_mutex_lock(&terminal->lock);
	fprintf(stderr, "\r" CLIP "%s\033[J" WRAP "\r", text);
	terminal->is_drawn = true;
	pthread_mutex_unlock(&terminal->lock);
}

/*
 * Returns ERASE if the drawn line can be erased, else "". If we are in the background, the shell
 * has moved the cursor; if the terminal takes no output, the end of the program must not wait for
 * it.
 */
static const char *eraser(const struct terminal *terminal)
{
	return terminal->is_drawn && in_foreground() && terminal_takes_output() ? ERASE : "";
}

void terminal_erase(struct terminal *terminal)
{
	pthread_mutex_lock(&terminal->lock);
	fputs(eraser(terminal), stderr);
	terminal->is_drawn = false;
	pthread_mutex_unlock(&terminal->lock);
}

void terminal_print(struct terminal *terminal, const char *text)
{
	pthread_mutex_lock(&terminal->lock);
	/* In one call, as stderr is unbuffered: warnx(3) would make three writes. */
	fprintf(stderr, "%s%s\n", eraser(terminal), text);
	terminal->is_drawn = false;
	pthread_mutex_unlock(&terminal->lock);
}
