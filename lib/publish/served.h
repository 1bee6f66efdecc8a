/* SPDX-License-Identifier: MIT */
#ifndef GP_PUBLISH_SERVED_H
#define GP_PUBLISH_SERVED_H

#include "base/buf.h"
#include "base/str.h"
#include "conf/conf.h"
#include "identity/domain.h"
#include "publish/policy.h"

/* Which MTA-STS policies senders may still remember: those that are served, and those that were
 * served before, until their max_age has passed. Times are seconds since 1970, given from outside. */

/* Still served. */
#define GP_SERVED_NOW INT64_MAX

struct gp_served {
	char domain[GP_DOMAIN_SIZE];
	char id[GP_PUBLISH_ID_SIZE];
	int mode; /* enum gp_conf_sts, not OFF */
	uint64_t max_age_s;
	int64_t last_s; /* when it was served for the last time, or GP_SERVED_NOW */
};

struct gp_served_list {
	struct gp_served *items;
	size_t count;
};

/* Text of one line for each: domain, id, mode, max_age and the last time (or "now"), with blanks
 * between. A line that is nothing of this kind is left out. GP_OK or GP_E_NOMEM; the list is to be
 * freed in both cases. */
int gp_served_parse(struct gp_str text, struct gp_served_list *list_out);
int gp_served_format(const struct gp_served_list *list, struct gp_buf *out);
void gp_served_deinit(struct gp_served_list *list);

/* What the web process serves with this configuration. GP_OK or an error; as above. */
int gp_served_from_conf(const struct gp_conf *conf, struct gp_served_list *list_out);

/* From `now_s` on, `fresh` is served and nothing else. What no sender can remember any more is
 * forgotten. GP_OK or GP_E_NOMEM; `fresh` is sorted anew. */
int gp_served_update(struct gp_served_list *list, struct gp_served_list *fresh, int64_t now_s);

/* Do senders get the policy with this id? */
bool gp_served_has(const struct gp_served_list *list, const char *domain, const char *id);

enum gp_retire_step {
	GP_RETIRE_DONE,       /* record and policy may go */
	GP_RETIRE_WAIT,       /* keep serving "none" until the time given */
	GP_RETIRE_SERVE_NONE, /* serve a policy of mode "none" first */
};

/* How far is `domain` on the way out (RFC 8461 section 8.3)? Unless it is done, *until_s_out is when
 * the last policy that asks for TLS is forgotten, seen from `now_s`. */
enum gp_retire_step gp_served_retire(const struct gp_served_list *list, const char *domain,
				     int64_t now_s, int64_t *until_s_out);

#endif
