#include "cli/key_command.h"

#include <getopt.h>
#include <string.h>

#include "cli/keyring.h"
#include "cli/options.h"
#include "net/key.h"
#include "net/tls.h"

/* 256 bits, as many as are hashed with SHA-256. */
#define NEW_KEY_BYTES 32

/* Room for a session in PEM form: some 400 bytes, and the key. */
#define PEM_MAX 4096

static int write_new(const char *identity, FILE *out, struct err *err)
{
	char line[KEY_LINE_MAX];
	struct key key;
	int status = key_make(&key, identity, NEW_KEY_BYTES, err);

	if (status == 0) {
		key_format(&key, line);
		fputs(line, out);
	}
	explicit_bzero(&key, sizeof(key));
	explicit_bzero(line, sizeof(line));
	return status == 0 ? 0 : err_prefix(err, "%s", identity);
}

static int write_session(const char *path, FILE *out, struct err *err)
{
	char text[PEM_MAX];
	struct key_list keys;

	if (key_list_read(&keys, path, err) == -1)
		return -1;
	int len = tls_session_pem(&keys.one[0], text, sizeof(text), err);
	if (len > 0)
		fputs(text, out);
	explicit_bzero(text, sizeof(text));
	key_list_wipe(&keys);
	return len > 0 ? 0 : err_prefix(err, "%s", path);
}

static int refuse_words(struct err *err)
{
	return err_set(err, ERR_USAGE, 0,
	    "\"sockxfer key [NAME]\" makes a key, \"sockxfer key --openssl FILE\" writes one as a "
	    "session for openssl");
}

int key_command(int argc, char **argv, FILE *out, struct err *err)
{
	static const struct option longs[] = {
	    {"openssl", required_argument, NULL, 'o'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *session = NULL;
	struct rlimit core_limit;
	int key;

	opterr = 0;
	optind = 1;
	while ((key = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (key == 'h') {
			options_help(out);
			return 0;
		}
		if (key != 'o' || session != NULL)
			return refuse_words(err);
		session = optarg;
	}
	if (argc - optind > (session == NULL ? 1 : 0))
		return refuse_words(err);
	keyring_hide_memory(&core_limit);
	if (session != NULL)
		return write_session(session, out, err);
	return write_new(optind < argc ? argv[optind] : KEY_DEFAULT_IDENTITY, out, err);
}
