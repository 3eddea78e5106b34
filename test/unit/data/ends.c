/* What a command is told of who is connected. */
#include "data/ends.h"

#include "check.h"

static void check_variables(const char *peer, const char *local, const char *first,
    const char *second)
{
	struct err err = {.kind = ERR_NONE};
	char **list = ends_variables(&(struct ends){.peer = peer, .local = local}, &err);

	if (!CHECK(list != NULL))
		return;
	CHECK_STR(list[0], first);
	CHECK_STR(list[1], second);
	CHECK(list[2] == NULL);
	free(list);
}

static void known(void)
{
	char peer[1000];
	char variable[1100];

	check_variables("192.0.2.7:9009", "unix:/run/x", "SOCKXFER_PEER=192.0.2.7:9009",
	    "SOCKXFER_LOCAL=unix:/run/x");
	check_variables("unix:", "", "SOCKXFER_PEER=unix:", "SOCKXFER_LOCAL=");
	check_row("a long one is not cut");
	memset(peer, 'x', sizeof(peer));
	peer[sizeof(peer) - 1] = '\0';
	snprintf(variable, sizeof(variable), "SOCKXFER_PEER=%s", peer);
	check_variables(peer, "", variable, "SOCKXFER_LOCAL=");
}

static void unknown(void)
{
	check_variables("", "", "SOCKXFER_PEER", "SOCKXFER_LOCAL");
	check_variables("", "192.0.2.7:9009", "SOCKXFER_PEER", "SOCKXFER_LOCAL");
}

int main(void)
{
	promise("a variable for each end, with the whole of it", known);
	promise("of an unknown peer there is neither, nor what tells of another", unknown);
	return check_end();
}
