/*
 * How a job talks to people and programs: as much of it as the user wants.
 */
#ifndef TALK_H
#define TALK_H

#include <stdbool.h>

#include "transfer/outcome.h"
#include "transfer/progress.h"
#include "ui/invite.h"
#include "ui/log.h"
#include "ui/progress_meter.h"

struct talk {
	const struct log *log;
	struct invite invite; /* what is said before there is a connection */
	bool draws;           /* a line of progress is wanted */
	bool is_command;      /* a command makes the data: no line before there are some */
	bool json;            /* the result as an object */
	bool has_data; /* standard output carries the data, or may: results go to standard error */
};

/*
 * Returns what the progress meter is to show of a transfer: progress, and the name in outcome. Both,
 * and talk, have to outlive the meter.
 */
struct progress_meter_options talk_meter(const struct talk *talk, const struct outcome *outcome,
    const struct progress *progress);

#endif
