/*
 * What is known of datagrams that were captured or sent, for people and for programs.
 */
#ifndef DATAGRAM_RESULT_H
#define DATAGRAM_RESULT_H

#include <stddef.h>

#include "base/json.h"
#include "transfer/outcome.h"
#include "ui/log.h"

/* Room for the text. */
#define DATAGRAM_RESULT_MAX 320

/*
 * Writes what is known of outcome->datagrams into text, of DATAGRAM_RESULT_MAX bytes: "88,064
 * datagrams from 2 peers; 111,936 dropped on this host; losses on the way are unknown". Does not
 * block.
 */
void datagram_result_text(const struct outcome *outcome, char *text);

/* Prints that text behind the name of the file, unless quiet. Blocks as write(2). */
void datagram_result_print(const struct log *log, const struct outcome *outcome);

/* Writes the members of outcome->datagrams. Blocks as far as the output does. */
void datagram_result_json(struct json *json, const struct outcome *outcome);

#endif
