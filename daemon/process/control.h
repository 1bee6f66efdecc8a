/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_CONTROL_H
#define GP_DAEMON_PROCESS_CONTROL_H

#include <stddef.h>
#include <stdint.h>

/* What supervisor and workers say to each other over a SOCK_SEQPACKET socket pair: one message
 * is one packet. The format is fixed by this table; raise the version with every change.
 *
 *   message          from        numbers           text            descriptors
 *   SETUP            supervisor  line, lines       -               configuration, certificates,
 *                                                                  tickets, counters, listeners...
 *   DRAIN            supervisor  ms                -               -
 *   READY            worker      -                 -               -
 *   SETUP_FAILED     worker      -                 sentence        -
 *   CLEARTEXT_LOGIN  worker      -                 name LF source  -
 *
 * The lines are those of the counters (counters.h): the process's own, and from which to which
 * those of its equals stand; the last one is not theirs any more. */
enum { GP_CONTROL_VERSION = 2, GP_CONTROL_TEXT_MAX = 1024, GP_CONTROL_SIZE_MAX = 1064 };
enum { GP_CONTROL_NUMBERS = 3 };

/* The time of a DRAIN that waits for the last session to end by itself. */
#define GP_DRAIN_FOREVER_MS (UINT64_MAX / 2)

enum gp_control_type {
	GP_CONTROL_SETUP = 1,
	GP_CONTROL_DRAIN,
	GP_CONTROL_READY,
	GP_CONTROL_SETUP_FAILED,
	GP_CONTROL_CLEARTEXT_LOGIN
};

/* The fixed descriptors of SETUP; the listeners follow in the order of the configuration. */
enum gp_setup_fd {
	GP_SETUP_FD_CONFIGURATION,
	GP_SETUP_FD_CERTIFICATES,
	GP_SETUP_FD_TICKETS,
	GP_SETUP_FD_COUNTERS,
	GP_SETUP_FDS
};

/* The descriptor at which a worker finds its end of the socket pair. */
enum { GP_CONTROL_FD = 3 };

/* The one at which a child finds a socket for syslog, which it may not open. */
enum { GP_SYSLOG_FD = 4 };

struct gp_control {
	enum gp_control_type type;
	uint64_t number[GP_CONTROL_NUMBERS];
	char text[GP_CONTROL_TEXT_MAX]; /* cut when too long */
};

/* Returns the length of the message. */
size_t gp_control_encode(const struct gp_control *control, uint8_t out[static GP_CONTROL_SIZE_MAX]);

/* GP_OK or GP_E_SYNTAX (also for another version). */
int gp_control_decode(const uint8_t *data, size_t len, struct gp_control *control_out);

/* Send with descriptors, receive with at most `fd_max`. As gp_socket_send_fds and
 * gp_socket_receive_fds; GP_E_NOT_FOUND when the other side is gone. */
int gp_control_send(int sock, const struct gp_control *control, const int *fds, size_t fd_count);
int gp_control_receive(int sock, struct gp_control *control_out, int *fds, size_t fd_max,
		       size_t *fd_count_out);

#endif
