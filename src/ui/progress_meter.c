#include "ui/progress_meter.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "sys/signals.h"
#include "ui/progress_text.h"

/* The time between two drawings. */
#define INTERVAL (250 * CLOCK_MILLISECOND)

/* The most columns of the line: a longer one is of no more use. */
#define WIDTH_MAX 200

/* The state of the thread. */
struct display {
	const struct progress_meter_options *options;
	struct terminal *terminal;
	const char *name;
	struct progress_text_rate rate;
	const char *told; /* the last wait that the user was told of, or NULL */
	bool measures;    /* a tree, while it is sent */
	bool has_measured;
};

/* Takes the last part of a path or of a command's name, which tells most in little room. */
static void set_name(struct progress_meter *meter, const char *name)
{
	const char *slash = strrchr(name, '/');
	char last[PROGRESS_METER_NAME_MAX];

	strlcpy(last, slash != NULL && slash[1] != '\0' ? slash + 1 : name, sizeof(last));
	printable(meter->name, last);
}

static struct progress_text look_at_progress(struct display *display)
{
	const struct progress_meter_options *options = display->options;

	return progress_text_take(options->progress, &display->rate, display->name, options->sends,
	    clock_now());
}

/* Begins to measure a tree that is shown without a total. */
static void want_total(struct display *display, const struct progress_text *status)
{
	if (display->options->measure != NULL && !display->has_measured &&
	    status->phase == PROGRESS_MOVING && status->entries != PROGRESS_UNKNOWN)
		display->measures = true;
}

/* Measures for as long as lies between two drawings, but not on when the meter is stopped. */
static void measure(struct display *display, const atomic_bool *stops)
{
	int64_t until = clock_now() + INTERVAL;

	while (display->measures && !atomic_load(stops) && clock_now() < until) {
		display->measures = display->options->measure(display->options->context);
		display->has_measured = !display->measures;
	}
}

static void draw(struct display *display, const struct progress_text *status)
{
	char text[PROGRESS_TEXT_MAX];
	size_t width = terminal_width();

	/* The last column stays free: a terminal would go on to the next line. */
	width = width > WIDTH_MAX ? WIDTH_MAX : width;
	progress_text_line(status, width - 1, text);
	terminal_draw(display->terminal, text);
	want_total(display, status);
}

/* Tells the user, who sees no line, once why nothing happens. */
static void tell(struct display *display, const struct progress_text *status)
{
	const char *what = progress_text_waiting(status);

	if (what == NULL || what == display->told || status->phase == PROGRESS_WAITING)
		return;
	display->told = what;
	log_note(display->options->log, "%s", what);
}

/*
 * Whether to draw the line. A command that has not sent anything yet may be asking for a password
 * on the same terminal.
 */
static bool is_wanted(const struct display *display, const struct progress_text *status)
{
	const struct progress_meter_options *options = display->options;

	return options->draws && terminal_can_draw(display->terminal) &&
	       (!options->is_command || status->bytes > 0);
}

static void refresh(struct display *display)
{
	struct progress_text status = look_at_progress(display);

	if (!terminal_is_ours(display->terminal))
		return;
	if (!is_wanted(display, &status))
		tell(display, &status);
	else if (status.phase != PROGRESS_WAITING)
		draw(display, &status);
	else
		terminal_erase(display->terminal);
}

static void answer(struct display *display)
{
	struct progress_text status = look_at_progress(display);
	char text[PROGRESS_TEXT_MAX];

	/* A write that blocks would delay progress_meter_stop(), and so the end of the program. */
	if (!terminal_takes_output())
		return;
	progress_text_sentence(&status, text);
	log_note(display->options->log, "%s", text);
	want_total(display, &status);
}

/*
 * Waits for a signal or, on a terminal, for the time to draw, which is now if time was used to
 * measure. Returns the signal, or 0.
 */
static int wait_for_signal(const struct display *display, const sigset_t *queries)
{
	static const struct timespec interval = {.tv_nsec = INTERVAL};
	static const struct timespec none = {.tv_nsec = 0};
	const struct timespec *timeout = display->terminal->is_terminal ? &interval : NULL;
	int sig = sigtimedwait(queries, NULL, display->measures ? &none : timeout);

	return sig == -1 ? 0 : sig;
}

static void *show(void *context)
{
	struct progress_meter *meter = context;
	struct display display = {
	    .options = &meter->options,
	    .terminal = meter->options.log->terminal,
	    .name = meter->name,
	};
	sigset_t queries;

	signals_queries(&queries);
	for (;;) {
		int sig = wait_for_signal(&display, &queries);
		if (atomic_load(&meter->stops))
			return NULL;
		if (sig != 0 && sig != SIGWINCH)
			answer(&display);
		refresh(&display);
		measure(&display, &meter->stops);
	}
}

void progress_meter_start(struct progress_meter *meter,
    const struct progress_meter_options *options)
{
	sigset_t all;
	sigset_t old;

	*meter = (struct progress_meter){.options = *options};
	atomic_init(&meter->stops, false);
	if (options->log->quiet)
		return;
	set_name(meter, options->name);
	/* The thread inherits the mask, so a signal that ends the program wakes the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	meter->runs = pthread_create(&meter->thread, NULL, show, meter) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void progress_meter_stop(struct progress_meter *meter)
{
	if (!meter->runs)
		return;
	atomic_store(&meter->stops, true);
	pthread_kill(meter->thread, SIGWINCH);
	pthread_join(meter->thread, NULL);
	meter->runs = false;
	terminal_erase(meter->options.log->terminal);
}
