/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_ROLE_H
#define GP_CONF_ROLE_H

#include <stdbool.h>

/* What a listener speaks. */
enum gp_role {
	GP_ROLE_IMAPS,
	GP_ROLE_IMAP,
	GP_ROLE_POP3S,
	GP_ROLE_POP3,
	GP_ROLE_SUBMISSIONS,
	GP_ROLE_SUBMISSION,
	GP_ROLE_SMTP,
	GP_ROLE_SIEVE,
	GP_ROLE_HTTPS,
	GP_ROLE_XMPPS_CLIENT,
	GP_ROLE_XMPP_CLIENT,
	GP_ROLE_XMPPS_SERVER,
	GP_ROLE_XMPP_SERVER,
	GP_ROLES
};

/* How a backend learns who the client is. */
enum gp_facts { GP_FACTS_NONE, GP_FACTS_PROXY_V2, GP_FACTS_XCLIENT, GP_FACTS_IMAP_ID, GP_FACTS };

struct gp_role_row {
	const char *name;
	bool implicit_tls;
	bool smtp;
	bool xmpp;
	bool s2s;      /* of other XMPP servers */
	bool external; /* a login of its own, for which a client certificate can stand */
	bool facts[GP_FACTS];
};

extern const struct gp_role_row gp_roles[GP_ROLES];

/* Both lists end in NULL. */
extern const char *const gp_role_words[];
extern const char *const gp_facts_words[];

/* "imaps" and so on; static. */
const char *gp_role_name(int role);

#endif
