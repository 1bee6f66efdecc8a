/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_BACKEND_TALK_H
#define GP_DAEMON_EDGE_BACKEND_TALK_H

#include "io/drive.h"
#include "proto/edge.h"

/* An edge engine that talks to a backend without a client, driven by gp_drive on a connection to
 * that backend. The user says what a client would say, and is told what one would hear. In this
 * order:
 *
 *	what a client says before there is a backend (XMPP), until the engine wants to dial
 *	`header`, START_TLS if the backend begins with it, BACKEND_UP
 *	what the backend says; and when all that has come was heard, what the client says next
 *
 * That the client waits for all that has come matters: what a backend says out of turn must not
 * count as the answer to a command that was sent later. */
struct gp_backend_talk {
	const struct gp_edge_ops *ops;
	struct gp_edge *edge;              /* was told TLS_UP; the user's */
	const struct gp_edge_facts *facts; /* of BACKEND_UP; outlive the drive */
	struct gp_str header;              /* of PROXY; may be empty; outlives the drive */
	bool tls;                          /* the backend's TLS begins behind the header */
	/* What the client says now, a whole line or element, or NULL: nothing. To end the
	 * conversation it sets `over`. */
	const char *(*ask)(struct gp_backend_talk *talk);
	bool over;

	enum { GP_BACKEND_NOT_WANTED, GP_BACKEND_WANTED, GP_BACKEND_GREETED, GP_BACKEND_UP } stage;
	size_t unheard; /* bytes that have come */
	struct gp_action action;
};

/* Its engine is a struct gp_backend_talk; what it tells is a struct gp_action: what the client is
 * sent, or a report. */
extern const struct gp_drive_engine gp_backend_talk_engine;

#endif
