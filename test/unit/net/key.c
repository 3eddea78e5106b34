/* Keys: what is one, and which file may hold them. */
#include "net/key.h"

#include <errno.h>
#include <signal.h>

#include "check.h"
#include "sys/signals.h"

#define HEX32 "00112233445566778899aabbccddeeff"
#define HEX64 HEX32 "ffeeddccbbaa99887766554433221100"

static void is_key(const char *line, const char *identity, size_t len)
{
	struct key key;
	struct err err = {.kind = ERR_NONE};

	check_row("%s", line);
	if (!CHECK_INT(key_parse(&key, line, &err), 0))
		return;
	CHECK_STR(key.identity, identity);
	CHECK_INT((intmax_t)key.len, (intmax_t)len);
	for (size_t i = 0; i < 16; i++)
		CHECK_INT(key.secret[i], (int)(i * 0x11));
}

static void is_no_key(const char *line, const char *why)
{
	struct key key;
	struct err err = {.kind = ERR_NONE};

	check_row("%.60s", line);
	CHECK_INT(key_parse(&key, line, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK_HAS(err.text, why);
	CHECK(strstr(err.text, "0011") == NULL && strstr(err.text, "correct") == NULL);
}

static void lines(void)
{
	char longest[KEY_IDENTITY_MAX + 2 * KEY_SECRET_MAX + 2];

	is_key("Client_identity:" HEX32, "Client_identity", 16);
	is_key("a:" HEX64, "a", 32);
	is_key("a:00112233445566778899AaBbCcDdEeFf", "a", 16);
	is_key("\xc3\xa9@host.example:" HEX32, "\xc3\xa9@host.example", 16);
	memset(longest, 'n', KEY_IDENTITY_MAX);
	longest[KEY_IDENTITY_MAX] = '\0';
	char identity[KEY_IDENTITY_MAX + 1];
	strlcpy(identity, longest, sizeof(identity));
	strlcat(longest, ":" HEX64 HEX64, sizeof(longest));
	is_key(longest, identity, 64);
}

static void no_lines(void)
{
	char longest[KEY_IDENTITY_MAX + 2];
	char line[400];

	is_no_key("", "identity:hex");
	is_no_key(HEX32, "identity:hex");
	is_no_key(":" HEX32, "identity is empty");
	is_no_key("two words:" HEX32, "blank");
	is_no_key("tab\there:" HEX32, "blank");
	is_no_key("esc\033[2J:" HEX32, "control");
	is_no_key("a:b:" HEX32, "not hexadecimal");
	is_no_key("a:correct horse battery staple correct horse", "passphrase");
	is_no_key("a:", "short");
	is_no_key("a:00112233445566778899aabbccddee", "short");
	is_no_key("a:" HEX32 "0", "even number");
	is_no_key("a:" HEX64 HEX64 "00", "at the most");
	is_no_key("a:" HEX32 " ", "not hexadecimal");
	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	snprintf(line, sizeof(line), "%s:%s", longest, HEX32);
	is_no_key(line, "longer than 128");
}

static void bad_text(const char *text, size_t size, const char *why)
{
	struct key_list list;
	struct err err = {.kind = ERR_NONE};

	check_row("%.60s", text);
	CHECK_INT(key_list_parse(&list, text, size, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK_HAS(err.text, why);
	CHECK(list.one == NULL);
	CHECK_INT((intmax_t)list.count, 0);
}

static void texts(void)
{
	static const char text[] = "# of the backup\r\n\nfirst:" HEX32 "\r\n\r\nsecond:" HEX64;
	struct key_list list;
	struct err err = {.kind = ERR_NONE};

	if (!CHECK_INT(key_list_parse(&list, text, sizeof(text) - 1, &err), 0))
		return;
	CHECK_INT((intmax_t)list.count, 2);
	CHECK_STR(list.one[0].identity, "first");
	CHECK_STR(list.one[1].identity, "second");
	CHECK_INT((intmax_t)list.one[1].len, 32);
	key_list_wipe(&list);
	CHECK_INT((intmax_t)list.count, 0);
	key_list_wipe(&list);
}

static void bad_texts(void)
{
	static const char twice[] = "a:" HEX32 "\nb:" HEX32 "\na:" HEX64 "\n";
	static const char nul[] = "a:" HEX32 "\0\n";
	static const char later[] = "a:" HEX32 "\n\nb " HEX32 "\n";
	char endless[1000];

	bad_text("", 0, "no key");
	bad_text("# nothing\n\n", 11, "no key");
	bad_text(twice, sizeof(twice) - 1, "line 3");
	bad_text(nul, sizeof(nul) - 1, "NUL");
	bad_text(later, sizeof(later) - 1, "line 3: a line is identity:hex");
	memset(endless, 'a', sizeof(endless));
	bad_text(endless, sizeof(endless), "too long");
}

static void write_keys(const char *path, mode_t mode)
{
	static const char text[] = "a:" HEX32 "\n";
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK(fd != -1);
	CHECK_INT(write(fd, text, sizeof(text) - 1), (intmax_t)sizeof(text) - 1);
	CHECK_INT(fchmod(fd, mode), 0);
	close(fd);
}

static void reads(mode_t mode)
{
	struct key_list list;
	struct err err = {.kind = ERR_NONE};

	check_row("mode %03o", (unsigned)mode);
	write_keys("keys", mode);
	CHECK_INT(key_list_read(&list, "keys", &err), 0);
	CHECK_INT((intmax_t)list.count, 1);
	key_list_wipe(&list);
	unlink("keys");
}

static void refuses(mode_t mode)
{
	struct key_list list;
	struct err err = {.kind = ERR_NONE};

	check_row("mode %03o", (unsigned)mode);
	write_keys("keys", mode);
	CHECK_INT(key_list_read(&list, "keys", &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_HAS(err.text, "keys: others may read or write the key");
	CHECK(err.advice != NULL);
	unlink("keys");
}

static void modes(void)
{
	reads(0600);
	reads(0400);
	reads(0440);
	reads(0640);
	refuses(0644);
	refuses(0604);
	refuses(0602);
	refuses(0601);
	refuses(0660);
	refuses(0620);
}

static void owners(void)
{
	struct key_list list;
	struct err err = {.kind = ERR_NONE};

	if (geteuid() != 0)
		check_skip();
	write_keys("keys", 0600);
	CHECK_INT(chown("keys", CHECK_USER, CHECK_USER), 0);
	CHECK_INT(key_list_read(&list, "keys", &err), -1);
	CHECK_HAS(err.text, "belongs to another user");
	CHECK_INT(chown("keys", 0, CHECK_USER), 0);
	CHECK_INT(chmod("keys", 0440), 0);
	CHECK_INT(chmod(".", 0755), 0);
	CHECK_INT(setegid(CHECK_USER), 0);
	CHECK_INT(seteuid(CHECK_USER), 0);
	CHECK_INT(key_list_read(&list, "keys", &err), 0);
	key_list_wipe(&list);
}

/* Writes a key into the FIFO when a reader has opened it, in two pieces. Returns its process. */
static pid_t begin_writer(const char *path)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	int fd = open(path, O_WRONLY);
	bool written =
	    write(fd, "a:00112233", 10) == 10 && write(fd, "445566778899aabbccddeeff", 24) == 24;
	_exit(written ? 0 : 1);
}

static void fifo(void)
{
	struct key_list list;
	struct err err = {.kind = ERR_NONE};
	int status;

	CHECK_INT(mkfifo("pass", 0644), 0);
	pid_t writer = begin_writer("pass");
	CHECK_INT(key_list_read(&list, "pass", &err), 0);
	CHECK_INT((intmax_t)list.count, 1);
	key_list_wipe(&list);
	CHECK_INT(waitpid(writer, &status, 0), writer);
	CHECK_INT(status, 0);
}

static void interrupted(void)
{
	struct key_list list;
	struct err err = {.kind = ERR_NONE};

	CHECK_INT(mkfifo("pass", 0600), 0);
	signals_install();
	pid_t parent = getpid();
	pid_t killer = fork();
	if (killer == 0) {
		/* One of these comes while open(2) waits. */
		for (int i = 0; i < 1000 && kill(parent, SIGTERM) == 0; i++)
			usleep(10000);
		_exit(0);
	}
	CHECK_INT(key_list_read(&list, "pass", &err), -1);
	CHECK_INT(err.kind, ERR_INTERRUPTED);
	kill(killer, SIGKILL);
	waitpid(killer, NULL, 0);
}

static void missing(void)
{
	struct key_list list;
	struct err err = {.kind = ERR_NONE};

	CHECK_INT(key_list_read(&list, "none", &err), -1);
	CHECK_STR(err.text, "none: No such file or directory");
	CHECK_INT(mkdir("dir", 0700), 0);
	CHECK_INT(key_list_read(&list, "dir", &err), -1);
	CHECK_STR(err.text, "dir: Is a directory");
	int fd = open("huge", O_WRONLY | O_CREAT, 0600);
	CHECK_INT(ftruncate(fd, 1 << 20), 0);
	close(fd);
	CHECK_INT(key_list_read(&list, "huge", &err), -1);
	CHECK_HAS(err.text, "huge: is too large");
}

static void made(void)
{
	struct key key, again;
	struct err err = {.kind = ERR_NONE};
	char line[KEY_LINE_MAX];

	CHECK_INT(key_make(&key, "backup", 32, &err), 0);
	key_format(&key, line);
	CHECK_INT((intmax_t)strlen(line), 7 + 64 + 1);
	CHECK_STR(line + strlen(line) - 1, "\n");
	line[strlen(line) - 1] = '\0';
	CHECK_INT(key_parse(&again, line, &err), 0);
	CHECK(memcmp(key.secret, again.secret, 32) == 0);
	CHECK_INT(key_make(&again, "backup", 32, &err), 0);
	CHECK(memcmp(key.secret, again.secret, 32) != 0);
	CHECK_INT(key_make(&key, "a b", 32, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
}

int main(void)
{
	promise("a key is a line of identity and hexadecimal digits", lines);
	promise("a short key, a passphrase and a bad identity are refused, and never shown",
	    no_lines);
	promise("a file has a key a line, and comments", texts);
	promise("a bad line is told by its number, and an identity has one line", bad_texts);
	promise("a file that others or its group can write or others can read is refused", modes);
	promise("a file of another user is refused, one of root is not", owners);
	promise("keys may come through a FIFO", fifo);
	promise("a signal ends the wait for a FIFO", interrupted);
	promise("a file that is none, or is too large, is an error", missing);
	promise("a new key is random, and a line of a key file", made);
	return check_end();
}
