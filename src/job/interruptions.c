#include "job/interruptions.h"

#include "base/deadline.h"
#include "base/humanize.h"
#include "net/sock.h"
#include "sys/io.h"

struct interruptions interruptions_begin(const struct rendezvous_options *options,
    const struct invite *invite, struct progress *progress, struct outcome *outcome)
{
	struct interruptions interruptions = {
	    .options = options,
	    .invite = invite,
	    .progress = progress,
	    .outcome = outcome,
	};

	go_on_init(&interruptions.go_on, options->endpoint.retry);
	return interruptions;
}

/*
 * After a break, a meeting that fails is one more, unless the time of -W is over, or the other end
 * does not have the key. Returns -1.
 */
static int note_missed(struct outcome *outcome, const struct time_limits *limits,
    const struct err *err)
{
	bool passes = err->kind == ERR_FAILED || err->kind == ERR_TIMEOUT;

	outcome->result.is_broken =
	    outcome->interruptions > 0 && passes && clock_now() < limits->end;
	return -1;
}

int interruptions_meet(struct interruptions *interruptions, struct listen_set *listening,
    const struct time_limits *limits, struct connection *connection, struct err *err)
{
	const struct rendezvous_options *options = interruptions->options;
	struct outcome *outcome = interruptions->outcome;
	int status;

	if (outcome->interruptions == 0)
		status = rendezvous_open(options, interruptions->invite, listening, limits,
		    connection, err);
	else
		status = rendezvous_again(options, &interruptions->again, listening, limits,
		    connection, err);
	if (listening->count > 0)
		interruptions->again.port = sock_port(listening->fd[0]);
	return status == 0 ? 0 : note_missed(outcome, limits, err);
}

int interruptions_meet_next(struct interruptions *interruptions, struct listen_set *listening,
    const struct time_limits *limits, struct connection *connection, struct err *err)
{
	struct outcome *outcome = interruptions->outcome;
	struct time_limits wait = *limits;

	if (outcome->interruptions == 0) {
		progress_enter(interruptions->progress, PROGRESS_WAITING);
	} else {
		progress_interrupt(interruptions->progress, interruptions->at);
		wait = rendezvous_limits(limits, interruptions->again.until);
	}
	if (rendezvous_next(interruptions->options, listening, &wait, connection, err) == 0)
		return 0;
	return note_missed(outcome, limits, err);
}

/* Keeps what the end will need of a try that had a connection. */
static void note_try(struct interruptions *interruptions)
{
	const struct outcome *outcome = interruptions->outcome;
	const struct transfer_result *result = &outcome->result;

	if (outcome->started == 0)
		return;
	if (interruptions->started == 0) {
		interruptions->started = outcome->started;
		interruptions->resumed_at = result->resumed_at;
	}
	interruptions->both_resume |= result->both_resume;
	interruptions->last = *result;
	if (result->bytes > interruptions->at)
		interruptions->at = result->bytes;
}

/*
 * Whether the transfer may be tried again. To a receiver of another kind no byte is sent twice: it
 * may append them to the first ones.
 */
static bool may_be_tried(const struct outcome *outcome, const struct err *err)
{
	const struct transfer_result *result = &outcome->result;
	bool is_safe = !outcome->sends || result->both_resume || result->bytes == 0;

	return outcome->goes_on && result->is_broken && is_safe && err->kind != ERR_INTERRUPTED;
}

/*
 * Tells of a break. A try that moved nothing is no interruption of anything; there may be many.
 */
static void tell_break(const struct interruptions *interruptions, bool is_interruption, int64_t now,
    const struct err *err)
{
	char amount[HUMANIZE_TEXT_MAX];
	char time[HUMANIZE_TEXT_MAX];

	humanize_bytes(amount, interruptions->at);
	humanize_duration(time, interruptions->again.until - now);
	if (is_interruption)
		log_note(interruptions->invite->log, "interrupted at %s, trying again for %s: %s",
		    amount, time, err->text);
	else
		log_detail(interruptions->invite->log, "%s; trying again", err->text);
	progress_interrupt(interruptions->progress, interruptions->at);
}

bool interruptions_pass(struct interruptions *interruptions, struct err *err)
{
	struct outcome *outcome = interruptions->outcome;
	const struct transfer_result *result = &outcome->result;
	/* Without a byte it may have broken off before the two were agreed. */
	bool is_agreed = result->both_resume && result->bytes > 0;
	const struct go_on_try tried = {
	    .met = outcome->started,
	    .had = is_agreed ? result->resumed_at : -1,
	    .moved = result->bytes - result->resumed_at,
	};
	int64_t now = clock_now();
	struct go_on_step step;

	note_try(interruptions);
	if (!may_be_tried(outcome, err) || !go_on_next(&interruptions->go_on, &tried, now, &step))
		return false;
	bool is_interruption = tried.moved > 0 || outcome->interruptions == 0;
	interruptions->again.until = step.until;
	tell_break(interruptions, is_interruption, now, err);
	outcome->interruptions += is_interruption;
	outcome->started = 0;
	outcome->result = (struct transfer_result){.bytes = 0};
	if (io_sleep(step.at, err) == -1)
		return false;
	err_clear(err);
	return true;
}

void interruptions_end(const struct interruptions *interruptions, struct err *err)
{
	struct outcome *outcome = interruptions->outcome;
	int count = outcome->interruptions;

	if (count == 0)
		return;
	if (outcome->started == 0)
		outcome->result = interruptions->last;
	outcome->started = interruptions->started;
	outcome->result.resumed_at = interruptions->resumed_at;
	if (err->kind != ERR_NONE && err->kind != ERR_INTERRUPTED)
		err_prefix(err, "interrupted %d time%s", count, count == 1 ? "" : "s");
}
