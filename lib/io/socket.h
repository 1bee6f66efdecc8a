/* SPDX-License-Identifier: MIT */
#ifndef GP_IO_SOCKET_H
#define GP_IO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/endpoint.h"

/* Where to connect or listen: an address with port, or the path of a unix socket. */
struct gp_socket_address {
	struct sockaddr_storage storage;
	socklen_t len;
};

/* From an endpoint with an IP address. */
void gp_socket_address_from_endpoint(const struct gp_endpoint *endpoint,
				     struct gp_socket_address *out);
/* GP_OK, or GP_E_LIMIT when the path is too long for a socket address. */
int gp_socket_address_from_path(const char *path, struct gp_socket_address *out);

/* The endpoint in a socket address; IPv4 in IPv6 is unmapped. */
void gp_endpoint_from_sockaddr(const struct sockaddr_storage *storage, struct gp_endpoint *out);

/* A listening, non-blocking, close-on-exec socket; GP_E_IO with errno otherwise. */
int gp_socket_listen(const struct gp_socket_address *address, int *fd_out);

/* Begin to connect; the socket becomes writable when it is done. GP_OK or GP_E_IO. */
int gp_socket_connect(const struct gp_socket_address *address, int *fd_out);

/* Has it been made? (If not, and there is no gp_socket_error, wait until it is writable.) */
bool gp_socket_is_connected(int fd);

/* How a connection attempt ended: 0, or its errno. */
int gp_socket_error(int fd);

/* What every TCP connection gets: no Nagle delays, and an end to dead peers. Accepted connections
 * have it from their listening socket. */
void gp_socket_tune(int fd);

/* Send one message with descriptors over a SOCK_SEQPACKET socket. GP_OK, GP_AGAIN or GP_E_IO. */
int gp_socket_send_fds(int sock, const void *data, size_t len, const int *fds, size_t fd_count);

/* Receive one. *len_out is 0 at the end. The descriptors are close-on-exec and the caller's.
 * GP_E_LIMIT: it did not fit; its descriptors were closed. */
int gp_socket_receive_fds(int sock, void *data, size_t size, size_t *len_out, int *fds,
			  size_t fd_max, size_t *fd_count_out);

enum { GP_SOCKET_FDS_MAX = 250 };

#endif
