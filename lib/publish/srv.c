/* SPDX-License-Identifier: MIT */
#include "publish/srv.h"

#include <stddef.h>

#include "conf/role.h"

/* TLS from the start before STARTTLS (RFC 8314 section 5.1), IMAP before POP3 (RFC 6186 section
 * 3.4). There is no row for passwords in clear, as no listener takes them. */
const struct gp_srv_row gp_srv_rows[] = {
	{ GP_ROLE_SUBMISSIONS, "_submissions", 0, "RFC 8314 section 5.1" },
	{ GP_ROLE_SUBMISSION, "_submission", 10, "RFC 6186 section 3.1, with STARTTLS" },
	{ GP_ROLE_IMAPS, "_imaps", 0, "RFC 6186 section 3.2" },
	{ GP_ROLE_IMAP, "_imap", 10, "RFC 6186 section 3.2, with STARTTLS" },
	{ GP_ROLE_POP3S, "_pop3s", 20, "RFC 6186 section 3.3" },
	{ GP_ROLE_POP3, "_pop3", 30, "RFC 6186 section 3.3, with STLS" },
	{ GP_ROLE_SIEVE, "_sieve", 0, "RFC 5804 section 1.8" },
	{ GP_ROLE_XMPPS_CLIENT, "_xmpps-client", 0, "XEP-0368 section 3" },
	{ GP_ROLE_XMPP_CLIENT, "_xmpp-client", 10, "RFC 6120 section 3.2.1" },
	{ GP_ROLE_XMPPS_SERVER, "_xmpps-server", 0, "XEP-0368 section 3" },
	{ GP_ROLE_XMPP_SERVER, "_xmpp-server", 10, "RFC 6120 section 3.2.1" },
	{ .service = NULL },
};
