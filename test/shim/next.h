/* What a preloaded function hides. */
#ifndef NEXT_H
#define NEXT_H

#include <dlfcn.h>

/* The function that is hidden by ours of the same name. (ISO C has no cast from void * to it.) */
#define NEXT(name)                                                                                 \
	union {                                                                                    \
		void *object;                                                                      \
		__typeof__(&name) function;                                                        \
	} next = {.object = dlsym(RTLD_NEXT, #name)}

#endif
