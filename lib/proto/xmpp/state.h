/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_XMPP_STATE_H
#define GP_PROTO_XMPP_STATE_H

#include "proto/edge_life.h"
#include "proto/xmpp/reader.h"

/* Shared by the files of this directory only. */

/* What the backend has been asked for, while the state is COMMAND. */
enum xmpp_owed { XMPP_OWES_NOTHING, XMPP_OWES_HEADER, XMPP_OWES_FEATURES, XMPP_OWES_SASL };

/* RFC 6120 section 6.4.5: at least 2 tries, at most 5. */
enum { XMPP_LOGINS_MAX = 5 };

/* Of config.random: for stream ids, and what follows is the salt of the parser. */
enum { XMPP_ID_STREAMS = 3, XMPP_IDS_SIZE = 48 };

enum { PROVED_SIZE = 2 * (XMPP_DOMAIN_MAX + 1) }; /* an account is shorter than a domain may be */

struct xmpp_edge {
	struct gp_edge_life life; /* first */
	struct xmpp_reader reader[2];
	enum xmpp_content content; /* of clients or of servers */
	enum xmpp_owed owed;
	const char *domain; /* ours, as the client's header asked for it; NULL: not known yet */
	bool header_sent;   /* the client has a response header for its present stream */
	bool in_exchange;   /* SASL: the backend waits for a response */
	unsigned streams;   /* of our own so far */
	unsigned logins;    /* that failed */
	bool logged_in;     /* what is left is the stream behind <success/> */
	char sni[256];
	bool (*peer_is)(void *arg, const char *domain);
	void *peer_arg;
	/* what its certificate proves it to be: a server's domain, or a client's bare JID; else
	 * empty */
	char proved[PROVED_SIZE];
	bool peer_accepted;    /* a server has used EXTERNAL */
	bool external_offered; /* to a client, because the backend takes it from the edge */
};

static inline struct xmpp_edge *xmpp_of(struct gp_edge_life *life)
{
	return (struct xmpp_edge *)(void *)life;
}

/* state.c */

/* Answer the client's header with one of our own. */
void gp_xmpp_open_stream(struct xmpp_edge *edge);

/* End the stream with a stream error (RFC 6120 section 4.9.3), behind a header if the client has
 * had none yet, and report it with `sentence`. */
void gp_xmpp_fail(struct xmpp_edge *edge, const char *condition, const char *sentence);

/* A stream error alone; the stream goes on to its end by edge_life.c. */
void gp_xmpp_say_error(struct xmpp_edge *edge, const char *condition);

/* client.c: what the client says, be it a client or a server. */
void gp_xmpp_on_client(struct xmpp_edge *edge, enum xmpp_found found);

/* sasl.c: its part of SASL. */
void gp_xmpp_auth_in_cleartext(struct xmpp_edge *edge);
void gp_xmpp_auth(struct xmpp_edge *edge);
void gp_xmpp_response(struct xmpp_edge *edge);
void gp_xmpp_abort(struct xmpp_edge *edge);

/* <auth/> of a server: may it have EXTERNAL? Says <failure/> when not. */
bool gp_xmpp_external_accepts(struct xmpp_edge *edge);

/* One login failed; too many end the stream. */
void gp_xmpp_count_failed_login(struct xmpp_edge *edge);

/* backend.c: what the backend says. */
void gp_xmpp_on_backend(struct xmpp_edge *edge, enum xmpp_found found);

/* The connection to it is up: hand on the client's header. */
void gp_xmpp_open_backend_stream(struct xmpp_edge *edge);

#endif
