#include "job/recv_datagrams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/humanize.h"
#include "job/conclude.h"
#include "job/port_file.h"
#include "net/datagram_socket.h"
#include "net/listen.h"
#include "net/sock.h"
#include "transfer/capture.h"
#include "ui/datagram_result.h"
#include "ui/progress_meter.h"

/* Makes the socket, *sock, and tells who has to know where it receives. */
static int open_to_all(const struct recv_job *job, struct port_file *port_file, int64_t deadline,
    int *sock, struct err *err)
{
	const struct endpoint_options *endpoint = &job->rendezvous.endpoint;
	char given[HUMANIZE_TEXT_MAX];

	*sock = datagram_socket_listen(&endpoint->address, endpoint->family, deadline, err);
	if (*sock == -1)
		return -1;
	const struct listen_set set = {.count = 1, .fd = {*sock}};
	if (port_file != NULL && port_file_write(port_file, &set, deadline, err) == -1)
		return -1;
	int64_t size = datagram_socket_buffer(*sock);
	humanize_bytes(given, size);
	if (size < DATAGRAM_SOCKET_BUFFER)
		log_detail(job->talk.log,
		    "the kernel keeps %s of datagrams at the most, and not the 8 MiB that were "
		    "asked for: see net.core.rmem_max",
		    given);
	return invite_listening(&job->talk.invite, &set, err);
}

/* As open_to_all(), with the port file, in which errors are found first. */
static int open_with_port_file(const struct recv_job *job, int64_t deadline, int *sock,
    struct err *err)
{
	const struct rendezvous_options *options = &job->rendezvous;
	struct port_file port_file;

	if (options->port_file == NULL)
		return open_to_all(job, NULL, deadline, sock, err);
	if (port_file_open(&port_file, options->port_file, options->data_path, deadline, err) == -1)
		return -1;
	int status = open_to_all(job, &port_file, deadline, sock, err);
	port_file_close(&port_file);
	return status;
}

static void capture_into(const struct recv_job *job, struct sink *sink,
    const struct capture_policy *policy, struct outcome *outcome, struct err *err)
{
	int sock = -1;
	int status = open_with_port_file(job, deadline_of(&policy->limits), &sock, err);

	if (status == 0) {
		sock_local_name(sock, outcome->local);
		outcome->started = clock_now();
		status = capture_run(sock, sink, outcome->local, policy, &outcome->result, err);
		outcome->ended = clock_now();
		recv_one_name_made(sink, outcome);
	}
	if (status == 0)
		sink_note(sink, outcome->note, sizeof(outcome->note));
	if (sock != -1)
		close(sock);
}

/* Says in the error of a failed capture how much there was of it. */
static void add_counts(const struct datagram_counts *counts, struct err *err)
{
	char text[2 * HUMANIZE_TEXT_MAX + 64];
	char datagrams[HUMANIZE_TEXT_MAX];
	char dropped[HUMANIZE_TEXT_MAX];

	humanize_count(datagrams, counts->datagrams);
	humanize_count(dropped, counts->dropped);
	snprintf(text, sizeof(text), ", after %s datagrams; %s dropped on this host", datagrams,
	    dropped);
	strlcat(err->text, text, sizeof(err->text));
}

/* Whether a file of ours could not be written because it, or the disk, has no more room. */
static bool has_no_room(const struct recv_job *job, const struct sink *sink, const struct err *err)
{
	bool is_file = sink != NULL && sink_reader(sink) == -1 && strcmp(job->sink.path, "-") != 0;

	return is_file && (err->errnum == ENOSPC || err->errnum == EDQUOT || err->errnum == EFBIG);
}

/* Makes known losses an error, and explains another one. */
static void judge_capture(const struct recv_job *job, const struct sink *sink,
    const struct outcome *outcome, struct err *err)
{
	const struct datagram_counts *counts = outcome->datagrams;
	char known[DATAGRAM_RESULT_MAX];

	if (err->kind == ERR_NONE && (counts->dropped > 0 || counts->truncated > 0)) {
		datagram_result_text(outcome, known);
		err_set(err, ERR_LOST, 0, "%.500s: %s", outcome->name, known);
		return;
	}
	if (err->kind != ERR_NONE && counts->datagrams + counts->dropped > 0)
		add_counts(counts, err);
	if (has_no_room(job, sink, err))
		err_advise(err,
		    "the file was not kept; with - >>FILE what is written before an error stays");
}

int recv_datagrams(const struct recv_job *job, bool raw)
{
	struct datagram_counts counts = {.datagrams = 0};
	struct outcome outcome = outcome_begin(false, job->sink.path, job->sink.command.argv);
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct progress_meter_options how = talk_meter(&job->talk, &outcome, &progress);
	const struct recv_policy of_job = recv_one_policy(job, &progress);
	const struct capture_policy policy = {
	    .limits = of_job.limits,
	    .idle_eof = of_job.idle_eof,
	    .max_size = of_job.max_size,
	    .longest = of_job.chunk,
	    .raw = raw,
	    .progress = &progress,
	    .counts = &counts,
	};
	struct progress_meter meter;
	struct err err = {.kind = ERR_NONE};

	outcome.datagrams = &counts;
	progress_meter_start(&meter, &how);
	struct sink *sink = recv_one_open_sink(&job->sink, policy.limits.end, &outcome, &err);
	if (sink != NULL)
		capture_into(job, sink, &policy, &outcome, &err);
	judge_capture(job, sink, &outcome, &err);
	progress_meter_stop(&meter);
	int code = conclude(&job->talk, NULL, &outcome, &err);
	sink_close(sink);
	outcome_release(&outcome);
	return code;
}
