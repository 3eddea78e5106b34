/*
 * Preloaded (LD_PRELOAD), this stops the program just before main(), until it gets SIGCONT; so a tracer
 * that attaches meanwhile sees the program's own calls, and not the loader's. The commands that it starts
 * are not stopped.
 */
#include <signal.h>
#include <stdlib.h>

__attribute__((constructor)) static void pause_program(void)
{
	unsetenv("LD_PRELOAD");
	raise(SIGSTOP);
}
