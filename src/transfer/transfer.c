#include "transfer/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const char *reason(const struct time_limits *limits, const struct err *err)
{
	if (err->kind == ERR_TIMEOUT)
		return clock_now() >= limits->end ? "the time limit of -W has passed" : "timed out";
	switch (err->errnum) {
	case ECONNRESET:
	case EPIPE:    /* a later send sees the reset so */
	case ENOTCONN: /* a later shutdown sees the reset so */
		return "connection reset";
	case 0:
		return err->text;
	default:
		return strerror(err->errnum);
	}
}

int transfer_check_time(const struct time_limits *limits, struct err *err)
{
	if (limits->end == DEADLINE_NEVER || clock_now() < limits->end)
		return 0;
	return err_set(err, ERR_TIMEOUT, 0, "timed out");
}

int transfer_too_large(int64_t max, struct err *err)
{
	return err_set(err, ERR_FAILED, 0, "too large: more than %" PRId64 " bytes", max);
}

int transfer_broken(const char *operation, struct transfer_result *result,
    const struct time_limits *limits, struct err *err)
{
	char why[sizeof(err->text)];

	/* TCP_USER_TIMEOUT enforces -w as well, and may be the first to do so. */
	if (err->errnum == ETIMEDOUT && limits->idle != 0)
		err->kind = ERR_TIMEOUT;
	if (err->kind == ERR_INTERRUPTED)
		return -1;
	result->is_broken = err->kind == ERR_FAILED || clock_now() < limits->end;
	strlcpy(why, reason(limits, err), sizeof(why));
	err_set(err, err->kind, 0, "%s: %s after %" PRId64 " bytes", operation, why, result->bytes);
	return -1;
}
