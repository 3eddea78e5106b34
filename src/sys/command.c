#include "sys/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "sys/descriptor.h"
#include "sys/io.h"
#include "sys/signals.h"

#define STOP_GRACE (500 * CLOCK_MILLISECOND)
#define STOP_PAUSE (5 * CLOCK_MILLISECOND)

/*
 * Whether path, which becomes dir/name, is a program that we may run; if not, errno is what
 * execve(2) would give.
 */
static bool is_program(char path[PATH_MAX], const char *dir, size_t dir_len, const char *name)
{
	struct stat st;
	int len =
	    snprintf(path, PATH_MAX, "%.*s%s%s", (int)dir_len, dir, dir_len == 0 ? "" : "/", name);

	if (len >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (descriptor_access(AT_FDCWD, path, X_OK) == -1 || stat(path, &st) == -1)
		return false;
	errno = S_ISREG(st.st_mode) ? 0 : EACCES;
	return errno == 0;
}

/* Looks for a program along PATH, as a shell would. Returns 0, or -1 with ERR_FAILED. */
static int find_program(const char *name, char path[PATH_MAX], struct err *err)
{
	const char *dir = getenv("PATH");

	if (name[0] == '\0')
		return err_set(err, ERR_FAILED, 0, "a command without a name cannot be run");
	if (strchr(name, '/') != NULL)
		return is_program(path, "", 0, name) ? 0 : err_sys(err, "%s", name);
	if (dir == NULL)
		dir = _PATH_DEFPATH;
	for (;;) {
		size_t len = strcspn(dir, ":");
		if (is_program(path, dir, len, name))
			return 0;
		if (dir[len] == '\0')
			return err_set(err, ERR_FAILED, 0, "%s: command not found", name);
		dir += len + 1;
	}
}

int command_check(char *const argv[], struct err *err)
{
	char path[PATH_MAX];

	return find_program(argv[0], path, err);
}

static size_t count_of(char *const *list)
{
	size_t count = 0;

	while (list[count] != NULL)
		count++;
	return count;
}

/* Whether variables set or remove the variable that entry, "NAME=value", sets. */
static bool is_replaced(const char *entry, char *const variables[])
{
	for (; *variables != NULL; variables++) {
		size_t len = strcspn(*variables, "=");
		if (strncmp(entry, *variables, len) == 0 && entry[len] == '=')
			return true;
	}
	return false;
}

/*
 * Returns our environment with the changes in variables, a list to be freed whose strings are not
 * copied, or NULL if memory is short.
 */
static char **environment(char *const variables[])
{
	size_t count = 0;
	char **list = calloc(count_of(environ) + count_of(variables) + 1, sizeof(*list));

	if (list == NULL)
		return NULL;
	for (size_t i = 0; environ[i] != NULL; i++) {
		if (!is_replaced(environ[i], variables))
			list[count++] = environ[i];
	}
	for (size_t i = 0; variables[i] != NULL; i++) {
		if (strchr(variables[i], '=') != NULL)
			list[count++] = variables[i];
	}
	return list;
}

static void clear_process(struct command *command)
{
	if (command->ended != -1)
		close(command->ended);
	command->ended = -1;
	command->pid = 0;
}

/* A command that is to be started, and where. */
struct start {
	const char *path;
	char *const *argv;
	char *const *variables;          /* its whole environment */
	const struct rlimit *core_limit; /* or NULL: ours */
	sigset_t mask;                   /* the signals that it blocks */
	int child_fd;                    /* the descriptor to become the pipe's end */
	int child_end;
};

/* Unblocks, for the command, the signals that we block for ourselves (SIGCHLD: command_start()). */
static void set_mask(sigset_t *mask)
{
	sigset_t queries;

	signals_queries(&queries);
	sigaddset(&queries, SIGCHLD);
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigismember(&queries, sig) == 1)
			sigdelset(mask, sig);
	}
}

/* Gives the default action to signals that have a handler of ours, and to those that we ignore. */
static void reset_signals(void)
{
	struct sigaction action;

	for (int sig = 1; sig < NSIG; sig++) {
		if (sigaction(sig, NULL, &action) == -1 || action.sa_handler == SIG_DFL)
			continue;
		if (action.sa_handler != SIG_IGN || sig == SIGPIPE || sig == SIGXFSZ)
			signal(sig, SIG_DFL);
	}
}

/*
 * Becomes the command. Other threads may run in the parent, so this makes system calls only. What
 * fails, an errno, is told through the descriptor report, which the command does not inherit.
 */
_Noreturn static void become(const struct start *start, int report)
{
	int error = 0;

	reset_signals();
	pthread_sigmask(SIG_SETMASK, &start->mask, NULL);
	if (start->core_limit != NULL)
		(void)setrlimit(RLIMIT_CORE, start->core_limit);
	if (dup2(start->child_end, start->child_fd) != -1)
		execve(start->path, start->argv, start->variables);
	error = errno;
	_exit(write(report, &error, sizeof(error)) == -1 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Returns what become() has told, an errno, or 0 at the end of the pipe: the command runs. */
static int read_report(int report)
{
	int error = 0;
	ssize_t n;

	do {
		n = read(report, &error, sizeof(error));
	} while (n == -1 && errno == EINTR);
	return n == -1 ? errno : error;
}

/*
 * Starts the command by fork(2) and execve(2): where clone3(2) is denied, posix_spawn(3) fails.
 * Signals are blocked, so that no handler of ours takes one that is meant for the command. Returns
 * the process id, which is to be waited for, or -1; *error becomes 0 or an errno.
 */
static pid_t spawn(struct start *start, int *error)
{
	sigset_t all;
	int report[2];

	if (pipe2(report, O_CLOEXEC) == -1) {
		*error = errno;
		return -1;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &start->mask);
	sigset_t old = start->mask;
	set_mask(&start->mask);
	pid_t pid = fork();
	if (pid == 0)
		become(start, report[1]);
	*error = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(report[1]);
	if (pid != -1)
		*error = read_report(report[0]);
	close(report[0]);
	return pid;
}

/* Returns 0, or -1 with ERR_FAILED. */
static int spawn_with(struct command *command, struct start *start, struct err *err)
{
	int error;
	pid_t pid = spawn(start, &error);

	command->pid = pid == -1 ? 0 : pid;
	if (error == 0)
		return 0;
	command_stop(command);
	clear_process(command);
	return err_set(err, ERR_FAILED, error, "%s", command->argv[0]);
}

static int launch(struct command *command, const struct rlimit *core_limit, char *const variables[],
    int child_fd, int child_end, struct err *err)
{
	char path[PATH_MAX];
	struct start start = {.path = path, .argv = command->argv, .core_limit = core_limit};

	start.child_fd = child_fd;
	start.child_end = child_end;
	if (find_program(command->argv[0], path, err) == -1)
		return -1;
	command->ended = signals_watch_children(err);
	if (command->ended == -1)
		return err_prefix(err, "%s", command->argv[0]);
	char **list = environment(variables);
	if (list == NULL) {
		err_sys(err, "%s", command->argv[0]);
		clear_process(command);
		return -1;
	}
	start.variables = list;
	int status = spawn_with(command, &start, err);
	free(list);
	return status;
}

int command_start(struct command *command, const struct command_line *line, char *const variables[],
    int child_fd, int *pipe, struct err *err)
{
	int pair[2];
	int ours = child_fd == STDIN_FILENO ? 1 : 0;

	*command = (struct command){.argv = line->argv, .ended = -1};
	if (io_open_pipe(pair, ours, err) == -1)
		return err_prefix(err, "pipe");
	int status = launch(command, line->core_limit, variables, child_fd, pair[1 - ours], err);
	close(pair[1 - ours]);
	if (status == -1)
		close(pair[ours]);
	else
		*pipe = pair[ours];
	return status;
}

static int check_exit_status(const struct command *command, int status, struct err *err)
{
	const char *name = command->argv[0];

	if (WIFSIGNALED(status))
		return err_set(err, ERR_FAILED, 0, "%s: killed by signal %d (%s)", name,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, ERR_FAILED, 0, "%s: exited with status %d", name,
		    WEXITSTATUS(status));
	return 0;
}

bool command_has_ended(const struct command *command)
{
	siginfo_t info = {.si_pid = 0};
	const int how = WEXITED | WNOHANG | WNOWAIT;

	return waitid(P_PID, (id_t)command->pid, &info, how) == -1 || info.si_pid != 0;
}

int command_wait(struct command *command, int64_t deadline, struct err *err)
{
	int status;
	pid_t pid;

	for (;;) {
		signals_forget_children(
		    command->ended); /* first: the look comes after the signal */
		pid = waitpid(command->pid, &status, WNOHANG);
		if (pid == -1)
			return err_sys(err, "%s: waitpid", command->argv[0]);
		if (pid != 0)
			break;
		if (io_wait(command->ended, POLLIN, deadline, err) == -1)
			return err_prefix(err, "%s", command->argv[0]);
	}
	status = check_exit_status(command, status, err);
	clear_process(command);
	return status;
}

void command_stop(struct command *command)
{
	static const struct timespec pause = {.tv_nsec = STOP_PAUSE};
	int64_t kill_at = deadline_after(STOP_GRACE);

	if (command->pid == 0)
		return;
	/* Not io_sleep(): it would return at once after a signal, which is often why we stop. */
	kill(command->pid, SIGTERM);
	while (waitpid(command->pid, NULL, WNOHANG) == 0) {
		if (clock_now() >= kill_at)
			kill(command->pid, SIGKILL);
		nanosleep(&pause, NULL);
	}
	clear_process(command);
}
