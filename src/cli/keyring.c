#include "cli/keyring.h"

#include <readpassphrase.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "sys/signals.h"

/* The bytes of a key that is made for one run, and typed: no more than the security needs. */
#define NEW_KEY_BYTES 16

void keyring_hide_memory(struct rlimit *old)
{
	(void)getrlimit(RLIMIT_CORE, old);
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = old->rlim_max};
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int make_new(struct keyring *keyring, const struct log *log, struct err *err)
{
	struct key *key = calloc(1, sizeof(*key));

	if (key == NULL)
		return err_sys(err, "key");
	keyring->keys = (struct key_list){.one = key, .count = 1};
	if (!log->terminal->is_terminal)
		return err_set(err, ERR_USAGE, 0,
		    "a new key is shown on the terminal, and stderr is none: name a file");
	if (key_make(key, KEY_DEFAULT_IDENTITY, NEW_KEY_BYTES, err) == -1)
		return -1;
	key_format_secret(key, keyring->shown);
	return 0;
}

/* Removes the blanks by which a key is shown in groups. */
static void remove_blanks(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (strchr(" \t-", *from) == NULL)
			*to++ = *from;
	}
	*to = '\0';
}

static int ask(struct keyring *keyring, struct err *err)
{
	char typed[KEY_LINE_MAX + 32];
	char line[sizeof(KEY_DEFAULT_IDENTITY ":") + sizeof(typed)];

	if (readpassphrase("key: ", typed, sizeof(typed), RPP_ECHO_OFF | RPP_REQUIRE_TTY) == NULL)
		return signals_check(err) == -1 ? -1
		                                : err_sys(err, "a terminal to type the key on");
	remove_blanks(typed);
	snprintf(line, sizeof(line), "%s%s",
	    strchr(typed, ':') == NULL ? KEY_DEFAULT_IDENTITY ":" : "", typed);
	int status = key_list_parse(&keyring->keys, line, strlen(line), err);
	explicit_bzero(typed, sizeof(typed));
	explicit_bzero(line, sizeof(line));
	return status;
}

static int get_keys(struct keyring *keyring, const struct settings *settings, const struct log *log,
    struct err *err)
{
	switch (settings->key) {
	case SETTINGS_KEY_NEW:
		return make_new(keyring, log, err);
	case SETTINGS_KEY_ASK:
		return ask(keyring, err);
	default:
		return key_list_read(&keyring->keys, settings->key_path, err);
	}
}

int keyring_open(struct keyring *keyring, const struct settings *settings, const struct log *log,
    struct err *err)
{
	*keyring = (struct keyring){.shown = ""};
	if (settings->key == SETTINGS_KEY_NONE)
		return 0;
	keyring_hide_memory(&keyring->core_limit);
	if (get_keys(keyring, settings, log, err) == 0 &&
	    tls_open(&keyring->tls, &keyring->keys, err) == 0)
		return 0;
	keyring_close(keyring);
	return err_prefix(err, "-K, --key");
}

void keyring_close(struct keyring *keyring)
{
	tls_close(&keyring->tls);
	key_list_wipe(&keyring->keys);
	explicit_bzero(keyring->shown, sizeof(keyring->shown));
}
