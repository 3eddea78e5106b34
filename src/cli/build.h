/*
 * The plain structs that jobs take, built from the settings: nothing below knows the command line.
 */
#ifndef BUILD_H
#define BUILD_H

#include "cli/keyring.h"
#include "cli/settings.h"
#include "job/recv_one.h"
#include "job/send_one.h"
#include "job/talk.h"
#include "ui/log.h"

/*
 * Returns how a job is to talk. settings, keyring and log have to outlive it. Does not block.
 */
struct talk build_talk(const struct settings *settings, const struct keyring *keyring,
    const struct log *log);

/*
 * Builds the job of sending into *job, which is not to be moved, for its events keep its address.
 * settings, keyring and log have to outlive it. Does not block.
 */
void build_send_job(struct send_job *job, const struct settings *settings,
    const struct keyring *keyring, const struct log *log);

/* Builds the job of receiving, in the same way. */
void build_recv_job(struct recv_job *job, const struct settings *settings,
    const struct keyring *keyring, const struct log *log);

#endif
