/* SPDX-License-Identifier: MIT */
#ifndef GP_PUBLISH_POLICY_H
#define GP_PUBLISH_POLICY_H

#include "base/buf.h"
#include "base/str.h"
#include "conf/conf.h"
#include "identity/domain.h"

/* The MTA-STS policy of a domain as it is served (RFC 8461 section 3.2). */

/* Suggested limit of section 3.3; id of section 3.1 with its NUL */
enum { GP_PUBLISH_BODY_MAX = 64 * 1024, GP_PUBLISH_ID_SIZE = 33 };

struct gp_publish_policy {
	int mode; /* enum gp_conf_sts, not OFF */
	uint64_t max_age_s;
	char (*mx)[GP_DOMAIN_SIZE]; /* A-labels, or "*." before them */
	size_t mx_count;
};

/* The policy of an entry that has one. GP_OK, GP_E_NOMEM or GP_E_SYNTAX. */
int gp_publish_policy_init(struct gp_publish_policy *policy, const struct gp_conf *conf,
			   const struct gp_conf_domain *domain);
void gp_publish_policy_deinit(struct gp_publish_policy *policy);

/* "none", "testing", "enforce"; static. */
const char *gp_publish_mode_name(int mode);

/* Append the body that is served; its lines end in CRLF. GP_OK or an error of the buffer. */
int gp_publish_policy_body(const struct gp_publish_policy *policy, struct gp_buf *out);

/* The id of the TXT record (section 3.1). It is made from the body, so it cannot be forgotten when
 * the body changes; a policy that comes back after another has its old id again, by which a sender
 * finds just what it had. GP_OK or GP_E_NOMEM. */
int gp_publish_policy_id(struct gp_str body, char id_out[static GP_PUBLISH_ID_SIZE]);

/* Both for an entry that has a policy; the body is appended to `body`, which may be NULL. GP_OK or
 * an error as above. */
int gp_publish_entry_body(const struct gp_conf *conf, const struct gp_conf_domain *domain,
			  struct gp_buf *body, char id_out[static GP_PUBLISH_ID_SIZE]);

#endif
