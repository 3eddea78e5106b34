#include "ui/datagram_result.h"

#include <stdio.h>
#include <string.h>

#include "base/humanize.h"

/* Writes "88,064 datagrams". */
static void name_datagrams(int64_t count, char *text, size_t size)
{
	char number[HUMANIZE_TEXT_MAX];

	humanize_count(number, count);
	snprintf(text, size, "%s datagram%s", number, count == 1 ? "" : "s");
}

/* Writes " from 2 peers", or nothing if nobody has sent. */
static void name_peers(const struct datagram_counts *counts, char *text, size_t size)
{
	bool has_others = counts->of_others > 0;

	text[0] = '\0';
	if (counts->peers > 0)
		snprintf(text, size, " from %s%zu peer%s", has_others ? "more than " : "",
		    counts->peers, counts->peers == 1 ? "" : "s");
}

void datagram_result_text(const struct outcome *outcome, char *text)
{
	const struct datagram_counts *counts = outcome->datagrams;
	char datagrams[HUMANIZE_TEXT_MAX + 16];
	char peers[64];
	char dropped[HUMANIZE_TEXT_MAX] = "none";
	char truncated[HUMANIZE_TEXT_MAX];

	name_datagrams(counts->datagrams, datagrams, sizeof(datagrams));
	if (outcome->sends) {
		snprintf(text, DATAGRAM_RESULT_MAX, "%s sent, delivery unknown%s%s", datagrams,
		    outcome->hint == NULL ? "" : ": ", outcome->hint == NULL ? "" : outcome->hint);
		return;
	}
	name_peers(counts, peers, sizeof(peers));
	if (counts->dropped > 0)
		humanize_count(dropped, counts->dropped);
	humanize_count(truncated, counts->truncated);
	snprintf(text, DATAGRAM_RESULT_MAX,
	    "%s%s; %s dropped on this host%s%s%s; losses on the way are unknown", datagrams, peers,
	    dropped, counts->truncated > 0 ? "; " : "", counts->truncated > 0 ? truncated : "",
	    counts->truncated > 0 ? " cut off at -B" : "");
}

void datagram_result_print(const struct log *log, const struct outcome *outcome)
{
	char known[DATAGRAM_RESULT_MAX];
	char text[LOG_LINE_MAX];

	datagram_result_text(outcome, known);
	snprintf(text, sizeof(text), "%.500s: %s", outcome->name, known);
	log_summary(log, text);
}

void datagram_result_json(struct json *json, const struct outcome *outcome)
{
	const struct datagram_counts *counts = outcome->datagrams;
	char name[ADDR_TEXT_MAX];

	json_integer(json, "datagrams", counts->datagrams);
	if (outcome->sends)
		return;
	json_integer(json, "dropped", counts->dropped);
	json_integer(json, "truncated", counts->truncated);
	json_begin_object(json, "peers");
	for (size_t i = 0; i < counts->peers; i++) {
		datagram_counts_name(&counts->peer[i], name);
		json_integer(json, name, counts->peer[i].datagrams);
	}
	json_end_object(json);
	json_integer(json, "other_peers", counts->of_others);
}
