#include "data/ends.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEER "SOCKXFER_PEER"
#define LOCAL "SOCKXFER_LOCAL"

const struct ends ends_unknown = {.peer = "", .local = ""};

char **ends_variables(const struct ends *ends, struct err *err)
{
	const char *equals = ends->peer[0] != '\0' ? "=" : "";
	size_t peer_size = sizeof(PEER "=") + strlen(ends->peer);
	size_t local_size = sizeof(LOCAL "=") + strlen(ends->local);
	const size_t count = 2;

	char **list = malloc((count + 1) * sizeof(*list) + peer_size + local_size);
	if (list == NULL) {
		err_sys(err, "environment");
		return NULL;
	}
	list[0] = (char *)(list + count + 1);
	list[1] = list[0] + peer_size;
	list[count] = NULL;
	snprintf(list[0], peer_size, "%s%s%s", PEER, equals, ends->peer);
	snprintf(list[1], local_size, "%s%s%s", LOCAL, equals,
	    equals[0] == '\0' ? "" : ends->local);
	return list;
}
