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
	[GP_ROLE_IMAPS] = { "imaps", true, false, WITH_IMAP_ID },
	[GP_ROLE_IMAP] = { "imap", false, false, WITH_IMAP_ID },
	[GP_ROLE_POP3S] = { "pop3s", true, false, WITH_XCLIENT },
	[GP_ROLE_POP3] = { "pop3", false, false, WITH_XCLIENT },
	[GP_ROLE_SUBMISSIONS] = { "submissions", true, true, WITH_XCLIENT },
	[GP_ROLE_SUBMISSION] = { "submission", false, true, WITH_XCLIENT },
	[GP_ROLE_SMTP] = { "smtp", false, true, WITH_XCLIENT },
	[GP_ROLE_SIEVE] = { "sieve", false, false, WITH_XCLIENT },
	[GP_ROLE_HTTPS] = { "https", true, false, WITH_PROXY },
	[GP_ROLE_XMPPS_CLIENT] = { "xmpps-client", true, false, WITH_PROXY },
	[GP_ROLE_XMPP_CLIENT] = { "xmpp-client", false, false, WITH_PROXY },
	[GP_ROLE_XMPPS_SERVER] = { "xmpps-server", true, false, WITH_PROXY },
	[GP_ROLE_XMPP_SERVER] = { "xmpp-server", false, false, WITH_PROXY },
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

bool gp_role_is_xmpp(int role)
{
	switch (role) {
	case GP_ROLE_XMPPS_CLIENT:
	case GP_ROLE_XMPP_CLIENT:
	case GP_ROLE_XMPPS_SERVER:
	case GP_ROLE_XMPP_SERVER:
		return true;
	default:
		return false;
	}
}
