/*
 * Standard error as people see it: whole lines, and below them, on a terminal, one line that is
 * drawn again and again. Several threads may use it.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct terminal {
	pthread_mutex_t lock;
	bool is_terminal;
	bool is_drawn; /* the last line is the drawn one */
};

/* Finds out whether standard error is a terminal. There is nothing to close. Does not block. */
void terminal_open(struct terminal *terminal);

/*
 * Whether standard error takes a short line at once: a terminal after ^S does not, nor does a full
 * pipe. Does not block.
 */
bool terminal_takes_output(void);

/*
 * Whether standard error is a terminal that we may draw on now: it takes output, and we are in its
 * foreground process group. Does not block.
 */
bool terminal_is_ours(const struct terminal *terminal);

/*
 * Whether terminal_is_ours(), and the terminal can also erase a line: TERM is set and not "dumb".
 * Does not block.
 */
bool terminal_can_draw(const struct terminal *terminal);

/*
 * Returns the present number of columns of the terminal (TIOCGWINSZ, tty_ioctl(4)), or 80 if it is
 * unknown. Does not block.
 */
size_t terminal_width(void);

/*
 * Draws text, printable and of fewer columns than terminal_width(), in the place of the line drawn
 * before. Blocks as write(2).
 */
void terminal_draw(struct terminal *terminal, const char *text);

/* Erases the line that was drawn. Blocks as terminal_draw(). */
void terminal_erase(struct terminal *terminal);

/*
 * Prints text, printable, and a newline, in one write, in the place of the line that was drawn.
 * Blocks as write(2).
 */
void terminal_print(struct terminal *terminal, const char *text);

#endif
