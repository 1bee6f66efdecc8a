/* SPDX-License-Identifier: MIT */
#include "dns/stub.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* libresolv asks the servers of resolv.conf, and knows no other way to name one with an IPv6 address.
 * So it makes the question only. */

enum { PACKET_SIZE = 4096, DNS_PORT = 53, TRIES = 3, PATIENCE_MS = 2000 };

static int connect_to(const struct gp_endpoint *server)
{
	const struct sockaddr_in ip4 = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	const struct sockaddr_in6 ip6 = { .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT) };
	union {
		struct sockaddr any;
		struct sockaddr_in ip4;
		struct sockaddr_in6 ip6;
	} address = { .ip6 = ip6 };
	socklen_t len = sizeof(ip6);
	int fd;

	memcpy(&address.ip6.sin6_addr, server->ip, 16);
	if (server->family == GP_ENDPOINT_IP4) {
		address.ip4 = ip4;
		memcpy(&address.ip4.sin_addr, server->ip, 4);
		len = sizeof(ip4);
	}
	fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, &address.any, len) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The AD bit in a question asks for that of the answer (RFC 6840 section 5.7). */
static int make_question(const char *name, unsigned char out[static PACKET_SIZE])
{
	struct __res_state state = { .nscount = 0 };
	HEADER header;
	int len;

	if (res_ninit(&state) != 0)
		return -1;
	len = res_nmkquery(&state, ns_o_query, name, ns_c_in, ns_t_soa, NULL, 0, NULL, out,
			   PACKET_SIZE);
	res_nclose(&state);
	if (len < (int)sizeof(header))
		return -1;
	memcpy(&header, out, sizeof(header));
	header.ad = 1;
	memcpy(out, &header, sizeof(header));
	return len;
}

/* The header of the answer. A question or its answer may be lost. */
static bool ask(int fd, const unsigned char *question, size_t len, HEADER *header_out)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	unsigned char answer[PACKET_SIZE];

	for (int i = 0; i < TRIES; i++) {
		if (send(fd, question, len, MSG_NOSIGNAL) != (ssize_t)len)
			return false;
		while (poll(&readable, 1, PATIENCE_MS) > 0) {
			ssize_t got = recv(fd, answer, sizeof(answer), 0);

			if (got < 0)
				return false;
			memcpy(header_out, answer, sizeof(*header_out));
			if (got >= (ssize_t)sizeof(*header_out) && header_out->qr &&
			    !memcmp(answer, question, sizeof(uint16_t)))
				return true;
		}
	}
	return false;
}

bool gp_stub_vouches(const struct gp_endpoint *server, const char *name)
{
	unsigned char question[PACKET_SIZE];
	int len = make_question(name, question), fd = len > 0 ? connect_to(server) : -1;
	HEADER header;
	bool vouches = fd >= 0 && ask(fd, question, (size_t)len, &header) &&
		       header.rcode == ns_r_noerror && header.ad;

	if (fd >= 0)
		close(fd);
	return vouches;
}
