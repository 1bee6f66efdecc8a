/* SPDX-License-Identifier: MIT */
#ifndef GP_PUBLISH_CSR_NAMES_H
#define GP_PUBLISH_CSR_NAMES_H

#include "identity/peer.h"
#include "publish/basis.h"

/* The names that a certificate should have (RFC 7817 section 5, RFC 6120 section 13.7.1.2): a set
 * for each kind of service, since one certificate for several helps attacks across protocols (RFC
 * 9525 section 5). */

enum gp_csr_service {
	GP_CSR_MAIL, /* IMAP, POP3, submission, ManageSieve, MX */
	GP_CSR_XMPP,
	GP_CSR_WEB /* the MTA-STS policy */
};

enum { GP_CSR_COMMON_NAME_MAX = 64 }; /* RFC 5280 appendix A.1 */

struct gp_csr_names {
	struct gp_identity_name *items; /* GP_IDENTITY_DNS and GP_IDENTITY_SRV */
	size_t count;
	const char *common_name; /* one of them; NULL: all hosts are too long */
};

/* GP_OK, or GP_E_NOMEM. */
int gp_csr_names_new(const struct gp_publish_basis *basis, enum gp_csr_service service,
		     struct gp_csr_names **names_out);
void gp_csr_names_free(struct gp_csr_names *names);

#endif
