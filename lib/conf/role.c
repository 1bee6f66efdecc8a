/* SPDX-License-Identifier: MIT */
#include "conf/role.h"

#include <stddef.h>

#define WITH_IMAP_ID                                                                          \
	{                                                                                     \
		[GP_FACTS_NONE] = true, [GP_FACTS_PROXY_V2] = true, [GP_FACTS_IMAP_ID] = true \
	}
#define WITH_PROXY                                                 \
	{                                                          \
		[GP_FACTS_NONE] = true, [GP_FACTS_PROXY_V2] = true \
	}
#define WITH_XCLIENT                                                                          \
	{                                                                                     \
		[GP_FACTS_NONE] = true, [GP_FACTS_PROXY_V2] = true, [GP_FACTS_XCLIENT] = true \
	}

const struct gp_role_row gp_roles[GP_ROLES] = {
	[GP_ROLE_IMAPS] = { .name = "imaps",
			    .external = true,
			    .implicit_tls = true,
			    .facts = WITH_IMAP_ID },
	[GP_ROLE_IMAP] = { .name = "imap", .external = true, .facts = WITH_IMAP_ID },
	[GP_ROLE_POP3S] = { .name = "pop3s",
			    .external = true,
			    .implicit_tls = true,
			    .facts = WITH_XCLIENT },
	[GP_ROLE_POP3] = { .name = "pop3", .external = true, .facts = WITH_XCLIENT },
	[GP_ROLE_SUBMISSIONS] = { .name = "submissions",
				  .external = true,
				  .implicit_tls = true,
				  .smtp = true,
				  .facts = WITH_XCLIENT },
	[GP_ROLE_SUBMISSION] = { .name = "submission",
				 .external = true,
				 .smtp = true,
				 .facts = WITH_XCLIENT },
	[GP_ROLE_SMTP] = { .name = "smtp", .smtp = true, .facts = WITH_XCLIENT },
	[GP_ROLE_SIEVE] = { .name = "sieve", .external = true, .facts = WITH_XCLIENT },
	[GP_ROLE_HTTPS] = { .name = "https", .implicit_tls = true, .facts = WITH_PROXY },
	[GP_ROLE_XMPPS_CLIENT] = { .name = "xmpps-client",
				   .xmpp = true,
				   .external = true,
				   .implicit_tls = true,
				   .facts = WITH_PROXY },
	[GP_ROLE_XMPP_CLIENT] = { .name = "xmpp-client",
				  .xmpp = true,
				  .external = true,
				  .facts = WITH_PROXY },
	[GP_ROLE_XMPPS_SERVER] = { .name = "xmpps-server",
				   .xmpp = true,
				   .s2s = true,
				   .implicit_tls = true,
				   .facts = WITH_PROXY },
	[GP_ROLE_XMPP_SERVER] = { .name = "xmpp-server",
				  .xmpp = true,
				  .s2s = true,
				  .facts = WITH_PROXY },
};

const char *const gp_role_words[] = {
	"imaps", "imap",  "pop3s",        "pop3",        "submissions",  "submission",  "smtp",
	"sieve", "https", "xmpps-client", "xmpp-client", "xmpps-server", "xmpp-server", NULL
};
const char *const gp_facts_words[] = { "none", "proxy-v2", "xclient", "imap-id", NULL };

const char *gp_role_name(int role)
{
	return gp_roles[role].name;
}
