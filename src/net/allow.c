#include "net/allow.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

/* Room for a network, "/128" included. */
#define TEXT_MAX (INET6_ADDRSTRLEN + 8)

/* The part of an IPv6 address that a host does not choose by itself (RFC 4291, 2.5.1). */
#define HOST_BITS 64

#define MAPPED_BITS 96

static unsigned bits_of(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* Turns an IPv4 address mapped into IPv6, or a network of such addresses, into the IPv4 one. */
static void unmap(struct allow_net *net)
{
	static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

	if (net->family != AF_INET6 || net->bits < MAPPED_BITS ||
	    memcmp(net->bytes, mapped, sizeof(mapped)) != 0)
		return;
	net->family = AF_INET;
	net->bits -= MAPPED_BITS;
	memmove(net->bytes, net->bytes + sizeof(mapped), 4);
}

static void clear_behind(struct allow_net *net)
{
	for (unsigned i = net->bits; i < bits_of(net->family); i++)
		net->bytes[i / 8] &= (uint8_t) ~(0x80U >> i % 8);
}

/* Bits that are set behind the prefix are a slip in the address or in the prefix length. */
static int check_behind(const struct allow_net *net, const char *address, struct err *err)
{
	struct allow_net cleared = *net;
	char text[INET6_ADDRSTRLEN];

	clear_behind(&cleared);
	if (memcmp(cleared.bytes, net->bytes, bits_of(net->family) / 8) == 0)
		return 0;
	inet_ntop(cleared.family, cleared.bytes, text, sizeof(text));
	return err_set(err, ERR_USAGE, 0,
	    "%s/%u has bits set behind its prefix: the network is %s/%u, the address alone %s",
	    address, net->bits, text, net->bits, address);
}

static int no_address(const char *text, size_t len, struct err *err)
{
	return err_set(err, ERR_USAGE, 0,
	    "\"%.*s\" is no address: one of IPv4 or IPv6 is needed, or a network such as 192.0.2.0/24",
	    (int)len, text);
}

static int parse_address(struct allow_net *net, const char *text, struct err *err)
{
	if (strchr(text, '%') != NULL)
		return err_set(err, ERR_USAGE, 0,
		    "%s: an address is taken without its scope, whatever the interface", text);
	net->family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
	net->bits = bits_of(net->family);
	if (inet_pton(net->family, text, net->bytes) == 1)
		return 0;
	return no_address(text, strlen(text), err);
}

/* Reads text, which stands between two commas; cuts it at the slash. */
static int parse(struct allow_net *net, char *text, struct err *err)
{
	char *prefix = strchr(text, '/');

	if (prefix != NULL)
		*prefix++ = '\0';
	if (parse_address(net, text, err) == -1)
		return -1;
	if (prefix != NULL) {
		long long bits = number_integer(prefix, 0, bits_of(net->family), err);
		if (bits == -1)
			return err_prefix(err, "%s/%s: prefix length", text, prefix);
		net->bits = (unsigned)bits;
	}
	if (check_behind(net, text, err) == -1)
		return -1;
	unmap(net);
	return 0;
}

static int add_one(struct allow_list *list, const char *text, size_t len, struct err *err)
{
	struct allow_net net = {.family = AF_UNSPEC};
	char copy[TEXT_MAX];

	if (len >= sizeof(copy))
		return no_address(text, len, err);
	snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
	if (parse(&net, copy, err) == -1)
		return -1;
	if (list->count == ALLOW_MAX)
		return err_set(err, ERR_USAGE, 0, "%.*s is one too many: up to %d are possible",
		    (int)len, text, ALLOW_MAX);
	list->net[list->count++] = net;
	return 0;
}

int allow_add(struct allow_list *list, const char *text, struct err *err)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		if (add_one(list, text, len, err) == -1)
			return -1;
		if (text[len] == '\0')
			return 0;
		text += len + 1;
	}
}

static bool contains(const struct allow_net *net, const struct allow_net *address)
{
	unsigned whole = net->bits / 8;
	unsigned rest = net->bits % 8;

	if (net->family != address->family || memcmp(net->bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 || (net->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

/* Returns the network of this address alone; a family that no list holds stays as it is. */
static struct allow_net alone(const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
	struct allow_net net = {.family = sa->sa_family, .bits = bits_of(sa->sa_family)};

	if (sa->sa_family == AF_INET)
		memcpy(net.bytes, &in->sin_addr, sizeof(in->sin_addr));
	else if (sa->sa_family == AF_INET6)
		memcpy(net.bytes, &in6->sin6_addr, sizeof(in6->sin6_addr));
	unmap(&net);
	return net;
}

bool allow_matches(const struct allow_list *list, const struct sockaddr *sa)
{
	struct allow_net address = alone(sa);

	for (size_t i = 0; i < list->count; i++) {
		if (contains(&list->net[i], &address))
			return true;
	}
	return false;
}

bool allow_admits(const struct allow_list *list, const struct sockaddr *sa)
{
	return list->count == 0 || allow_matches(list, sa);
}

bool allow_same_host(const struct sockaddr *a, const struct sockaddr *b)
{
	struct allow_net one = alone(a);
	struct allow_net other = alone(b);

	if (one.family == AF_INET6)
		one.bits = HOST_BITS;
	return (one.family == AF_INET || one.family == AF_INET6) && contains(&one, &other);
}
