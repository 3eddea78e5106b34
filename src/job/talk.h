/*
 * The options on how a job talks to people and programs.
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
	struct invite invite; /* the messages before there is a connection */
	bool draws;           /* draw a line of progress */
	bool is_command;      /* a command makes the data: draw no line before the first byte */
	bool json;            /* write the result as a JSON object */
	bool has_data;        /* stdout carries the data, or may: results go to stderr */
};

/*
 * Returns the options of the progress meter of a transfer, which shows progress and the name in
 * outcome. Both, and talk->log, have to outlive the meter. Does not block.
 */
struct progress_meter_options talk_meter(const struct talk *talk, const struct outcome *outcome,
    const struct progress *progress);

#endif
