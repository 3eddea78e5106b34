#include "sys/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "sys/io.h"
#include "sys/signals.h"

#define STOP_GRACE (500 * CLOCK_MILLISECOND)
#define STOP_PAUSE (5 * CLOCK_MILLISECOND)

/* Whether dir/name is a program that we may run; if not, errno is what execve(2) would give. */
static bool is_program(const char *dir, size_t dir_len, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int len = snprintf(path, sizeof(path), "%.*s%s%s", (int)dir_len, dir,
	    dir_len == 0 ? "" : "/", name);

	if (len >= (int)sizeof(path) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == -1 ||
	    stat(path, &st) == -1)
		return false;
	errno = S_ISREG(st.st_mode) ? 0 : EACCES;
	return errno == 0;
}

int command_check(char *const argv[], struct err *err)
{
	const char *dir = getenv("PATH");

	if (argv[0][0] == '\0')
		return err_set(err, ERR_FAILED, 0, "a command without a name cannot be run");
	if (strchr(argv[0], '/') != NULL || dir == NULL) {
		if (strchr(argv[0], '/') == NULL || is_program("", 0, argv[0]))
			return 0;
		return err_sys(err, "%s", argv[0]);
	}
	for (;;) {
		size_t len = strcspn(dir, ":");
		if (is_program(dir, len, argv[0]))
			return 0;
		if (dir[len] == '\0')
			return err_set(err, ERR_FAILED, 0, "%s: command not found", argv[0]);
		dir += len + 1;
	}
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

/*
 * Returns 0 or an errno. Every error counts: a command without the pipe's end as its child_fd would
 * use ours.
 */
static int spawn_with(struct command *command, const posix_spawnattr_t *attr, char *const list[],
    int child_fd, int child_end)
{
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	error = posix_spawn_file_actions_adddup2(&actions, child_end, child_fd);
	if (error == 0)
		error = posix_spawnp(&command->pid, command->argv[0], &actions, attr, command->argv,
		    list);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* Unblocks, for the command, the signals that we block for ourselves (workers.h blocks SIGCHLD). */
static void set_mask(posix_spawnattr_t *attr)
{
	sigset_t mask;
	sigset_t queries;

	signals_queries(&queries);
	sigaddset(&queries, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigismember(&queries, sig) == 1)
			sigdelset(&mask, sig);
	}
	posix_spawnattr_setsigmask(attr, &mask);
}

/*
 * The command gets the default action for the signals that we ignore, as it would from a shell.
 * Returns 0 or an errno.
 */
static int spawn(struct command *command, char *const list[], int child_fd, int child_end)
{
	posix_spawnattr_t attr;
	sigset_t defaults;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGXFSZ);
	int error = posix_spawnattr_init(&attr);
	if (error != 0)
		return error;
	posix_spawnattr_setsigdefault(&attr, &defaults);
	set_mask(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	error = spawn_with(command, &attr, list, child_fd, child_end);
	posix_spawnattr_destroy(&attr);
	return error;
}

/* Returns 0 or an errno. */
static int spawn_in(struct command *command, char *const variables[], int child_fd, int child_end)
{
	char **list = environment(variables);

	if (list == NULL)
		return ENOMEM;
	int error = spawn(command, list, child_fd, child_end);
	free(list);
	return error;
}

static int launch(struct command *command, char *const variables[], int child_fd, int child_end,
    struct err *err)
{
	int error = spawn_in(command, variables, child_fd, child_end);

	if (error != 0) {
		command->pid = 0;
		return err_set(err, ERR_FAILED, error, "%s", command->argv[0]);
	}
	command->pidfd = pidfd_open(command->pid, 0);
	if (command->pidfd != -1)
		return 0;
	err_sys(err, "%s: pidfd_open", command->argv[0]);
	command_stop(command);
	return -1;
}

int command_start(struct command *command, char *const argv[], char *const variables[],
    int child_fd, int *pipe, struct err *err)
{
	int pair[2];
	int ours = child_fd == STDIN_FILENO ? 1 : 0;

	*command = (struct command){.argv = argv, .pidfd = -1};
	if (io_open_pipe(pair, ours, err) == -1)
		return err_prefix(err, "pipe");
	int status = launch(command, variables, child_fd, pair[1 - ours], err);
	close(pair[1 - ours]);
	if (status == -1)
		close(pair[ours]);
	else
		*pipe = pair[ours];
	return status;
}

static void clear_process(struct command *command)
{
	if (command->pidfd != -1)
		close(command->pidfd);
	command->pidfd = -1;
	command->pid = 0;
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

int command_wait(struct command *command, int64_t deadline, struct err *err)
{
	int status;

	if (io_wait(command->pidfd, POLLIN, deadline, err) == -1)
		return err_prefix(err, "%s", command->argv[0]);
	if (waitpid(command->pid, &status, 0) == -1)
		return err_sys(err, "%s: waitpid", command->argv[0]);
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
