/* For the tests of files: where the file system has no O_TMPFILE, they have to come about, too. */
#ifndef NO_TMPFILE_H
#define NO_TMPFILE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "check.h"

/* Makes open(2) with O_TMPFILE fail for the rest of the process, as it does on many file systems. */
static inline void forbid_tmpfile(void)
{
	const uint32_t flags = (uint32_t)offsetof(struct seccomp_data, args[2]) +
	                       (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ROWS(filter), .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		check_skip();
	CHECK_INT(open(".", O_TMPFILE | O_WRONLY, 0600), -1);
	CHECK_INT(errno, EOPNOTSUPP);
}

static void (*tried)(void);

static inline void without_tmpfile(void)
{
	forbid_tmpfile();
	tried();
}

/* A promise about files has to be kept with and without O_TMPFILE. */
static inline void promise_both(const char *text, void (*try)(void))
{
	char other[200];

	tried = try;
	snprintf(other, sizeof(other), "%s, also without O_TMPFILE", text);
	promise(text, try);
	promise(other, without_tmpfile);
}

#endif
