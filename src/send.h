/*
 * The send command: source, peer and transfer wired together.
 */
#ifndef SEND_H
#define SEND_H

#include "err.h"
#include "options.h"
#include "report.h"
#include "transfer.h"

/*
 * Does what options ask for. Blocks as long as the limits of transfer let it. Fills outcome as far as it
 * comes. Returns 0, or -1 with what is to be said of the failure in err.
 */
int send_run(const struct options *options, const struct transfer_options *transfer,
    const struct report *report, struct outcome *outcome, struct err *err);

#endif
