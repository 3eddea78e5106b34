#include "job/conclude.h"

#include <stdio.h>

#include "ui/result.h"

/* Prints the result for a program to read. Returns 0, or -1 if it could not be written. */
static int print_for_program(const struct talk *talk, struct shared_lock *lock,
    const struct outcome *outcome, const struct err *err)
{
	const struct result_output output = {
	    .file = talk->json && talk->has_data ? stderr : stdout,
	    .lock = lock,
	};

	if (talk->json)
		return result_json(&output, outcome, err, outcome_exit_code(err));
	bool is_stored = err->kind == ERR_NONE || err->kind == ERR_LOST;
	if (is_stored && (outcome->is_inbox || outcome->made_list != NULL))
		return result_paths(&output, outcome);
	return 0;
}

/* Whether so much has moved that it is worth not to be moved again. */
static bool is_much(const struct transfer_result *result)
{
	return result->bytes - result->resumed_at >= INT64_C(1024) * 1024;
}

/* To a transfer that broke off says, unless there is better advice, how it could go on. */
static void advise_to_resume(const struct outcome *outcome, struct err *err)
{
	const struct transfer_result *result = &outcome->result;

	if (!result->is_broken || !outcome->can_resume || !is_much(result) || err->advice != NULL)
		return;
	if (!outcome->resumes)
		err_advise(err, "with -R at both ends it would go on from where it broke off");
	else if (result->both_resume && !outcome->goes_on)
		err_advise(err, "started again, both go on from there; by themselves with -r 60");
}

int conclude(const struct talk *talk, struct shared_lock *lock, const struct outcome *outcome,
    struct err *err)
{
	if ((err->kind == ERR_NONE || err->kind == ERR_LOST) && outcome->note[0] != '\0')
		log_note(talk->log, "%s", outcome->note);
	if (err->kind == ERR_NONE) {
		result_print(talk->log, outcome);
	} else if (err->kind != ERR_INTERRUPTED) {
		advise_to_resume(outcome, err);
		log_error(talk->log, err);
	}
	if (print_for_program(talk, lock, outcome, err) == -1 && err->kind == ERR_NONE) {
		err_sys(err, "%s", talk->json ? "--json" : "stdout");
		if (lock != NULL && outcome->peer[0] != '\0')
			err_prefix(err, "%s", outcome->peer);
		log_error(talk->log, err);
	}
	return outcome_exit_code(err);
}
