#include "cli/build.h"

#include <string.h>
#include <unistd.h>

#include "base/deadline.h"

/*
 * Whether to draw a line of progress: not if the data come from a terminal or go to one, or if a
 * command that receives them may write to one.
 */
static bool wants_drawing(const struct settings *settings)
{
	int fd = settings_stdio(settings);

	if (settings->quiet || settings->no_progress)
		return false;
	if (settings->role == SETTINGS_RECV && settings->command != NULL)
		fd = STDOUT_FILENO;
	return fd == -1 || !isatty(fd);
}

/*
 * The word behind --key for the other end, or NULL: that of our own file, for the same key may have
 * the same name there. A descriptor's name means nothing there.
 */
static const char *key_word(const struct settings *settings)
{
	switch (settings->key) {
	case SETTINGS_KEY_NONE:
		return NULL;
	case SETTINGS_KEY_FILE:
		return strncmp(settings->key_path, "/dev/", 5) == 0 ||
		               strncmp(settings->key_path, "/proc/", 6) == 0
		           ? "KEYFILE"
		           : settings->key_path;
	default:
		return "ask";
	}
}

static enum handover_form form_of(const struct settings *settings)
{
	if (settings->extracts)
		return HANDOVER_TREE;
	return settings_send_names(settings) ? HANDOVER_NAMED : HANDOVER_STREAM;
}

struct talk build_talk(const struct settings *settings, const struct keyring *keyring,
    const struct log *log)
{
	const struct key_list *keys = &keyring->keys;
	bool sends = settings->role == SETTINGS_SEND;
	bool has_command = settings->command != NULL;

	return (struct talk){
	    .log = log,
	    .invite =
		{
		    .log = log,
		    .handover =
			{
			    .tool = settings->peer,
			    .form = form_of(settings),
			    .peer_sends = !sends,
			    .resumes = settings->resumes,
			    .retry = settings->resumes ? settings->retry : 0,
			    .datagrams = settings->address.kind == ADDR_UDP,
			    .raw = settings->raw,
			    .receipts = !settings->no_receipt && settings->address.kind != ADDR_UDP,
			    .path = has_command ? NULL : settings->path,
			    .key = key_word(settings),
			    .identity = keys->count == 0 ? NULL : keys->one[0].identity,
			},
		    .address = settings->address,
		    .family = settings->family,
		    .secret = keyring->shown[0] == '\0' ? NULL : keyring->shown,
		},
	    .draws = wants_drawing(settings),
	    .is_command = sends && has_command,
	    .json = settings->json,
	    .has_data = !sends && (has_command || settings_stdio(settings) != -1),
	};
}

/* Where the data are, for what must not go to the same place; NULL: a command has them. */
static const char *data_path(const struct settings *settings)
{
	switch (settings_stdio(settings)) {
	case STDIN_FILENO:
		return "/dev/stdin";
	case STDOUT_FILENO:
		return "/dev/stdout";
	default:
		return settings->command == NULL ? settings->path : NULL;
	}
}

static struct rendezvous_options build_rendezvous(const struct settings *settings,
    const struct keyring *keyring, struct invite *invite)
{
	return (struct rendezvous_options){
	    .endpoint =
		{
		    .listens = settings->listens || settings->keeps,
		    .address = settings->address,
		    .family = settings->family,
		    .source = settings->has_source ? &settings->source : NULL,
		    .retry = settings->retry,
		    .allow = &settings->allow,
		    .max_per_host = settings->max_per_peer,
		    .congestion = settings->congestion,
		    .idle_limit = settings->idle_limit,
		    /* an end that reads what it has takes nothing meanwhile */
		    .unacknowledged_limit = settings->resumes ? 0 : settings->idle_limit,
		    .tls = keyring->tls.context == NULL ? NULL : &keyring->tls,
		    .role = settings->role == SETTINGS_SEND ? CHANNEL_SENDS : CHANNEL_RECEIVES,
		    .events = invite_events(invite),
		},
	    .port_file = settings->port_file,
	    .data_path = data_path(settings),
	};
}

/* The command has the limits of the user, not those that the keys have made us take. */
static struct command_line build_command(const struct settings *settings,
    const struct keyring *keyring)
{
	return (struct command_line){
	    .argv = settings->command,
	    .core_limit = keyring->keys.count == 0 ? NULL : &keyring->core_limit,
	};
}

/* Prints what is left out of a directory. */
static void say_left_out(void *context, const char *text)
{
	log_note(context, "%s", text);
}

void build_send_job(struct send_job *job, const struct settings *settings,
    const struct keyring *keyring, const struct log *log)
{
	*job = (struct send_job){
	    .rendezvous = build_rendezvous(settings, keyring, &job->talk.invite),
	    .source =
		{
		    .path = settings->path,
		    .command = build_command(settings, keyring),
		    .resumes = settings->resumes,
		    .files =
			{
			    .paths = settings_stdio(settings) == -1 ? settings->paths : NULL,
			    .names = settings_send_names(settings),
			    .skips_unreadable = settings->skips_unreadable,
			    .port_file = settings->port_file,
			    .say = say_left_out,
			    .context = (void *)log,
			},
		},
	    .policy =
		{
		    .limits = {.idle = settings->idle_limit, .end = DEADLINE_NEVER},
		    .chunk = (size_t)settings->chunk,
		    .rate = settings->rate,
		    .heeds_receipts = !settings->no_receipt,
		    .resumes = settings->resumes,
		    .must_confirm = settings->must_confirm,
		},
	    .total_limit = settings->total_limit,
	    .talk = build_talk(settings, keyring, log),
	};
}

void build_recv_job(struct recv_job *job, const struct settings *settings,
    const struct keyring *keyring, const struct log *log)
{
	*job = (struct recv_job){
	    .rendezvous = build_rendezvous(settings, keyring, &job->talk.invite),
	    .sink =
		{
		    .path = settings->path,
		    .command = build_command(settings, keyring),
		    .resumes = settings->resumes,
		    .no_clobber = settings->no_clobber,
		    .sync = settings->sync      ? SINK_SYNC_ALL
	                    : settings->no_sync ? SINK_SYNC_NONE
	                                        : SINK_SYNC_REPLACEMENT,
		    .allows_inbox = true,
		    .only_inbox = settings->extracts && settings->keeps,
		    .extracts = settings->extracts,
		    .limits =
			{
			    .entries = settings->max_entries,
			    .bytes = settings->max_size,
			},
		},
	    .policy =
		{
		    .limits = {.idle = settings->idle_limit, .end = DEADLINE_NEVER},
		    .chunk = (size_t)settings->chunk,
		    .rate = settings->rate,
		    .idle_eof = settings->idle_eof,
		    /* of a tree it limits the content, not the headers */
		    .max_size = settings->extracts ? 0 : settings->max_size,
		    .gives_receipts = !settings->no_receipt,
		    .resumes = settings->resumes,
		    .expect = settings->has_expected ? settings->expected : NULL,
		},
	    .total_limit = settings->total_limit,
	    .talk = build_talk(settings, keyring, log),
	};
}
