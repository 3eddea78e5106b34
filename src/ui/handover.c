#include "ui/handover.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/path_name.h"
#include "base/shellword.h"

/*
 * Room for a template with an address template in it, and for one word, filled in but not quoted.
 */
#define WORDS_MAX 256
#define WORD_MAX 512

/*
 * The arguments of each program, as templates. In sends and receives, $a stands for one of the
 * address templates, connects to listens_unix. In all of them $h stands for the host, $b for the
 * host in brackets if it is an IPv6 address, $p for the port, $u for the path of a unix socket, $f
 * for the file, $U and $F for these two in the syntax of socat, $d for the directory, $k and $i for
 * the key and its identity, and $c for Python's program.
 */
struct tool {
	const char *name;
	const char *sends;
	const char *receives;
	const char *host; /* the part that a peer exchanges for another address */
	const char *connects;
	const char *listens;
	const char *listens_ipv6;
	const char *connects_unix; /* NULL: it has no unix sockets */
	const char *listens_unix;
	const char *listening_sends; /* in the place of sends, if it listens; NULL: the same */
	const char *listening_receives;
};

#define OPENSSL_KEY "-quiet -tls1_3 -psk_session key.pem -psk_identity $i"

/* The options are those that test/interop.bats has shown to be needed. */
static const struct tool tools[HANDOVER_TOOLS] = {
    [HANDOVER_SOCKXFER] = {"sockxfer", NULL, NULL, "$b:$p", "$b:$p", "-p $p", "-p $p", "unix:$u",
	"-l unix:$u", NULL, NULL}, /* write_ours() has the rest */
    [HANDOVER_NC] = {"nc", "nc -N $a <$f", "nc -d $a >$f", "$h", "$h $p", "-l $p", "-6 -l $p",
	"-U $u", "-l -U $u", NULL, NULL},
    [HANDOVER_NCAT] = {"ncat", "ncat --send-only $a <$f", "ncat --recv-only $a >$f", "$h", "$h $p",
	"-l $p", "-l $p", "-U $u", "-l -U $u", NULL, NULL},
    [HANDOVER_SOCAT] = {"socat", "socat -u FILE:$F $a", "socat -u $a CREATE:$F", "$b", "TCP:$b:$p",
	"TCP-LISTEN:$p,reuseaddr", "TCP6-LISTEN:$p,reuseaddr", "UNIX-CONNECT:$U", "UNIX-LISTEN:$U",
	NULL, NULL},
    [HANDOVER_BUSYBOX] = {"busybox", "busybox nc $a <$f", "busybox nc $a </dev/null >$f", "$h",
	"$h $p", "-l -p $p", "-l -p $p", NULL, NULL, NULL, NULL},
    [HANDOVER_PYTHON] = {"python", "python3 -c $c $a $f", "python3 -c $c $a $f", "$h", "$h $p",
	"$p", "$p", "$u", "$u", NULL, NULL},
    [HANDOVER_OPENSSL] = {"openssl",
	"openssl s_client " OPENSSL_KEY " -no_ign_eof -nocommands $a <$f",
	"openssl s_client " OPENSSL_KEY " $a </dev/null >$f", "$b", "-connect $b:$p", "-accept $p",
	"-accept $p", "-unix $u", "-unix $u",
	"openssl s_server " OPENSSL_KEY " -nbio -nocert -naccept 1 $a <$f",
	"tail -f /dev/null | openssl s_server " OPENSSL_KEY " -nocert -naccept 1 $a >$f"},
};

/*
 * The same for datagrams; a program without a row cannot have them. The pieces that nc, ncat and
 * socat read become datagrams, and of lines in a file that is all of them.
 */
static const struct tool udp_tools[HANDOVER_TOOLS] = {
    [HANDOVER_SOCKXFER] = {"sockxfer", NULL, NULL, "udp:$b:$p", "udp:$b:$p", "-l udp::$p",
	"-l udp::$p", NULL, NULL, NULL, NULL},
    [HANDOVER_NC] = {"nc", "nc -u -w 1 $a <$f", "nc -u -d $a >$f", "$h", "$h $p", "-l $p",
	"-6 -l $p", NULL, NULL, NULL, NULL},
    [HANDOVER_NCAT] = {"ncat", "ncat -u --send-only $a <$f", "ncat -u --recv-only $a >$f", "$h",
	"$h $p", "-l $p", "-l $p", NULL, NULL, NULL, NULL},
    [HANDOVER_SOCAT] = {"socat", "socat -u FILE:$F $a", "socat -u $a CREATE:$F", "$b", "UDP:$b:$p",
	"UDP-RECV:$p", "UDP6-RECV:$p", NULL, NULL, NULL, NULL},
};

static const struct tool *tool_of(const struct handover *handover)
{
	return handover->datagrams ? &udp_tools[handover->tool] : &tools[handover->tool];
}

int handover_parse_tool(enum handover_tool *tool, const char *name, struct err *err)
{
	for (enum handover_tool i = HANDOVER_NC; i < HANDOVER_TOOLS; i++) {
		*tool = i;
		if (strcmp(name, tools[i].name) == 0)
			return 0;
	}
	return err_set(err, ERR_USAGE, 0,
	    "\"%s\" is none of nc, ncat, socat, busybox, python and openssl", name);
}

const char *handover_tool_name(enum handover_tool tool)
{
	return tools[tool].name;
}

int handover_check_unix(enum handover_tool tool, struct err *err)
{
	if (tools[tool].connects_unix != NULL)
		return 0;
	return err_set(err, ERR_USAGE, 0,
	    "%s has no unix sockets; nc, ncat, socat, python and openssl have", tools[tool].name);
}

int handover_check_udp(enum handover_tool tool, bool group, struct err *err)
{
	if (tool == HANDOVER_SOCKXFER)
		return 0;
	if (udp_tools[tool].name == NULL)
		return err_set(err, ERR_USAGE, 0,
		    "there is no command of %s for datagrams; nc, ncat and socat have one",
		    tools[tool].name);
	if (group)
		return err_set(err, ERR_USAGE, 0,
		    "there is no command of %s that joins a multicast group", tools[tool].name);
	return 0;
}

/*
 * Adds the program for Python. The address and, as the last, the file are arguments (sys.argv), so
 * that they need no quotes of Python's. A program that sends also prints the receiver's stream.
 */
static void add_python_program(struct shellword_text *text, const struct handover *handover,
    const struct handover_place *place)
{
	bool is_unix = place->path != NULL;

	shellword_add(text,
	    handover->peer_sends ? "import socket,sys;" : "import shutil,socket,sys;");
	shellword_add(text, "a=sys.argv;");
	shellword_add(text,
	    handover->peer_sends ? "f=open(a[-1],\"rb\");" : "f=open(a[-1],\"wb\");");
	if (!place->peer_listens)
		shellword_add(text, is_unix ? "s=socket.socket(socket.AF_UNIX);s.connect(a[1]);"
					    : "s=socket.create_connection(a[1:3]);");
	else if (is_unix)
		shellword_add(text,
		    "s=socket.create_server(a[1],family=socket.AF_UNIX).accept()[0];");
	else if (place->ipv6)
		shellword_add(text,
		    "s=socket.create_server((\"\",int(a[1])),family=socket.AF_INET6,"
		    "dualstack_ipv6=True).accept()[0];");
	else
		shellword_add(text, "s=socket.create_server((\"\",int(a[1]))).accept()[0];");
	shellword_add(text, handover->peer_sends
				? "s.sendfile(f);s.shutdown(1);print(end=s.makefile().read())"
				: "shutil.copyfileobj(s.makefile(\"rb\"),f);f.close()");
}

/* The values for the templates. */
struct facts {
	const struct handover *handover;
	const struct handover_place *place;
	const char *file;
	const char *directory; /* of an archive */
};

/* Adds the value that key stands for in a template, unquoted. */
static void add_value(struct shellword_text *text, char key, const struct facts *facts)
{
	const struct handover_place *place = facts->place;

	switch (key) {
	case 'h':
		shellword_add(text, place->host);
		return;
	case 'b':
		if (strchr(place->host, ':') != NULL)
			shellword_add_char(text, '[');
		shellword_add(text, place->host);
		if (strchr(place->host, ':') != NULL)
			shellword_add_char(text, ']');
		return;
	case 'p':
		shellword_add(text, place->port);
		return;
	case 'u':
		shellword_add(text, place->path);
		return;
	case 'U':
		shellword_add_for_socat(text, place->path);
		return;
	case 'f':
		shellword_add(text, facts->file);
		return;
	case 'd':
		shellword_add(text, facts->directory);
		return;
	case 'k':
		shellword_add(text, facts->handover->key);
		return;
	case 'i':
		shellword_add(text, facts->handover->identity);
		return;
	case 'F':
		shellword_add_for_socat(text, facts->file);
		return;
	default:
		add_python_program(text, facts->handover, place);
	}
}

/*
 * Adds a word of a template, of len bytes: fills it in, then quotes it as a whole but for the
 * operators in front.
 */
static void add_word(struct shellword_text *text, const char *word, size_t len,
    const struct facts *facts)
{
	char filled[WORD_MAX];
	struct shellword_text raw = shellword_begin(filled, sizeof(filled));
	const char *end = word + len;

	while (word < end && strchr("<>|&", *word) != NULL)
		shellword_add_char(text, *word++);
	if (word == end)
		return;
	while (word < end) {
		if (*word == '$' && word + 1 < end) {
			add_value(&raw, word[1], facts);
			word += 2;
		} else {
			shellword_add_char(&raw, *word++);
		}
	}
	text->cut |= raw.cut;
	shellword_add_quoted(text, filled);
}

static void add_words(struct shellword_text *text, const char *words, const struct facts *facts)
{
	while (*words != '\0') {
		size_t len = strcspn(words, " ");
		add_word(text, words, len, facts);
		words += len;
		if (*words == ' ')
			shellword_add_char(text, *words++);
	}
}

static const char *address_template(const struct tool *tool, const struct handover_place *place)
{
	if (place->path != NULL)
		return place->peer_listens ? tool->listens_unix : tool->connects_unix;
	if (!place->peer_listens)
		return tool->connects;
	if (place->group)
		return "-l udp:$b:$p"; /* handover_check_udp() leaves no other program */
	return place->ipv6 ? tool->listens_ipv6 : tool->listens;
}

/* Writes the options by which the peer resumes as we do: in whole seconds, the next ones. */
static void write_resuming(const struct handover *handover, char *text, size_t size)
{
	int64_t seconds = (handover->retry + CLOCK_SECOND - 1) / CLOCK_SECOND;

	text[0] = '\0';
	if (handover->resumes && seconds > 0)
		snprintf(text, size, " -R -r %" PRId64, seconds);
	else if (handover->resumes)
		strlcpy(text, " -R", size);
}

/*
 * Writes sockxfer's template into words, of size bytes: if we run a command, the other end is
 * likely to run one, too.
 */
static void write_ours(const struct handover *handover, char *words, size_t size)
{
	bool demands = handover->peer_sends && handover->receipts;
	bool extracts = !handover->peer_sends && handover->form != HANDOVER_STREAM;
	bool is_into_here = !handover->peer_sends && handover->form == HANDOVER_NAMED;
	char resuming[32];

	write_resuming(handover, resuming, sizeof(resuming));
	snprintf(words, size, "sockxfer %s%s%s%s%s%s $a %s", handover->peer_sends ? "send" : "recv",
	    extracts ? " -x" : "", resuming, handover->raw ? " --raw" : "",
	    handover->key != NULL ? " --key $k" : "", demands ? " -V" : "",
	    handover->path == NULL              ? "-- COMMAND"
	    : is_into_here                      ? "."
	    : handover->form == HANDOVER_STREAM ? "$f"
						: "$d");
}

/* Writes a program's template for a file into words, of size bytes, so that tar is in its place. */
static void write_with_tar(const struct handover *handover, const char *data, char *words,
    size_t size)
{
	const char *redirection = strstr(data, handover->peer_sends ? " <$f" : " >$f");
	size_t len = redirection == NULL ? strlen(data) : (size_t)(redirection - data);

	if (handover->peer_sends)
		snprintf(words, size, "tar -cf - -C $d . | %.*s", (int)len, data);
	else if (handover->form == HANDOVER_NAMED)
		snprintf(words, size, "%.*s | tar -xf -", (int)len, data);
	else
		snprintf(words, size, "mkdir $d && %.*s | tar -xf - -C $d", (int)len, data);
}

/* Returns the template of another program. */
static const char *words_of(const struct tool *tool, bool sends, bool listens)
{
	if (listens && tool->listening_sends != NULL)
		return sends ? tool->listening_sends : tool->listening_receives;
	return sends ? tool->sends : tool->receives;
}

static int fill_in(const struct facts *facts, char *command, size_t size)
{
	const struct handover *handover = facts->handover;
	const struct tool *tool = tool_of(handover);
	const char *data = words_of(tool, handover->peer_sends, facts->place->peer_listens);
	const char *address = address_template(tool, facts->place);
	char words[WORDS_MAX];
	char ours[WORDS_MAX];
	struct shellword_text text = shellword_begin(command, size);

	if (handover->tool == HANDOVER_SOCKXFER)
		write_ours(handover, ours, sizeof(ours));
	else if (handover->form != HANDOVER_STREAM)
		write_with_tar(handover, data, ours, sizeof(ours));
	if (handover->tool == HANDOVER_SOCKXFER || handover->form != HANDOVER_STREAM)
		data = ours;
	size_t before = (size_t)(strstr(data, "$a") - data);
	snprintf(words, sizeof(words), "%.*s%s%s", (int)before, data, address,
	    data + before + strlen("$a"));
	add_words(&text, words, facts);
	return text.cut ? -1 : 0;
}

/* Whether a program may take the name for an option, or sockxfer for an address. */
static bool is_taken_amiss(const char *name)
{
	return *name == '-' || strchr(name, ':') != NULL;
}

/*
 * Writes the file's name at the other end into file, or "" if our name is no use there: the names
 * below /dev are of devices and descriptors of this host, and a receiver on this host may run in
 * the same directory, and would overwrite the file that we read.
 */
static void name_file(const struct handover *handover, const struct handover_place *place,
    char *file, size_t size)
{
	const char *path = handover->path;

	file[0] = '\0';
	if (path == NULL || strcmp(path, "-") == 0 || strncmp(path, "/dev/", 5) == 0 ||
	    (place->here && !handover->peer_sends))
		return;
	size_t len;
	char name[NAME_MAX + 1];
	const char *last = path_name(path, &len);
	snprintf(name, sizeof(name), "%.*s", (int)len, last);
	bool is_name = len > 0 && len < sizeof(name) && !path_name_is_dots(last, len);
	if (is_name && shellword_is_copyable(name))
		snprintf(file, size, "%s%s", is_taken_amiss(name) ? "./" : "", name);
}

int handover_command(const struct handover *handover, const struct handover_place *place,
    char *text, size_t size)
{
	char name[WORD_MAX];
	bool is_file = handover->form == HANDOVER_STREAM;
	const char *stdio = handover->peer_sends ? "/dev/stdin" : "/dev/stdout";
	struct facts facts = {
	    .handover = handover,
	    .place = place,
	    .file = is_file ? name : stdio,
	    .directory = name,
	};

	name_file(handover, place, name, sizeof(name));
	if (name[0] != '\0' && fill_in(&facts, text, size) == 0)
		return 0;
	strlcpy(name, is_file ? "FILE" : "DIR", sizeof(name));
	return fill_in(&facts, text, size);
}

int handover_address(const struct handover *handover, const struct handover_place *place,
    char *text, size_t size)
{
	const struct facts facts = {.handover = handover, .place = place};
	struct shellword_text address = shellword_begin(text, size);

	add_words(&address, tool_of(handover)->host, &facts);
	return address.cut ? -1 : 0;
}
