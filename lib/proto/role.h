/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_ROLE_H
#define GP_PROTO_ROLE_H

#include <stdbool.h>
#include <stdint.h>

/* What a listener speaks. A role is a row: what the configuration, the edge, the published records
 * and the commands must know of it stands here and nowhere else. A further role is a line of this
 * list and its row in role.c. The order is that of preference among SRV records: TLS from the start
 * before STARTTLS (RFC 8314 section 5.1), IMAP before POP3 (RFC 6186 section 3.4). */
#define GP_ROLE_NAMES(ROLE)                \
	ROLE(SUBMISSIONS, "submissions")   \
	ROLE(SUBMISSION, "submission")     \
	ROLE(IMAPS, "imaps")               \
	ROLE(IMAP, "imap")                 \
	ROLE(POP3S, "pop3s")               \
	ROLE(POP3, "pop3")                 \
	ROLE(SIEVE, "sieve")               \
	ROLE(SMTP, "smtp")                 \
	ROLE(HTTPS, "https")               \
	ROLE(XMPPS_CLIENT, "xmpps-client") \
	ROLE(XMPP_CLIENT, "xmpp-client")   \
	ROLE(XMPPS_SERVER, "xmpps-server") \
	ROLE(XMPP_SERVER, "xmpp-server")

#define GP_ROLE_ID(id, name) GP_ROLE_##id,
enum gp_role { GP_ROLE_NAMES(GP_ROLE_ID) GP_ROLES };
#undef GP_ROLE_ID

/* Which engine of lib/proto talks. */
enum gp_protocol {
	GP_PROTOCOL_IMAP,
	GP_PROTOCOL_POP3,
	GP_PROTOCOL_SIEVE,
	GP_PROTOCOL_SMTP,
	GP_PROTOCOL_XMPP_CLIENT,
	GP_PROTOCOL_XMPP_SERVER,
	GP_PROTOCOL_HTTP,
	GP_PROTOCOLS
};

/* How a backend learns who the client is. */
enum gp_facts { GP_FACTS_NONE, GP_FACTS_PROXY_V2, GP_FACTS_XCLIENT, GP_FACTS_IMAP_ID, GP_FACTS };

struct gp_role_row {
	const char *name;
	enum gp_protocol protocol;
	bool implicit_tls;    /* else STARTTLS or STLS */
	uint16_t port;        /* the default one */
	const char *alpn;     /* protocol id (RFC 7301); "smtp" is not registered, and offered */
	bool facts[GP_FACTS]; /* those that its backends can take */
	bool external;        /* a login of its own, for which a client certificate can stand */
	bool preauth;         /* that certificate may also be the login (IMAP's PREAUTH) */
	bool smtp;            /* messages pass through; with `mx`, between servers */
	bool mx;
	bool xmpp; /* its listeners name the domains that they serve */
	bool s2s;  /* other servers come */
	bool http; /* nothing but bytes is moved */

	const char *srv;     /* label of its SRV record; NULL: it has none */
	unsigned priority;   /* of that record; the lower number is tried first (RFC 2782) */
	const char *srv_why; /* RFC and section */
	const char *srv_id;  /* service of an SRV-ID in its certificates (RFC 4985); NULL: none */
};

extern const struct gp_role_row gp_roles[GP_ROLES];

/* Both lists end in NULL. */
extern const char *const gp_role_words[];
extern const char *const gp_facts_words[];

/* "imaps" and so on; static. */
const char *gp_role_name(int role);

/* The one that is an MX, and so is what listens at port 25. */
int gp_role_of_mx(void);

#endif
