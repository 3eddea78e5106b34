/* The command for the other end: its words for each program and each situation, and its quoting. */
#include "ui/handover.h"

#include <locale.h>

#include "base/clock.h"
#include "check.h"

static const struct handover_place connects = {.host = "192.0.2.7", .port = "9009"};
static const struct handover_place connects6 = {.host = "2001:db8::7", .port = "9009"};
static const struct handover_place listens = {.peer_listens = true, .port = "9009"};
static const struct handover_place listens6 = {.peer_listens = true, .ipv6 = true, .port = "9009"};
static const struct handover_place unix_connects = {.path = "/run/x"};
static const struct handover_place unix_listens = {.peer_listens = true, .path = "/run/x"};

static struct handover with(enum handover_tool tool, bool peer_sends, const char *path)
{
	return (struct handover){
	    .tool = tool,
	    .peer_sends = peer_sends,
	    .receipts = true,
	    .path = path,
	};
}

static void is(const struct handover *handover, const struct handover_place *place,
    const char *wanted)
{
	char text[1000];

	check_row("%s", wanted);
	CHECK_INT(handover_command(handover, place, text, sizeof(text)), 0);
	CHECK_STR(text, wanted);
}

/* What a program is told when it sends and when it receives. */
static void both(enum handover_tool tool, const struct handover_place *place, const char *sends,
    const char *receives)
{
	const struct handover sender = with(tool, true, "dir/out.jpg");
	const struct handover receiver = with(tool, false, "/dir/in.jpg");

	is(&sender, place, sends);
	is(&receiver, place, receives);
}

static void sockxfer(void)
{
	struct handover handover = with(HANDOVER_SOCKXFER, true, "out.jpg");

	both(HANDOVER_SOCKXFER, &connects, "sockxfer send -V 192.0.2.7:9009 out.jpg",
	    "sockxfer recv 192.0.2.7:9009 in.jpg");
	both(HANDOVER_SOCKXFER, &connects6, "sockxfer send -V '[2001:db8::7]:9009' out.jpg",
	    "sockxfer recv '[2001:db8::7]:9009' in.jpg");
	both(HANDOVER_SOCKXFER, &listens, "sockxfer send -V -p 9009 out.jpg",
	    "sockxfer recv -p 9009 in.jpg");
	both(HANDOVER_SOCKXFER, &listens6, "sockxfer send -V -p 9009 out.jpg",
	    "sockxfer recv -p 9009 in.jpg");
	both(HANDOVER_SOCKXFER, &unix_connects, "sockxfer send -V unix:/run/x out.jpg",
	    "sockxfer recv unix:/run/x in.jpg");
	both(HANDOVER_SOCKXFER, &unix_listens, "sockxfer send -V -l unix:/run/x out.jpg",
	    "sockxfer recv -l unix:/run/x in.jpg");
	handover.receipts = false;
	is(&handover, &connects, "sockxfer send 192.0.2.7:9009 out.jpg");
}

static void resuming(void)
{
	struct handover handover = with(HANDOVER_SOCKXFER, true, "out.jpg");

	handover.resumes = true;
	is(&handover, &connects, "sockxfer send -R -V 192.0.2.7:9009 out.jpg");
	handover.retry = 60 * CLOCK_SECOND;
	is(&handover, &connects, "sockxfer send -R -r 60 -V 192.0.2.7:9009 out.jpg");
	handover.retry = CLOCK_SECOND / 4;
	is(&handover, &listens, "sockxfer send -R -r 1 -V -p 9009 out.jpg");
	handover.retry = 1000000000 * CLOCK_SECOND;
	handover.peer_sends = false;
	handover.key = "host.key";
	is(&handover, &connects,
	    "sockxfer recv -R -r 1000000000 --key host.key 192.0.2.7:9009 out.jpg");
}

static void nc(void)
{
	both(HANDOVER_NC, &connects, "nc -N 192.0.2.7 9009 <out.jpg",
	    "nc -d 192.0.2.7 9009 >in.jpg");
	both(HANDOVER_NC, &connects6, "nc -N 2001:db8::7 9009 <out.jpg",
	    "nc -d 2001:db8::7 9009 >in.jpg");
	both(HANDOVER_NC, &listens, "nc -N -l 9009 <out.jpg", "nc -d -l 9009 >in.jpg");
	both(HANDOVER_NC, &listens6, "nc -N -6 -l 9009 <out.jpg", "nc -d -6 -l 9009 >in.jpg");
	both(HANDOVER_NC, &unix_connects, "nc -N -U /run/x <out.jpg", "nc -d -U /run/x >in.jpg");
	both(HANDOVER_NC, &unix_listens, "nc -N -l -U /run/x <out.jpg",
	    "nc -d -l -U /run/x >in.jpg");
}

static void datagrams(enum handover_tool tool, const struct handover_place *place,
    const char *sends, const char *receives)
{
	struct handover handover = with(tool, true, "dir/out");

	handover.receipts = false;
	handover.datagrams = true;
	is(&handover, place, sends);
	handover = with(tool, false, "/dir/in");
	handover.datagrams = true;
	is(&handover, place, receives);
}

static void udp(void)
{
	static const struct handover_place group = {.peer_listens = true,
	    .group = true,
	    .host = "ff05::1",
	    .port = "9009"};
	struct handover handover = with(HANDOVER_SOCKXFER, false, "in");
	struct err err;

	datagrams(HANDOVER_SOCKXFER, &connects6, "sockxfer send 'udp:[2001:db8::7]:9009' out",
	    "sockxfer recv 'udp:[2001:db8::7]:9009' in");
	datagrams(HANDOVER_SOCKXFER, &listens, "sockxfer send -l udp::9009 out",
	    "sockxfer recv -l udp::9009 in");
	datagrams(HANDOVER_NC, &connects, "nc -u -w 1 192.0.2.7 9009 <out",
	    "nc -u -d 192.0.2.7 9009 >in");
	datagrams(HANDOVER_NC, &listens6, "nc -u -w 1 -6 -l 9009 <out", "nc -u -d -6 -l 9009 >in");
	datagrams(HANDOVER_NCAT, &listens, "ncat -u --send-only -l 9009 <out",
	    "ncat -u --recv-only -l 9009 >in");
	datagrams(HANDOVER_SOCAT, &connects6, "socat -u FILE:out 'UDP:[2001:db8::7]:9009'",
	    "socat -u 'UDP:[2001:db8::7]:9009' CREATE:in");
	datagrams(HANDOVER_SOCAT, &listens6, "socat -u FILE:out UDP6-RECV:9009",
	    "socat -u UDP6-RECV:9009 CREATE:in");
	handover.datagrams = true;
	handover.raw = true;
	is(&handover, &group, "sockxfer recv --raw -l 'udp:[ff05::1]:9009' in");
	CHECK_INT(handover_check_udp(HANDOVER_NC, false, &err), 0);
	CHECK_INT(handover_check_udp(HANDOVER_SOCKXFER, true, &err), 0);
	CHECK_INT(handover_check_udp(HANDOVER_NC, true, &err), -1);
	CHECK_STR(err.text, "there is no command of nc that joins a multicast group");
	CHECK_INT(handover_check_udp(HANDOVER_PYTHON, false, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
}

static void ncat(void)
{
	both(HANDOVER_NCAT, &connects, "ncat --send-only 192.0.2.7 9009 <out.jpg",
	    "ncat --recv-only 192.0.2.7 9009 >in.jpg");
	both(HANDOVER_NCAT, &listens, "ncat --send-only -l 9009 <out.jpg",
	    "ncat --recv-only -l 9009 >in.jpg");
	both(HANDOVER_NCAT, &listens6, "ncat --send-only -l 9009 <out.jpg",
	    "ncat --recv-only -l 9009 >in.jpg");
	both(HANDOVER_NCAT, &unix_connects, "ncat --send-only -U /run/x <out.jpg",
	    "ncat --recv-only -U /run/x >in.jpg");
}

static void socat(void)
{
	both(HANDOVER_SOCAT, &connects, "socat -u FILE:out.jpg TCP:192.0.2.7:9009",
	    "socat -u TCP:192.0.2.7:9009 CREATE:in.jpg");
	both(HANDOVER_SOCAT, &connects6, "socat -u FILE:out.jpg 'TCP:[2001:db8::7]:9009'",
	    "socat -u 'TCP:[2001:db8::7]:9009' CREATE:in.jpg");
	both(HANDOVER_SOCAT, &listens, "socat -u FILE:out.jpg TCP-LISTEN:9009,reuseaddr",
	    "socat -u TCP-LISTEN:9009,reuseaddr CREATE:in.jpg");
	both(HANDOVER_SOCAT, &listens6, "socat -u FILE:out.jpg TCP6-LISTEN:9009,reuseaddr",
	    "socat -u TCP6-LISTEN:9009,reuseaddr CREATE:in.jpg");
	both(HANDOVER_SOCAT, &unix_connects, "socat -u FILE:out.jpg UNIX-CONNECT:/run/x",
	    "socat -u UNIX-CONNECT:/run/x CREATE:in.jpg");
}

static void busybox(void)
{
	struct err err = {.kind = ERR_NONE};

	both(HANDOVER_BUSYBOX, &connects, "busybox nc 192.0.2.7 9009 <out.jpg",
	    "busybox nc 192.0.2.7 9009 </dev/null >in.jpg");
	both(HANDOVER_BUSYBOX, &listens, "busybox nc -l -p 9009 <out.jpg",
	    "busybox nc -l -p 9009 </dev/null >in.jpg");
	CHECK_INT(handover_check_unix(HANDOVER_BUSYBOX, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	for (enum handover_tool tool = 0; tool < HANDOVER_TOOLS; tool++)
		CHECK(tool == HANDOVER_BUSYBOX || handover_check_unix(tool, &err) == 0);
}

static void python(void)
{
	both(HANDOVER_PYTHON, &connects,
	    "python3 -c 'import socket,sys;a=sys.argv;f=open(a[-1],\"rb\");"
	    "s=socket.create_connection(a[1:3]);s.sendfile(f);s.shutdown(1);print(end=s.makefile().read())' "
	    "192.0.2.7 9009 out.jpg",
	    "python3 -c 'import shutil,socket,sys;a=sys.argv;f=open(a[-1],\"wb\");"
	    "s=socket.create_connection(a[1:3]);shutil.copyfileobj(s.makefile(\"rb\"),f);f.close()' "
	    "192.0.2.7 9009 in.jpg");
}

/* A file's name in the command of a peer that sends to us, by nc. */
static void is_called(const char *path, const char *wanted)
{
	const struct handover handover = with(HANDOVER_NC, true, path);
	char command[1000];

	snprintf(command, sizeof(command), "nc -N 192.0.2.7 9009 <%s", wanted);
	is(&handover, &connects, command);
}

static void names(void)
{
	is_called("out.jpg", "out.jpg");
	is_called("/srv/in/out.jpg", "out.jpg");
	is_called("../x/a_b-c,d@e+f%g", "a_b-c,d@e+f%g");
	is_called("a b", "'a b'");
	is_called("it's a photo.jpg", "'it'\\''s a photo.jpg'");
	is_called("''", "''\\'''\\'''");
	is_called("$(reboot)`reboot`;reboot&", "'$(reboot)`reboot`;reboot&'");
	is_called("~root", "'~root'");
	is_called("=ls", "'=ls'");
	is_called("a\\b\"c", "'a\\b\"c'");
	is_called("*?[a]{b}!c#d", "'*?[a]{b}!c#d'");
	is_called("-x", "./-x");
	is_called("./-x", "./-x");
	is_called("-x y", "'./-x y'");
	is_called("$f", "'$f'");
}

static void no_name(void)
{
	is_called(NULL, "FILE");
	is_called("-", "FILE");
	is_called("/dev/null", "FILE");
	is_called("/dev/fd/63", "FILE");
	is_called("a\nb", "FILE");
	is_called("\033]0;gotcha\a", "FILE");
	is_called("a\tb", "FILE");
	is_called("\xff", "FILE");
}

static void other_alphabets(void)
{
	is_called("B\xc3\xa4r.jpg", "FILE"); /* cannot be shown in the locale of C */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		check_skip();
	is_called("B\xc3\xa4r.jpg", "'B\xc3\xa4r.jpg'");
	is_called("\xe5\x86\x99\xe7\x9c\x9f", "'\xe5\x86\x99\xe7\x9c\x9f'");
	is_called("B\xc3r.jpg", "FILE");
	is_called("a\xc2\x9b"
		  "b",
	    "FILE"); /* the C1 control CSI */
}

static void too_long(void)
{
	const struct handover handover = with(HANDOVER_NC, true, "out.jpg");
	char name[256] = "";
	char text[30];

	memset(name, 'n', sizeof(name) - 1);
	is_called(name, name);
	memset(name, '\'', sizeof(name) - 1);
	is_called(name, "FILE");
	CHECK_INT(handover_command(&handover, &connects, text, sizeof(text)), 0);
	CHECK_STR(text, "nc -N 192.0.2.7 9009 <out.jpg");
	CHECK_INT(handover_command(&handover, &connects, text, sizeof(text) - 1), 0);
	CHECK_STR(text, "nc -N 192.0.2.7 9009 <FILE");
	CHECK_INT(handover_command(&handover, &connects, text, 20), -1);
}

static void own_syntax_of_socat(void)
{
	struct handover_place place = {.path = "/run/a,b"};

	both(HANDOVER_SOCAT, &place, "socat -u FILE:out.jpg 'UNIX-CONNECT:/run/a\\,b'",
	    "socat -u 'UNIX-CONNECT:/run/a\\,b' CREATE:in.jpg");
	const struct handover handover = with(HANDOVER_SOCAT, true, "it's a,b:c!!d");
	is(&handover, &connects,
	    "socat -u 'FILE:./it\\'\\''s a\\,b\\:c\\!\\!d' TCP:192.0.2.7:9009");
}

static void not_over_our_own(void)
{
	struct handover_place here = connects;

	here.here = true;
	both(HANDOVER_NC, &here, "nc -N 192.0.2.7 9009 <out.jpg", "nc -d 192.0.2.7 9009 >FILE");
}

static void tools(void)
{
	static const char *const names[] = {"nc", "ncat", "socat", "busybox", "python"};
	enum handover_tool tool;
	struct err err = {.kind = ERR_NONE};

	for (size_t i = 0; i < ROWS(names); i++) {
		CHECK_INT(handover_parse_tool(&tool, names[i], &err), 0);
		CHECK_STR(handover_tool_name(tool), names[i]);
	}
	CHECK_INT(handover_parse_tool(&tool, "sockxfer", &err), -1);
	CHECK_INT(handover_parse_tool(&tool, "", &err), -1);
	CHECK_INT(handover_parse_tool(&tool, "NC", &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	for (size_t i = 0; i < ROWS(names); i++)
		CHECK_HAS(err.text, names[i]);
}

int main(void)
{
	promise("sockxfer is told to insist on a receipt, unless we give none", sockxfer);
	promise("sockxfer is told to resume, and for how long to go on, if we do", resuming);
	promise("OpenBSD nc", nc);
	promise("nc, ncat, socat and sockxfer for datagrams, of a group only sockxfer", udp);
	promise("ncat", ncat);
	promise("socat", socat);
	promise("busybox nc, which has no unix sockets", busybox);
	promise("Python has a line without quotes from outside", python);
	promise("a name is one word for the shell, and no option", names);
	promise("what has no name that can be copied is called FILE", no_name);
	promise("a name of letters of the locale is shown", other_alphabets);
	promise("a command is whole, or has FILE, or is none", too_long);
	promise("a name keeps its meaning in socat's own syntax", own_syntax_of_socat);
	promise("a receiver beside us gets another name than the file that we read",
	    not_over_our_own);
	promise("a tool is one of five names", tools);
	return check_end();
}
