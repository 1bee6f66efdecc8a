/* SPDX-License-Identifier: MIT */
#ifndef GP_FUZZ_EDGE_RUN_H
#define GP_FUZZ_EDGE_RUN_H

#include "base/buf.h"
#include "proto/edge.h"

/* A conversation made of arbitrary bytes, played all at once and byte by byte. The first byte
 * chooses the configuration, then come events, separated by bytes 0xff:
 *
 *	C text    the client sends text          B text    the backend does
 *	T         the handshake ended            U, F      the backend is up (F: facts to tell)
 *	X, Y      the client, the backend closed Ed Es El Eb  the caller ends the session
 *
 * What cannot come (no handshake was begun, the backend is not up ...) is passed over, as the
 * daemon would do. START comes by itself. */

/* In this run the client has shown a certificate of the account "alice". */
extern bool edge_run_has_account;

/* ... and is logged in by XCLIENT LOGIN (SMTP), which waits for its AUTH. */
extern bool edge_run_waits_for_auth;

/* Looks at every SEND of the run that is all at once. */
struct edge_watch {
	void (*reset)(void);
	void (*to_client)(const uint8_t *data, size_t len, bool in_tls);
	void (*to_backend)(const uint8_t *data, size_t len);
	void (*facts)(void); /* the engine was given facts to tell */
};

/* Ends the program by abort() when a promise of edge.h is broken. */
void edge_run(const struct gp_edge_ops *ops, const struct edge_watch *watch, const uint8_t *data,
	      size_t len);

#endif
