/* Commands: what is in their environment, how their end is told, and that they can be stopped. */
#include "sys/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "check.h"
#include "sys/io.h"
#include "sys/signals.h"

#define SHORT (20 * CLOCK_MILLISECOND)
#define LONG (30 * CLOCK_SECOND)

/* Starts argv with its stdout a pipe. */
static bool start(struct command *command, char *const argv[], char *const variables[], int *pipe)
{
	struct err err = {.kind = ERR_NONE};

	const struct command_line line = {.argv = argv};
	if (CHECK_INT(command_start(command, &line, variables, STDOUT_FILENO, pipe, &err), 0))
		return true;
	CHECK_STR(err.text, "");
	return false;
}

/* Compares all that the script writes with what is wanted. */
static void check_prints(char *script, char *const variables[], const char *wanted)
{
	char *argv[] = {"sh", "-c", script, NULL};
	struct command command;
	struct err err = {.kind = ERR_NONE};
	char text[200] = "";
	size_t len = 0;
	ssize_t n = 1;
	int pipe;

	if (!start(&command, argv, variables, &pipe))
		return;
	while (n > 0) {
		n = io_read(pipe, text + len, sizeof(text) - 1 - len, deadline_after(LONG), &err);
		len += n > 0 ? (size_t)n : 0;
	}
	CHECK_INT(n, 0);
	CHECK_STR(text, wanted);
	CHECK_INT(command_wait(&command, deadline_after(LONG), &err), 0);
	CHECK_INT(command.pid, 0);
	close(pipe);
}

static char prints[] = "printf '%s,' \"${ONE-none}\" \"${TWO-none}\" \"${ONETWO-none}\"";

static void environment(void)
{
	char *none[] = {NULL};
	char *set[] = {"TWO=2", "ONE=a=b", NULL};
	char *out[] = {"ONE", NULL};
	char *both[] = {"ONE", "TWO=", NULL};

	CHECK_INT(setenv("ONE", "1", 1), 0);
	CHECK_INT(setenv("ONETWO", "12", 1), 0);
	CHECK_INT(unsetenv("TWO"), 0);
	check_prints(prints, none, "1,none,12,");
	check_prints(prints, set, "a=b,2,12,");
	check_prints(prints, out, "none,none,12,");
	check_prints(prints, both, "none,,12,");
	CHECK_STR(getenv("ONE"), "1"); /* ours stays as it was */
	CHECK(getenv("TWO") == NULL);
}

static void core_limit(void)
{
	char *argv[] = {"grep", "^Max core file size", "/proc/self/limits", NULL};
	char *none[] = {NULL};
	struct rlimit given;
	struct command command;
	struct err err = {.kind = ERR_NONE};
	char text[100] = "";
	int pipe;

	CHECK_INT(getrlimit(RLIMIT_CORE, &given), 0);
	given.rlim_max = given.rlim_max < 10240 ? given.rlim_max : 10240;
	given.rlim_cur = given.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_CORE, &(struct rlimit){.rlim_max = given.rlim_max}), 0);
	const struct command_line line = {.argv = argv, .core_limit = &given};
	if (!CHECK_INT(command_start(&command, &line, none, STDOUT_FILENO, &pipe, &err), 0))
		return;
	CHECK_INT(command_wait(&command, deadline_after(LONG), &err), 0);
	CHECK(io_read(pipe, text, sizeof(text) - 1, deadline_after(LONG), &err) > 0);
	close(pipe);
	CHECK_INT(strtol(text + strlen("Max core file size"), NULL, 10), (intmax_t)given.rlim_cur);
}

static void check_ends(char *script, const char *why)
{
	char *argv[] = {"sh", "-c", script, NULL};
	char *none[] = {NULL};
	struct command command;
	struct err err = {.kind = ERR_NONE};
	int pipe;

	check_row("%s", script);
	if (!start(&command, argv, none, &pipe))
		return;
	CHECK_INT(command_wait(&command, deadline_after(LONG), &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_STR(err.text, why);
	close(pipe);
}

static void failures(void)
{
	check_ends("exit 7", "sh: exited with status 7");
	check_ends("kill -9 $$", "sh: killed by signal 9 (Killed)");
}

static void missing(void)
{
	char *argv[] = {"/no/such/command", NULL};
	char *none[] = {NULL};
	struct command command;
	struct err err = {.kind = ERR_NONE};
	int pipe;

	CHECK_INT(command_check(argv, &err), -1);
	CHECK_INT(err.errnum, ENOENT);
	const struct command_line line = {.argv = argv};
	CHECK_INT(command_start(&command, &line, none, STDOUT_FILENO, &pipe, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_STR(err.text, "/no/such/command: No such file or directory");
	command_stop(&command); /* has nothing to stop */
}

static void stopped(void)
{
	char *argv[] = {"sleep", "60", NULL};
	char *none[] = {NULL};
	struct command command;
	struct err err = {.kind = ERR_NONE};
	int pipe;

	if (!start(&command, argv, none, &pipe))
		return;
	pid_t pid = command.pid;
	int64_t deadline = deadline_after(SHORT);
	CHECK_INT(command_wait(&command, deadline, &err), -1);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	CHECK_STR(err.text, "sleep: timed out");
	CHECK(clock_now() >= deadline);
	CHECK_INT(command.pid, pid);
	command_stop(&command);
	CHECK_INT(command.pid, 0);
	CHECK_INT(kill(pid, 0), -1);
	command_stop(&command); /* a second call does nothing */
	close(pipe);
}

/* A child that is no command ends, and its signal comes. */
static void end_another(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
}

static void others(void)
{
	char *argv[] = {"sh", "-c", "read -r word; exit 0", NULL};
	char *none[] = {NULL};
	struct command command;
	struct err err = {.kind = ERR_NONE};
	int pipe;

	const struct command_line line = {.argv = argv};
	if (!CHECK_INT(command_start(&command, &line, none, STDIN_FILENO, &pipe, &err), 0))
		return;
	end_another();
	CHECK_INT(io_wait(command.ended, POLLIN, deadline_after(LONG), &err), POLLIN);
	signals_forget_children(command.ended);
	CHECK(!command_has_ended(&command));
	end_another();
	CHECK_INT(command_wait(&command, deadline_after(SHORT), &err), -1);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	close(pipe); /* now it ends, and whoever reads its signal first does not hide that */
	CHECK_INT(io_wait(command.ended, POLLIN, deadline_after(LONG), &err), POLLIN);
	CHECK(command_has_ended(&command));
	signals_forget_children(command.ended);
	CHECK_INT(command_wait(&command, deadline_after(LONG), &err), 0);
	CHECK_INT(command.ended, -1);
}

static void stdin_stays(void)
{
	struct command command = {.argv = NULL};

	command_stop(&command); /* one that was never started, in memory that is all zeros */
	CHECK(fcntl(STDIN_FILENO, F_GETFD) != -1);
}

int main(void)
{
	promise("its environment is ours, with what was added, replaced and taken out",
	    environment);
	promise("its limit of core files can be another one than ours", core_limit);
	promise("a command that fails tells how", failures);
	promise("a command that is not there is an error", missing);
	promise("a command that goes on is not waited for beyond the deadline, and is stopped",
	    stopped);
	promise("another child's signal neither hides its end nor feigns it", others);
	promise("one that was never started has nothing to close", stdin_stays);
	return check_end();
}
