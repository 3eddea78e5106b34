/*
 * The address parser: what it takes it shows again so that it takes it for the same, and what it
 * refuses it explains. And any socket's address has a text that fits.
 */
#include "net/addr.h"

#include <netinet/in.h>

#include "fuzz.h"

static bool same(const struct addr *a, const struct addr *b)
{
	return a->kind == b->kind && strcmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0 && strcmp(a->path, b->path) == 0 && a->fd == b->fd;
}

static void must_be_refusal(const struct err *err)
{
	MUST(err->kind == ERR_USAGE);
	MUST(err->errnum == 0);
	MUST(memchr(err->text, '\0', sizeof(err->text)) != NULL);
	MUST(err->text[0] != '\0');
}

/* What every struct addr that a parser has filled promises. */
static void must_be_addr(const struct addr *addr, enum addr_use use)
{
	MUST(memchr(addr->host, '\0', sizeof(addr->host)) != NULL);
	MUST(memchr(addr->port, '\0', sizeof(addr->port)) != NULL);
	MUST(memchr(addr->path, '\0', sizeof(addr->path)) != NULL);
	MUST((addr->kind == ADDR_INET || addr->kind == ADDR_UDP) == (addr->port[0] != '\0'));
	MUST((addr->kind == ADDR_UNIX) == (addr->path[0] != '\0'));
	MUST((addr->kind == ADDR_FD) == (addr->fd >= 0));
	MUST(addr->port[0] != '\0' || addr->host[0] == '\0');
	MUST(addr->kind == ADDR_INET || use != ADDR_SOURCE);
	if (addr->port[0] != '\0' && use == ADDR_CONNECT) {
		MUST(addr->host[0] != '\0');
		MUST(strcmp(addr->port, "0") != 0);
	}
}

static void try_use(const char *input, enum addr_use use)
{
	struct addr addr;
	struct addr again;
	struct err err = {.kind = ERR_NONE};
	char text[ADDR_TEXT_MAX];

	if (addr_parse(&addr, input, use, &err) == -1) {
		must_be_refusal(&err);
		return;
	}
	MUST(err.kind == ERR_NONE);
	must_be_addr(&addr, use);
	addr_text(&addr, text);
	MUST(strlen(text) < ADDR_TEXT_MAX - 1); /* not cut */
	MUST(addr_parse(&again, text, use, &err) == 0);
	MUST(same(&addr, &again));
}

static void try_port(const char *input)
{
	struct addr addr;
	struct err err = {.kind = ERR_NONE};

	if (addr_parse_port(&addr, input, &err) == -1) {
		must_be_refusal(&err);
		return;
	}
	must_be_addr(&addr, ADDR_LISTEN);
	MUST(addr.kind == ADDR_INET && addr.host[0] == '\0');
}

/* The input as what the kernel says of a socket. */
static void try_format(const uint8_t *data, size_t size, sa_family_t family, size_t len)
{
	struct sockaddr_storage storage = {.ss_family = 0};
	char text[ADDR_TEXT_MAX];
	size_t head = sizeof(family);

	if (len > head && size > 0)
		memcpy((char *)&storage + head, data, size < len - head ? size : len - head);
	storage.ss_family = family;
	memset(text, 'x', sizeof(text));
	addr_format((struct sockaddr *)&storage, (socklen_t)len, text);
	MUST(memchr(text, '\0', sizeof(text)) != NULL);
	MUST(text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t head = sizeof(sa_family_t);
	size_t unix_len = head + size;
	char *text = fuzz_text(data, size);

	try_use(text, ADDR_CONNECT);
	try_use(text, ADDR_LISTEN);
	try_use(text, ADDR_SOURCE);
	try_port(text);
	free(text);
	if (unix_len > sizeof(struct sockaddr_un))
		unix_len = sizeof(struct sockaddr_un);
	try_format(data, size, AF_UNIX, unix_len);
	try_format(data, size, AF_INET, sizeof(struct sockaddr_in));
	try_format(data, size, AF_INET6, sizeof(struct sockaddr_in6));
	return 0;
}
