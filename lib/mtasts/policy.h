/* SPDX-License-Identifier: MIT */
#ifndef GP_MTASTS_POLICY_H
#define GP_MTASTS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* The policy that a domain serves at https://mta-sts.DOMAIN/.well-known/mta-sts.txt (RFC 8461
 * section 3.2). Decisions that the RFC leaves open, and ours:
 * - an empty line is no field, so it breaks the policy; only at the very end, where an editor may
 *   have left some, they do no harm (`blank_end` tells an auditor);
 * - a byte order mark is no field name: the policy is invalid;
 * - a max_age above the maximum counts as the maximum (`clamped`);
 * - "mx: 192.0.2.1" is a Domain by the grammar of RFC 5321 section 4.1.2, so it breaks nothing, but
 *   it is the name of no host and matches none; an address in brackets or with colons is invalid. */

enum {
	GP_MTASTS_BODY_MAX = 64 * 1024,    /* bytes, section 3.3 */
	GP_MTASTS_MAX_AGE_MAX_S = 31557600 /* a year, section 3.2 */
};

enum gp_mtasts_mode { GP_MTASTS_MODE_NONE, GP_MTASTS_TESTING, GP_MTASTS_ENFORCE };

struct gp_mtasts_policy {
	enum gp_mtasts_mode mode;
	uint32_t max_age_s; /* at most GP_MTASTS_MAX_AGE_MAX_S */
	bool clamped;       /* max_age was larger */
	bool blank_end;     /* there are empty lines at the end */
	char **mx;          /* patterns in lower case, "*." in front kept */
	size_t mx_count;
	char *text; /* the body as it was served; NUL-terminated, without NUL within */
	size_t text_len;
};

struct gp_mtasts_fault {
	size_t line;        /* from 1; 0: the policy as a whole */
	const char *reason; /* a static sentence */
};

/* Read a body. GP_OK: *policy_out is the caller's (gp_mtasts_policy_free). GP_E_SYNTAX, or
 * GP_E_LIMIT for one that is too large: *fault_out says why. GP_E_NOMEM. */
int gp_mtasts_policy_parse(struct gp_str body, struct gp_mtasts_policy **policy_out,
			   struct gp_mtasts_fault *fault_out);

void gp_mtasts_policy_free(struct gp_mtasts_policy *policy);

/* Append the body to publish for `mode`, `max_age_s` and `mx`, in CRLF; the other members do not
 * matter. GP_OK; GP_E_SYNTAX for what no policy may say: a pattern that is none or that is no host,
 * no pattern where the mode needs one, a max_age that is too large; GP_E_LIMIT, also when it would
 * be longer than GP_MTASTS_BODY_MAX; GP_E_NOMEM. `out` is as before on error. */
int gp_mtasts_policy_format(const struct gp_mtasts_policy *policy, struct gp_buf *out);

/* Does a pattern match the name of an MX record (section 4.1)? `mx` is in A-labels, without the dot
 * of the root, in any case. The mode is not looked at. */
bool gp_mtasts_policy_allows(const struct gp_mtasts_policy *policy, const char *mx);

/* Can there be a host of that name, or below it? False for digits and dots that look like an IPv4
 * address: a last label of digits is no top-level domain (RFC 3696 section 2). Such a pattern must
 * not reach a Postfix match=, where it would demand an IP address in certificates. */
bool gp_mtasts_pattern_is_host(const char *pattern);

/* "none", "testing" or "enforce". */
const char *gp_mtasts_mode_name(enum gp_mtasts_mode mode);

/* Take the next line, without its end, off the front of a policy's text, as reports list them
 * (RFC 8460 section 4.4). False at the end. */
bool gp_mtasts_policy_next_line(struct gp_str *rest, struct gp_str *line_out);

#endif
