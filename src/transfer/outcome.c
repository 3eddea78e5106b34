#include "transfer/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sys/signals.h"

struct outcome outcome_begin(bool sends, const char *path, char *const *argv)
{
	const char *word = argv != NULL ? argv[0] : path;
	const char *stdio = sends ? "stdin" : "stdout";

	return (struct outcome){
	    .sends = sends,
	    .path = word,
	    .name = strcmp(word, "-") == 0 ? stdio : word,
	    .done = "stored",
	    .is_verified = sends,
	};
}

void outcome_connected(struct outcome *outcome, const struct connection *connection)
{
	const struct channel *channel = connection->channel;

	if (connection->local[0] == '\0')
		return;
	strlcpy(outcome->local, connection->local, sizeof(outcome->local));
	strlcpy(outcome->peer, connection->peer, sizeof(outcome->peer));
	outcome->suite = channel == NULL ? NULL : channel->suite;
	outcome->key = channel == NULL ? NULL : channel->key;
	outcome->started = clock_now();
}

void outcome_forget(struct outcome *outcome)
{
	outcome->local[0] = '\0';
	outcome->peer[0] = '\0';
	outcome->suite = NULL;
	outcome->key = NULL;
	outcome->started = 0;
	outcome->result = (struct transfer_result){.bytes = 0};
}

void outcome_release(struct outcome *outcome)
{
	free(outcome->made_list);
	outcome->made_list = NULL;
}

int64_t outcome_duration(const struct outcome *outcome)
{
	if (outcome->started == 0)
		return 0;
	return (outcome->ended == 0 ? clock_now() : outcome->ended) - outcome->started;
}

int outcome_exit_code(const struct err *err)
{
	if (err->kind != ERR_NONE && signals_caught() != 0)
		return 128 + signals_caught();
	switch (err->kind) {
	case ERR_NONE:
		return 0;
	case ERR_USAGE:
		return 2;
	case ERR_TIMEOUT:
		return 3;
	case ERR_MISMATCH:
		return 4;
	case ERR_UNCONFIRMED:
		return 5;
	case ERR_PEER:
		return 6;
	case ERR_NO_KEY:
		return 7;
	case ERR_LOST:
		return 8;
	default:
		return 1;
	}
}
