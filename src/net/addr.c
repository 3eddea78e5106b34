#include "net/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define PORT_MAX 65535

static bool is_service_name(const char *text)
{
	if (!isalpha((unsigned char)*text))
		return false;
	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && strchr("-_+.", *text) == NULL)
			return false;
	}
	return true;
}

static int set_port(struct addr *addr, const char *text, enum addr_use use, struct err *err)
{
	long long min = use == ADDR_CONNECT ? 1 : 0;

	if (is_service_name(text)) {
		if (strlcpy(addr->port, text, sizeof(addr->port)) < sizeof(addr->port))
			return 0;
		return err_set(err, ERR_USAGE, 0, "port \"%s\" is too long", text);
	}
	long long port = number_integer(text, min, PORT_MAX, err);
	if (port == -1)
		return -1;
	snprintf(addr->port, sizeof(addr->port), "%lld", port);
	return 0;
}

static int set_host(struct addr *addr, const char *host, size_t len, struct err *err)
{
	if (len >= sizeof(addr->host))
		return err_set(err, ERR_USAGE, 0,
		    "the host name is too long: it may have at most %zu bytes",
		    sizeof(addr->host) - 1);
	memcpy(addr->host, host, len);
	addr->host[len] = '\0';
	if (strcmp(addr->host, "*") == 0)
		addr->host[0] = '\0';
	return 0;
}

static int parse_unix(struct addr *addr, const char *path, struct err *err)
{
	addr->kind = ADDR_UNIX;
	if (*path == '\0')
		return err_set(err, ERR_USAGE, 0, "unix: needs a path, as in unix:/tmp/socket");
	if (strlcpy(addr->path, path, sizeof(addr->path)) >= sizeof(addr->path))
		return err_set(err, ERR_USAGE, 0,
		    "unix:%s: the path is too long: a socket's may have at most %zu bytes", path,
		    sizeof(addr->path) - 1);
	return 0;
}

static int parse_fd(struct addr *addr, const char *text, struct err *err)
{
	long long fd = number_integer(text, 0, INT32_MAX, err);

	addr->kind = ADDR_FD;
	addr->fd = (int)fd;
	return fd == -1 ? err_prefix(err, "fd:%s: descriptor", text) : 0;
}

/* Finds the host, between brackets or before the colon, and *rest, the text behind it. */
static int split_host(const char *text, const char **host, size_t *len, const char **rest,
    struct err *err)
{
	if (*text == '[') {
		const char *end = strchr(text, ']');
		if (end == NULL)
			return err_set(err, ERR_USAGE, 0, "%s: \"]\" is missing", text);
		*host = text + 1;
		*len = (size_t)(end - *host);
		*rest = end + 1;
		return 0;
	}
	*host = text;
	*len = strcspn(text, ":");
	*rest = text + *len;
	return 0;
}

static bool is_ipv6(const char *text)
{
	struct in6_addr in6;

	return inet_pton(AF_INET6, text, &in6) == 1;
}

/* Only an IPv6 address may be in brackets, with or without a scope, as in fe80::1%eth0. */
static int check_brackets(const char *host, size_t len, struct err *err)
{
	char address[ADDR_HOST_MAX];

	snprintf(address, sizeof(address), "%.*s", (int)len, host);
	address[strcspn(address, "%")] = '\0';
	if (is_ipv6(address))
		return 0;
	return err_set(err, ERR_USAGE, 0, "[%.*s]: only an IPv6 address is written in brackets",
	    (int)len, host);
}

/* Refuses words that are no address but show what was meant, with advice on how to write that. */
static int check_looks(const char *text, enum addr_use use, struct err *err)
{
	if (strpbrk(text, " \t\n") != NULL)
		return err_set(err, ERR_USAGE, 0, "\"%s\": there is no blank in a host or a port",
		    text);
	if (use == ADDR_LISTEN && strchr(text, ',') != NULL)
		return err_set(err, ERR_USAGE, 0,
		    "%s: it can only listen on one address, or with -p on all", text);
	if (*text == '/' && strchr(text, ':') == NULL)
		return err_set(err, ERR_USAGE, 0, "%s: a path is written unix:%s", text, text);
	return 0;
}

static int parse_inet(struct addr *addr, const char *text, enum addr_use use, struct err *err)
{
	const char *host = text;
	const char *rest = text;
	size_t len = 0;

	if (use == ADDR_SOURCE && is_ipv6(text)) { /* no port, so nothing is ambiguous */
		strlcpy(addr->port, "0", sizeof(addr->port));
		return set_host(addr, text, strlen(text), err);
	}
	if (check_looks(text, use, err) == -1 || split_host(text, &host, &len, &rest, err) == -1)
		return -1;
	if (*text != '[' && *rest == ':' && strchr(rest + 1, ':') != NULL)
		return err_set(err, ERR_USAGE, 0,
		    "%s: put an IPv6 address in brackets, as in '[2001:db8::1]:9009'", text);
	if (set_host(addr, host, len, err) == -1 ||
	    (*text == '[' && check_brackets(host, len, err) == -1))
		return -1;
	if (addr->host[0] == '\0' && use == ADDR_CONNECT)
		return err_set(err, ERR_USAGE, 0,
		    "%s: the host is missing: write host:port, or use -p to listen", text);
	if (*rest == '\0' && use == ADDR_SOURCE)
		return set_port(addr, "0", use, err);
	if (*rest != ':' && use == ADDR_LISTEN && number_is_decimal(text))
		return err_set(err, ERR_USAGE, 0, "%s: is a port: write -p %s, or :%s", text, text,
		    text);
	if (*rest != ':')
		return err_set(err, ERR_USAGE, 0,
		    "%s: the port is missing: write host:port, as in %s:9009", text, text);
	if (set_port(addr, rest + 1, use, err) == -1)
		return err_prefix(err, "%s: port", text);
	return 0;
}

/* Reads what is behind "udp:". */
static int parse_udp(struct addr *addr, const char *text, enum addr_use use, struct err *err)
{
	bool has_host = *text != ':' && strncmp(text, "*:", 2) != 0;

	addr->kind = ADDR_UDP;
	if (strchr(text, ':') == NULL)
		return err_set(err, ERR_USAGE, 0,
		    "udp:%s: write udp:host:port or, to receive on all addresses, udp::port", text);
	if (use == ADDR_CONNECT && !has_host)
		return err_set(err, ERR_USAGE, 0,
		    "udp:%s: the host is missing: write udp:host:port, or receive with -l udp:%s",
		    text, text);
	return parse_inet(addr, text, use, err) == -1 ? err_prefix(err, "udp") : 0;
}

int addr_parse(struct addr *addr, const char *text, enum addr_use use, struct err *err)
{
	*addr = (struct addr){.kind = ADDR_INET, .fd = -1};
	if (strncmp(text, "unix:", 5) == 0 && use != ADDR_SOURCE)
		return parse_unix(addr, text + 5, err);
	if (strncmp(text, "fd:", 3) == 0 && use != ADDR_SOURCE)
		return parse_fd(addr, text + 3, err);
	if (strncmp(text, "udp:", 4) == 0 && use != ADDR_SOURCE)
		return parse_udp(addr, text + 4, use, err);
	return parse_inet(addr, text, use, err);
}

int addr_parse_port(struct addr *addr, const char *text, struct err *err)
{
	*addr = (struct addr){.kind = ADDR_INET, .fd = -1};
	return set_port(addr, text, ADDR_LISTEN, err);
}

bool addr_is_group(const struct addr *addr)
{
	char host[ADDR_HOST_MAX];
	struct in_addr in;
	struct in6_addr in6;

	strlcpy(host, addr->host, sizeof(host));
	host[strcspn(host, "%")] = '\0';
	if (inet_pton(AF_INET, host, &in) == 1)
		return IN_MULTICAST(ntohl(in.s_addr));
	return inet_pton(AF_INET6, host, &in6) == 1 && IN6_IS_ADDR_MULTICAST(&in6);
}

void addr_text(const struct addr *addr, char *text)
{
	bool brackets = strchr(addr->host, ':') != NULL;

	switch (addr->kind) {
	case ADDR_INET:
	case ADDR_UDP:
		snprintf(text, ADDR_TEXT_MAX, brackets ? "%s[%s]:%s" : "%s%s:%s",
		    addr->kind == ADDR_UDP ? "udp:" : "", addr->host, addr->port);
		return;
	case ADDR_UNIX:
		snprintf(text, ADDR_TEXT_MAX, "unix:%s", addr->path);
		return;
	case ADDR_FD:
		snprintf(text, ADDR_TEXT_MAX, "fd:%d", addr->fd);
		return;
	}
}

static void format_inet(const struct sockaddr *sa, socklen_t len, char *text)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
	struct sockaddr_in in = {.sin_family = AF_INET};
	char host[INET6_ADDRSTRLEN + 32]; /* room for a scope, such as %eth0 */
	char port[8];

	if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		memcpy(&in.sin_addr, &in6->sin6_addr.s6_addr[12], sizeof(in.sin_addr));
		in.sin_port = in6->sin6_port;
		sa = (const struct sockaddr *)&in;
		len = sizeof(in);
	}
	if (getnameinfo(sa, len, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		strlcpy(text, "unknown address", ADDR_TEXT_MAX);
		return;
	}
	snprintf(text, ADDR_TEXT_MAX, sa->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static void format_unix(const struct sockaddr_un *sun, socklen_t len, char *text)
{
	size_t start = offsetof(struct sockaddr_un, sun_path);
	size_t size = len > start ? len - start : 0;

	if (size > 0 && sun->sun_path[0] == '\0') /* Linux's abstract names, unix(7) */
		snprintf(text, ADDR_TEXT_MAX, "unix:@%.*s", (int)size - 1, sun->sun_path + 1);
	else
		snprintf(text, ADDR_TEXT_MAX, "unix:%.*s", (int)size, sun->sun_path);
}

void addr_format(const struct sockaddr *sa, socklen_t len, char *text)
{
	if (sa->sa_family == AF_UNIX)
		format_unix((const struct sockaddr_un *)(const void *)sa, len, text);
	else
		format_inet(sa, len, text);
}
