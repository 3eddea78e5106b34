/*
 * Standard error as people see it: whole lines, and below them, on a terminal, one line that is drawn again and
 * again. Both may come from several threads.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct terminal {
	pthread_mutex_t lock;
	bool is_terminal;
	bool is_drawn; /* the line below is there */
};

/* Finds out what standard error is. The screen has nothing to be closed. */
void terminal_open(struct terminal *terminal);

/*
 * Whether a short line can be printed at once: it cannot to a terminal after ^S, nor to a pipe that nobody reads.
 * Does not block.
 */
bool terminal_takes_output(void);

/*
 * Whether this is a terminal for us to print on now: it takes output, and its foreground process group is ours.
 * Does not block.
 */
bool terminal_is_ours(const struct terminal *terminal);

/* Whether on top of that it can draw a line again: TERM is neither unset nor "dumb". Does not block. */
bool terminal_can_draw(const struct terminal *terminal);

/* The columns of the terminal, which may have changed (TIOCGWINSZ, tty_ioctl(4)); 80 if it does not know. */
size_t terminal_width(void);

/*
 * Draws text, printable and of fewer columns than terminal_width(), in the place of what was drawn before. May
 * block as write(2) to a terminal does.
 */
void terminal_draw(struct terminal *terminal, const char *text);

/* Takes away what was drawn. May block as terminal_draw(). */
void terminal_erase(struct terminal *terminal);

/* Prints text, printable, and a newline, in one write, above what is drawn. Blocks as write(2) does. */
void terminal_print(struct terminal *terminal, const char *text);

#endif
