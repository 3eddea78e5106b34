#include "handover.h"

#include <ctype.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "interfaces.h"
#include "sock.h"

/* With what stands in front it has to fit into a line of report.h. */
#define COMMAND_MAX 960

/* Room for a template with that of the address in it, and for one word, filled in and not yet quoted. */
#define WORDS_MAX 128
#define WORD_MAX 512

/*
 * What each program has to be told, as templates. In sends and receives, $a stands for one of the
 * address templates, connects to listens_unix. In the words of all of them stand $h for the host,
 * $b for the host in brackets where it is IPv6's, $p for the port, $u for the path of a unix
 * socket, $f for the file, $U and $F for those in the syntax of socat, and $c for Python's program.
 */
struct tool {
	const char *name;
	const char *sends;
	const char *receives;
	const char *host; /* what is to be exchanged for another address */
	const char *connects;
	const char *listens;
	const char *listens_ipv6;
	const char *connects_unix; /* NULL: it has no unix sockets */
	const char *listens_unix;
};

/* By the measurements behind test/interop.bats. */
static const struct tool tools[HANDOVER_TOOLS] = {
    [HANDOVER_SOCKXFER] = {"sockxfer", "sockxfer send -V $a $f", "sockxfer recv $a $f", "$b:$p",
	"$b:$p", "-p $p", "-p $p", "unix:$u", "-l unix:$u"},
    [HANDOVER_NC] = {"nc", "nc -N $a <$f", "nc -d $a >$f", "$h", "$h $p", "-l $p", "-6 -l $p",
	"-U $u", "-l -U $u"},
    [HANDOVER_NCAT] = {"ncat", "ncat --send-only $a <$f", "ncat --recv-only $a >$f", "$h", "$h $p",
	"-l $p", "-l $p", "-U $u", "-l -U $u"},
    [HANDOVER_SOCAT] = {"socat", "socat -u FILE:$F $a", "socat -u $a CREATE:$F", "$b", "TCP:$b:$p",
	"TCP-LISTEN:$p,reuseaddr", "TCP6-LISTEN:$p,reuseaddr", "UNIX-CONNECT:$U", "UNIX-LISTEN:$U"},
    [HANDOVER_BUSYBOX] = {"busybox", "busybox nc $a <$f", "busybox nc $a </dev/null >$f", "$h",
	"$h $p", "-l -p $p", "-l -p $p", NULL, NULL},
    [HANDOVER_PYTHON] = {"python", "python3 -c $c $a $f", "python3 -c $c $a $f", "$h", "$h $p",
	"$p", "$p", "$u", "$u"},
};

int handover_parse_tool(enum handover_tool *tool, const char *name, struct err *err)
{
	for (enum handover_tool i = HANDOVER_NC; i < HANDOVER_TOOLS; i++) {
		*tool = i;
		if (strcmp(name, tools[i].name) == 0)
			return 0;
	}
	return err_set(err, ERR_USAGE, 0, "\"%s\" is none of nc, ncat, socat, busybox and python",
	    name);
}

const char *handover_tool_name(enum handover_tool tool)
{
	return tools[tool].name;
}

int handover_check_unix(enum handover_tool tool, struct err *err)
{
	if (tools[tool].connects_unix != NULL)
		return 0;
	return err_set(err, ERR_USAGE, 0, "%s has no unix sockets; nc, ncat, socat and python have",
	    tools[tool].name);
}

/* A text that grows and remembers whether something had no room. */
struct text {
	char *start;
	size_t size;
	bool cut;
};

static struct text text_begin(char *start, size_t size)
{
	start[0] = '\0';
	return (struct text){.start = start, .size = size};
}

static void add(struct text *text, const char *more)
{
	text->cut |= strlcat(text->start, more, text->size) >= text->size;
}

static void add_char(struct text *text, char c)
{
	add(text, (char[]){c, '\0'});
}

/* As one word of a shell. What needs no quotes has none. */
static void add_quoted(struct text *text, const char *word)
{
	bool plain = *word != '\0';

	for (const char *c = word; *c != '\0'; c++)
		plain = plain && (isalnum((unsigned char)*c) || strchr("%+,-./:@_", *c) != NULL);
	if (plain) {
		add(text, word);
		return;
	}
	add(text, "'");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			add(text, "'\\''");
		else
			add_char(text, *word);
	}
	add(text, "'");
}

/* A backslash takes the meaning from a character in socat's addresses; others do not mind it. */
static void add_for_socat(struct text *text, const char *word)
{
	for (; *word != '\0'; word++) {
		if (ispunct((unsigned char)*word) && strchr("-./_", *word) == NULL)
			add(text, "\\");
		add_char(text, *word);
	}
}

/*
 * The address and, as the last, the file are in its sys.argv, so that they need no quotes of
 * Python's. Having sent, it prints what the receiver says.
 */
static void add_python_program(struct text *text, const struct handover *handover,
    const struct handover_place *place)
{
	bool is_unix = place->path != NULL;

	add(text, handover->peer_sends ? "import socket,sys;" : "import shutil,socket,sys;");
	add(text, "a=sys.argv;");
	add(text, handover->peer_sends ? "f=open(a[-1],\"rb\");" : "f=open(a[-1],\"wb\");");
	if (!place->peer_listens)
		add(text, is_unix ? "s=socket.socket(socket.AF_UNIX);s.connect(a[1]);"
				  : "s=socket.create_connection(a[1:3]);");
	else if (is_unix)
		add(text, "s=socket.create_server(a[1],family=socket.AF_UNIX).accept()[0];");
	else if (place->ipv6)
		add(text, "s=socket.create_server((\"\",int(a[1])),family=socket.AF_INET6,"
			  "dualstack_ipv6=True).accept()[0];");
	else
		add(text, "s=socket.create_server((\"\",int(a[1]))).accept()[0];");
	add(text, handover->peer_sends
		      ? "s.sendfile(f);s.shutdown(1);print(end=s.makefile().read())"
		      : "shutil.copyfileobj(s.makefile(\"rb\"),f);f.close()");
}

/* What templates are filled in with. */
struct facts {
	const struct handover *handover;
	const struct handover_place *place;
	const char *file;
};

/* One value of a template, unquoted. */
static void add_value(struct text *text, char key, const struct facts *facts)
{
	const struct handover_place *place = facts->place;

	switch (key) {
	case 'h':
		add(text, place->host);
		return;
	case 'b':
		if (strchr(place->host, ':') != NULL)
			add_char(text, '[');
		add(text, place->host);
		if (strchr(place->host, ':') != NULL)
			add_char(text, ']');
		return;
	case 'p':
		add(text, place->port);
		return;
	case 'u':
		add(text, place->path);
		return;
	case 'U':
		add_for_socat(text, place->path);
		return;
	case 'f':
		add(text, facts->file);
		return;
	case 'F':
		add_for_socat(text, facts->file);
		return;
	default:
		add_python_program(text, facts->handover, place);
	}
}

/* A word of a template, of len bytes: filled in, and then quoted as a whole but for < and >. */
static void add_word(struct text *text, const char *word, size_t len, const struct facts *facts)
{
	char filled[WORD_MAX];
	struct text raw = text_begin(filled, sizeof(filled));
	const char *end = word + len;

	if (*word == '<' || *word == '>')
		add_char(text, *word++);
	while (word < end) {
		if (*word == '$' && word + 1 < end) {
			add_value(&raw, word[1], facts);
			word += 2;
		} else {
			add_char(&raw, *word++);
		}
	}
	text->cut |= raw.cut;
	add_quoted(text, filled);
}

static void add_words(struct text *text, const char *words, const struct facts *facts)
{
	while (*words != '\0') {
		size_t len = strcspn(words, " ");
		add_word(text, words, len, facts);
		words += len;
		if (*words == ' ')
			add_char(text, *words++);
	}
}

static const char *address_template(const struct tool *tool, const struct handover_place *place)
{
	if (place->path != NULL)
		return place->peer_listens ? tool->listens_unix : tool->connects_unix;
	if (!place->peer_listens)
		return tool->connects;
	return place->ipv6 ? tool->listens_ipv6 : tool->listens;
}

static int fill_in(const struct facts *facts, char *command, size_t size)
{
	const struct handover *handover = facts->handover;
	const struct tool *tool = &tools[handover->tool];
	const char *data = handover->peer_sends ? tool->sends : tool->receives;
	const char *address = address_template(tool, facts->place);
	char words[WORDS_MAX];
	struct text text = text_begin(command, size);

	if (handover->tool == HANDOVER_SOCKXFER && handover->peer_sends && !handover->receipts)
		data = "sockxfer send $a $f";
	size_t before = (size_t)(strstr(data, "$a") - data);
	snprintf(words, sizeof(words), "%.*s%s%s", (int)before, data, address,
	    data + before + strlen("$a"));
	add_words(&text, words, facts);
	return text.cut ? -1 : 0;
}

/* Whether report.h prints the name as it is, so that it can be copied. */
static bool is_shown_as_is(const char *name)
{
	mbstate_t state = {0};
	wchar_t c;
	size_t len;

	for (; *name != '\0'; name += len) {
		len = mbrtowc(&c, name, strlen(name), &state);
		if (len > strlen(name) || (!iswgraph((wint_t)c) && c != L' '))
			return false;
	}
	return true;
}

/*
 * What the file is called at the other end, "" for nothing. Below /dev are devices and descriptors
 * of ours. A peer on this machine may be in this directory, and would write into the file that we
 * read.
 */
static void name_file(const struct handover *handover, const struct handover_place *place,
    char *file, size_t size)
{
	const char *path = handover->path;

	file[0] = '\0';
	if (path == NULL || strcmp(path, "-") == 0 || strncmp(path, "/dev/", 5) == 0 ||
	    (place->here && !handover->peer_sends))
		return;
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	if (*name != '\0' && is_shown_as_is(name))
		snprintf(file, size, "%s%s", *name == '-' ? "./" : "", name);
}

int handover_command(const struct handover *handover, const struct handover_place *place,
    char *text, size_t size)
{
	char file[WORD_MAX];
	struct facts facts = {.handover = handover, .place = place, .file = file};

	name_file(handover, place, file, sizeof(file));
	if (file[0] != '\0' && fill_in(&facts, text, size) == 0)
		return 0;
	facts.file = "FILE";
	return fill_in(&facts, text, size);
}

/* The other addresses, each as the command would have it. */
static void print_others(const struct handover *handover, const struct handover_place *place,
    const struct interfaces *hosts, const struct report *report)
{
	char line[COMMAND_MAX];
	struct text text = text_begin(line, sizeof(line));
	struct handover_place other = *place;
	struct facts facts = {.handover = handover, .place = &other};
	bool scoped = strchr(hosts->host[0], '%') != NULL;

	for (size_t i = 1; i < hosts->count; i++) {
		add(&text, i == 1 ? "Or with another address: " : ", ");
		other.host = hosts->host[i];
		add_words(&text, tools[handover->tool].host, &facts);
		scoped = scoped || strchr(hosts->host[i], '%') != NULL;
	}
	if (scoped)
		add(&text, hosts->count > 1 ? " (after %: its own interface)"
					    : "After %: its own interface.");
	if (line[0] != '\0')
		report_plain(report, "%s", line);
}

static void print_command(const struct handover *handover, const struct handover_place *place,
    const struct report *report)
{
	char command[COMMAND_MAX];
	const char *where = place->here ? "On this machine" : "On the other machine";

	if (place->peer_listens)
		where = "First, at the other end";
	if (handover_command(handover, place, command, sizeof(command)) == 0)
		report_plain(report, "%s: %s", where, command);
}

/* The peer may be in another directory. A path that is too long then (unix(7)) stays as it is. */
static void make_absolute(const char *path, char *text, size_t size)
{
	char directory[PATH_MAX];

	if (path[0] == '/' || getcwd(directory, sizeof(directory)) == NULL ||
	    (size_t)snprintf(text, size, "%s/%s", directory, path) >= size)
		strlcpy(text, path, size);
}

/* The path is the socket's own, which may have none (unix(7)). */
static int listening_unix(const struct handover *handover, const char *path,
    const struct report *report, struct err *err)
{
	struct addr addr;
	struct handover_place place = {.here = true, .path = addr.path};

	if (handover_check_unix(handover->tool, err) == -1)
		return -1;
	if (path[0] == '\0' || path[0] == '@')
		return handover->tool == HANDOVER_SOCKXFER
		           ? 0
		           : err_set(err, ERR_USAGE, 0, "the socket has no path");
	make_absolute(path, addr.path, sizeof(addr.path));
	print_command(handover, &place, report);
	return 0;
}

int handover_listening(const struct handover *handover, const struct listen_set *set,
    const struct report *report, struct err *err)
{
	struct interfaces hosts;
	char name[ADDR_TEXT_MAX];
	char port[8];

	sock_local_name(set->fd[0], name);
	if (strncmp(name, "unix:", 5) == 0)
		return listening_unix(handover, name + 5, report, err);
	interfaces_listening(&hosts, set);
	if (hosts.count == 0)
		return 0;
	snprintf(port, sizeof(port), "%d", sock_port(set->fd[0]));
	struct handover_place place = {
	    .here = hosts.only_here,
	    .host = hosts.host[0],
	    .port = port,
	};
	print_command(handover, &place, report);
	print_others(handover, &place, &hosts, report);
	return 0;
}

/* A service's name may be unknown to the other machine, and is to some of the programs. */
static void number_port(const char *port, char *text, size_t size)
{
	const struct addrinfo hints = {
	    .ai_family = AF_INET,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE,
	};
	struct addrinfo *found;

	strlcpy(text, port, size);
	if (getaddrinfo(NULL, port, &hints, &found) != 0)
		return;
	getnameinfo(found->ai_addr, found->ai_addrlen, NULL, 0, text, (socklen_t)size,
	    NI_NUMERICSERV);
	freeaddrinfo(found);
}

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       strncmp(host, "127.", 4) == 0;
}

void handover_connecting(const struct handover *handover, const struct addr *addr, int family,
    const struct report *report)
{
	char path[sizeof(addr->path)];
	char port[sizeof(addr->port)];
	struct handover_place place = {.peer_listens = true};

	if (addr->kind == ADDR_UNIX) {
		make_absolute(addr->path, path, sizeof(path));
		place.path = path;
		place.here = true;
	} else {
		number_port(addr->port, port, sizeof(port));
		place.port = port;
		place.ipv6 = family == AF_INET6 || strchr(addr->host, ':') != NULL;
		place.here = is_loopback(addr->host);
	}
	print_command(handover, &place, report);
}
