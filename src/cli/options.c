#include "cli/options.h"

#include <getopt.h>
#include <string.h>

#include "base/number.h"
#include "cli/operands.h"
#include "cli/settings_check.h"

#define CHUNK_MAX (INT64_C(64) * 1024 * 1024)

/* Bytes a second: more than any link has, and far from an overflow. */
#define RATE_MAX (INT64_C(1024) * 1024 * 1024 * 1024)

/* Connections at once: more than a machine has processes for. */
#define COUNT_MAX 100000

/* Entries of a tree: more than a file system has. */
#define ENTRIES_MAX 1000000000000

/* The keys that getopt_long() returns for options without a letter, and for operands. */
enum {
	OPTION_OPERAND = 1,
	OPTION_NO_RECEIPT = 256,
	OPTION_NO_PROGRESS,
	OPTION_NO_SYNC,
	OPTION_ALLOW,
	OPTION_PORT_FILE,
	OPTION_IDLE_EOF,
	OPTION_GRACE,
	OPTION_MAX_PER_PEER,
	OPTION_MAX_SIZE,
	OPTION_MAX_ENTRIES,
	OPTION_JSON,
	OPTION_PEER,
	OPTION_RAW,
	OPTION_NAMED,
	OPTION_SKIP_UNREADABLE,
	OPTION_VERSION,
};

/* The roles that an option is for. */
enum roles { ROLE_SEND = 1, ROLE_RECV = 2, ROLE_BOTH = 3 };

struct row {
	int key; /* the letter, or one of the above */
	enum roles roles;
	const char *name;
	const char *argument; /* NULL: it takes none */
	const char *help;
};

static const struct row rows[] = {
    {'p', ROLE_BOTH, "port", "PORT", "listen on this port; 0: any free one"},
    {'l', ROLE_BOTH, "listen", "ADDRESS", "listen on this address"},
    {'4', ROLE_BOTH, "ipv4", NULL, "only IPv4"},
    {'6', ROLE_BOTH, "ipv6", NULL, "only IPv6"},
    {'s', ROLE_BOTH, "source", "ADDRESS[:PORT]", "connect from this address"},
    {'r', ROLE_BOTH, "retry", "SECONDS", "keep trying to connect for so long"},
    {OPTION_ALLOW, ROLE_BOTH, "allow", "CIDR[,CIDR...]", "serve only who connects from there"},
    {'k', ROLE_BOTH, "keep-open", NULL, "keep listening, and serve many at once"},
    {'j', ROLE_BOTH, "jobs", "N", "with -k: so many at once at the most (64)"},
    {OPTION_MAX_PER_PEER, ROLE_BOTH, "max-per-peer", "N",
	"with -k: of these, from one address or IPv6 /64"},
    {OPTION_GRACE, ROLE_BOTH, "grace", "SECONDS", "with -k: time to end after SIGTERM (10)"},
    {OPTION_PORT_FILE, ROLE_BOTH, "port-file", "FILE", "once listening, write the port there"},
    {OPTION_PEER, ROLE_BOTH, "peer", "TOOL", "print the command for nc, ncat, socat, ..."},
    {'K', ROLE_BOTH, "key", "FILE", "encrypt with the key in FILE; new, ask: a typed one"},
    {'w', ROLE_BOTH, "timeout", "SECONDS", "give up after so long without progress"},
    {'W', ROLE_BOTH, "max-time", "SECONDS", "give up when the whole transfer takes longer"},
    {OPTION_IDLE_EOF, ROLE_RECV, "idle-eof", "SECONDS", "recv: take so long a silence for the end"},
    {'B', ROLE_BOTH, "chunk-size", "SIZE", "move that many bytes at a time (2M)"},
    {'b', ROLE_BOTH, "rate", "RATE", "move no more than so many bytes a second"},
    {'C', ROLE_SEND, "congestion", "NAME", "send: TCP's congestion control, such as bbr"},
    {OPTION_RAW, ROLE_BOTH, "raw", NULL, "with udp: datagrams as they are, and not lines"},
    {OPTION_MAX_SIZE, ROLE_RECV, "max-size", "SIZE", "recv: fail if more than so many bytes come"},
    {'x', ROLE_RECV, "extract", NULL, "recv: unpack the tree that comes into DIR"},
    {OPTION_MAX_ENTRIES, ROLE_RECV, "max-entries", "N",
	"recv: with -x: fail if it has more entries (1000000)"},
    {'n', ROLE_RECV, "no-clobber", NULL, "recv: never replace an existing file"},
    {'S', ROLE_RECV, "sync", NULL, "recv: store it safe from a power cut"},
    {OPTION_NO_SYNC, ROLE_RECV, "no-sync", NULL,
	"recv: replace a file before the new one is on disk"},
    {'E', ROLE_RECV, "expect", "xxh128:HEX", "recv: fail unless the data have this digest"},
    {OPTION_NAMED, ROLE_SEND, "named", NULL, "send: send the names along, for recv -x or tar"},
    {OPTION_SKIP_UNREADABLE, ROLE_SEND, "skip-unreadable", NULL,
	"send: of a directory, leave out what cannot be read"},
    {'R', ROLE_BOTH, "resume", NULL, "go on where it broke off, if both ends have -R"},
    {'V', ROLE_SEND, "verify", NULL, "send: fail unless the receiver confirms"},
    {OPTION_NO_RECEIPT, ROLE_BOTH, "no-receipt", NULL, "give no receipt, or heed none"},
    {'q', ROLE_BOTH, "quiet", NULL, "print nothing but errors"},
    {'v', ROLE_BOTH, "verbose", NULL, "print what happens"},
    {OPTION_NO_PROGRESS, ROLE_BOTH, "no-progress", NULL, "draw no progress line"},
    {OPTION_JSON, ROLE_BOTH, "json", NULL, "print the result as a JSON object"},
    {'h', ROLE_BOTH, "help", NULL, "print this and exit"},
    {OPTION_VERSION, ROLE_BOTH, "version", NULL, "print the version and exit"},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void getopt_tables(char *letters, struct option *longs)
{
	*letters++ = '-'; /* operands are returned in their order, as OPTION_OPERAND */
	*letters++ = ':'; /* a missing argument is told from an unknown option */
	for (size_t i = 0; i < ROWS; i++) {
		bool takes = rows[i].argument != NULL;
		longs[i] = (struct option){
		    .name = rows[i].name,
		    .has_arg = takes ? required_argument : no_argument,
		    .val = rows[i].key,
		};
		if (rows[i].key > 255)
			continue;
		*letters++ = (char)rows[i].key;
		if (takes)
			*letters++ = ':';
	}
	*letters = '\0';
	longs[ROWS] = (struct option){.name = NULL};
}

static int listen_on(struct settings *settings, const char *text, bool is_port, struct err *err)
{
	if (settings->listens)
		return err_set(err, ERR_USAGE, 0, "one place to listen is enough: one -p or -l");
	settings->listens = true;
	if (is_port)
		return addr_parse_port(&settings->address, text, err);
	return addr_parse(&settings->address, text, ADDR_LISTEN, err);
}

static int only_family(struct settings *settings, int family, struct err *err)
{
	if (settings->family != AF_UNSPEC && settings->family != family)
		return err_set(err, ERR_USAGE, 0, "-4 and -6 exclude each other");
	settings->family = family;
	return 0;
}

static int set_seconds(int64_t *ns, const char *text, struct err *err)
{
	*ns = number_seconds(text, err);
	return *ns == -1 ? -1 : 0;
}

/* Unlike other times, a grace may be 0. */
static int set_grace(struct settings *settings, const char *text, struct err *err)
{
	settings->grace = 0;
	return strcmp(text, "0") == 0 ? 0 : set_seconds(&settings->grace, text, err);
}

static int set_count(size_t *count, const char *text, struct err *err)
{
	long long value = number_integer(text, 1, COUNT_MAX, err);

	*count = value == -1 ? 0 : (size_t)value;
	return value == -1 ? -1 : 0;
}

static int set_port_file(struct settings *settings, const char *path, struct err *err)
{
	settings->port_file = path;
	if (*path == '\0' || strcmp(path, "-") == 0)
		return err_set(err, ERR_USAGE, 0, "the name of a file is needed");
	return 0;
}

static int set_key(struct settings *settings, const char *word, struct err *err)
{
	if (settings->key != SETTINGS_KEY_NONE)
		return err_set(err, ERR_USAGE, 0, "one is enough: a file may have several keys");
	settings->key_path = word;
	settings->key = strcmp(word, "new") == 0   ? SETTINGS_KEY_NEW
	                : strcmp(word, "ask") == 0 ? SETTINGS_KEY_ASK
	                                           : SETTINGS_KEY_FILE;
	if (*word == '\0')
		return err_set(err, ERR_USAGE, 0, "the name of a file is needed");
	return 0;
}

static int set_rate(struct settings *settings, const char *text, struct err *err)
{
	settings->rate = number_size(text, RATE_MAX, err);
	return settings->rate == -1 ? -1 : 0;
}

static int set_chunk(struct settings *settings, const char *text, struct err *err)
{
	settings->chunk = number_size(text, CHUNK_MAX, err);
	return settings->chunk == -1 ? -1 : 0;
}

static int set_congestion(struct settings *settings, const char *name, struct err *err)
{
	settings->congestion = name;
	if (*name == '\0')
		return err_set(err, ERR_USAGE, 0, "a name is needed, such as bbr");
	return 0;
}

static int set_max_entries(struct settings *settings, const char *text, struct err *err)
{
	settings->max_entries = number_integer(text, 1, ENTRIES_MAX, err);
	return settings->max_entries == -1 ? -1 : 0;
}

static int set_max_size(struct settings *settings, const char *text, struct err *err)
{
	settings->max_size = number_size(text, INT64_MAX, err);
	return settings->max_size == -1 ? -1 : 0;
}

static int set_expected(struct settings *settings, const char *text, struct err *err)
{
	settings->has_expected = true;
	if (digest_parse(text, strlen(text), settings->expected) == 0)
		return 0;
	return err_set(err, ERR_USAGE, 0,
	    "\"%s\" is no digest: xxh128: and 32 hexadecimal digits are needed", text);
}

/* Returns what an option sets that only is or is not there, or NULL for another option. */
static bool *flag_of(struct settings *settings, int key)
{
	switch (key) {
	case 'k':
		return &settings->keeps;
	case 'x':
		return &settings->extracts;
	case 'n':
		return &settings->no_clobber;
	case 'S':
		return &settings->sync;
	case 'V':
		return &settings->must_confirm;
	case 'R':
		return &settings->resumes;
	case OPTION_NO_RECEIPT:
		return &settings->no_receipt;
	case 'q':
		return &settings->quiet;
	case 'v':
		return &settings->verbose;
	case OPTION_NO_SYNC:
		return &settings->no_sync;
	case OPTION_NO_PROGRESS:
		return &settings->no_progress;
	case OPTION_JSON:
		return &settings->json;
	case OPTION_RAW:
		return &settings->raw;
	case OPTION_NAMED:
		return &settings->named;
	case OPTION_SKIP_UNREADABLE:
		return &settings->skips_unreadable;
	default:
		return NULL;
	}
}

static int take_option(struct settings *settings, int key, const char *argument, struct err *err)
{
	bool *flag = flag_of(settings, key);

	if (flag != NULL) {
		*flag = true;
		return 0;
	}
	switch (key) {
	case 'p':
		return listen_on(settings, argument, true, err);
	case 'l':
		return listen_on(settings, argument, false, err);
	case '4':
		return only_family(settings, AF_INET, err);
	case '6':
		return only_family(settings, AF_INET6, err);
	case 's':
		settings->has_source = true;
		return addr_parse(&settings->source, argument, ADDR_SOURCE, err);
	case OPTION_ALLOW:
		return allow_add(&settings->allow, argument, err);
	case 'K':
		return set_key(settings, argument, err);
	case 'w':
		return set_seconds(&settings->idle_limit, argument, err);
	case 'W':
		return set_seconds(&settings->total_limit, argument, err);
	case 'r':
		return set_seconds(&settings->retry, argument, err);
	case 'j':
		return set_count(&settings->jobs, argument, err);
	case OPTION_MAX_PER_PEER:
		return set_count(&settings->max_per_peer, argument, err);
	case OPTION_GRACE:
		return set_grace(settings, argument, err);
	case OPTION_IDLE_EOF:
		return set_seconds(&settings->idle_eof, argument, err);
	case OPTION_PORT_FILE:
		return set_port_file(settings, argument, err);
	case 'B':
		return set_chunk(settings, argument, err);
	case 'b':
		return set_rate(settings, argument, err);
	case 'C':
		return set_congestion(settings, argument, err);
	case OPTION_MAX_ENTRIES:
		return set_max_entries(settings, argument, err);
	case OPTION_MAX_SIZE:
		return set_max_size(settings, argument, err);
	case 'E':
		return set_expected(settings, argument, err);
	case OPTION_PEER:
		return handover_parse_tool(&settings->peer, argument, err);
	case 'h':
		settings->action = SETTINGS_HELP;
		return 0;
	case OPTION_VERSION:
		settings->action = SETTINGS_VERSION;
		return 0;
	default:
		return err_set(err, ERR_USAGE, 0, "unknown option");
	}
}

static const struct row *find_row(int key)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].key == key)
			return &rows[i];
	}
	return NULL;
}

static int name_option(int key, struct err *err)
{
	const struct row *row = find_row(key);

	if (key > 255)
		return err_prefix(err, "--%s", row->name);
	return err_prefix(err, "-%c, --%s", key, row->name);
}

/*
 * Says why getopt_long() has returned key, ? or :. A letter is in optopt then, and a long option is
 * the word that getopt_long() has just passed. Returns -1.
 */
static int refuse(int key, char **argv, struct err *err)
{
	const char *word = argv[optind - 1];

	if (key == ':') {
		err_set(err, ERR_USAGE, 0, "the option needs a value");
		return name_option(optopt, err);
	}
	if (optopt != 0 && optopt < 256 && find_row(optopt) == NULL)
		return err_set(err, ERR_USAGE, 0, "unknown option -%c; --help lists all", optopt);
	if (optopt != 0)
		return err_set(err, ERR_USAGE, 0, "%s: the option takes no value", word);
	return err_set(err, ERR_USAGE, 0, "unknown or ambiguous option %s; --help lists all", word);
}

/* Returns 0 if the option is for this role, else -1 with ERR_USAGE. */
static int check_role(const struct settings *settings, int key, struct err *err)
{
	enum roles role = settings->role == SETTINGS_SEND ? ROLE_SEND : ROLE_RECV;
	const char *other = settings->role == SETTINGS_SEND ? "recv" : "send";

	if ((find_row(key)->roles & role) != 0)
		return 0;
	return err_set(err, ERR_USAGE, 0, "is for %s only", other);
}

/*
 * Takes the words behind "--" for a command; getopt_long() leaves no others unread. A last "--"
 * that is the argument of an option begins none.
 */
static int take_command(struct settings *settings, int argc, char **argv, const char *argument,
    struct err *err)
{
	if (argv[optind - 1] == argument || strcmp(argv[optind - 1], "--") != 0)
		return 0;
	if (optind == argc)
		return err_set(err, ERR_USAGE, 0, "a command is needed behind --");
	settings->command = argv + optind;
	return 0;
}

static int read_words(struct settings *settings, struct operands *operands, int argc, char **argv,
    struct err *err)
{
	char letters[2 * ROWS + 3];
	struct option longs[ROWS + 1];
	const char *argument = NULL;
	int key;

	getopt_tables(letters, longs);
	opterr = 0;
	optind = 1;
	while ((key = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		argument = optarg;
		if (key == '?' || key == ':')
			return refuse(key, argv, err);
		if (key == OPTION_OPERAND) {
			operands_add(operands, optarg);
		} else if (check_role(settings, key, err) == -1 ||
			   take_option(settings, key, optarg, err) == -1) {
			return name_option(key, err);
		}
	}
	return take_command(settings, argc, argv, argument, err);
}

static int parse_role(struct settings *settings, const char *word, struct err *err)
{
	if (strcmp(word, "send") == 0)
		settings->role = SETTINGS_SEND;
	else if (strcmp(word, "recv") == 0)
		settings->role = SETTINGS_RECV;
	else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
		 strcmp(word, "help") == 0)
		settings->action = SETTINGS_HELP;
	else if (strcmp(word, "--version") == 0)
		settings->action = SETTINGS_VERSION;
	else
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is none of send, recv and key; sockxfer --help shows the usage", word);
	return 0;
}

int options_parse(struct settings *settings, int argc, char **argv, struct err *err)
{
	const char *words[argc + 2];
	struct operands operands = {.word = words};

	memset(words, 0, sizeof(words));
	*settings = (struct settings){
	    .family = AF_UNSPEC,
	    .grace = -1,
	    .path = "-",
	};
	if (argc < 2)
		return err_set(err, ERR_USAGE, 0,
		    "send or recv is needed; sockxfer --help shows the usage");
	if (parse_role(settings, argv[1], err) == -1)
		return -1;
	if (settings->action != SETTINGS_RUN)
		return 0;
	int status = read_words(settings, &operands, argc - 1, argv + 1, err);
	if (status == 0 && settings->action == SETTINGS_RUN)
		status = operands_place(settings, &operands, err);
	if (status == 0 && settings->action == SETTINGS_RUN)
		status = settings_check(settings, err);
	return status == -1 ? err_prefix(err, "%s", settings_role_name(settings->role)) : 0;
}

static void help_row(FILE *out, const struct row *row)
{
	char text[40];

	snprintf(text, sizeof(text), "%s--%s%s%s", row->key > 255 ? "    " : "", row->name,
	    row->argument == NULL ? "" : " ", row->argument == NULL ? "" : row->argument);
	if (row->key > 255)
		fprintf(out, "  %-30s %s\n", text, row->help);
	else
		fprintf(out, "  -%c, %-26s %s\n", row->key, text, row->help);
}

void options_help(FILE *out)
{
	fputs(
	    "usage: sockxfer send [options] ADDRESS | -p PORT [FILE|DIR ... | - | -- COMMAND ...]\n"
	    "       sockxfer recv [options] ADDRESS | -p PORT [FILE|DIR | - | -- COMMAND ...]\n"
	    "       sockxfer key [NAME] | --openssl FILE\n"
	    "\n"
	    "ADDRESS is host:port, [v6]:port, unix:path or fd:N; where it listens, :port and\n"
	    "*:port are every address. udp:host:port sends lines as datagrams, and -l udp::port\n"
	    "receives such, or udp:239.1.2.3%eth0:port those of a multicast group.\n"
	    "Without FILE, send reads stdin and recv writes stdout; -- COMMAND [ARGUMENT ...]\n"
	    "in its place sends the command's output, or feeds it.\n"
	    "In DIR, a directory, recv makes a new file, and prints its path; with -x it makes\n"
	    "the tree that send makes an archive of, from DIR or from several.\n"
	    "send to several at once: host1:port,host2:port,...\n"
	    "key makes a key for --key, called NAME, or writes that of FILE for openssl.\n"
	    "\n",
	    out);
	for (size_t i = 0; i < ROWS; i++)
		help_row(out, &rows[i]);
	fputs("\n"
	      "SECONDS may have a fraction; SIZE and RATE may end in K, M, G or T.\n"
	      "Exit status: 0 done, 1 failed, 2 usage, 3 timed out, 4 the data do not match,\n"
	      "5 no receipt with -V, 6 the receiver failed, 7 the other end has not the key,\n"
	      "8 datagrams are lost, 128+N killed by signal N.\n",
	    out);
}
