/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_ADMIN_H
#define GP_DAEMON_PROCESS_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "daemon/process/privileges.h"

/* Who may administer. Some sockets answer (those for Postfix), two administer: control.sock and
 * policy.sock, by which policies are overridden and users' names are read. A process of ours that
 * was taken over must not reach these. Two locks keep it off: they lie in RUN-DIR/admin, a
 * directory that their users cannot enter; and the process that connects is looked at (SO_PEERCRED). */

enum { GP_ADMIN_SERVICES_MAX = 8 };

struct gp_admin_rule {
	uid_t starter; /* who started gatepost; root may always */
	gid_t group;   /* whose members may; (gid_t)-1: there is none */
	/* the users of our processes, who never may; none when these stay the starter */
	uid_t services[GP_ADMIN_SERVICES_MAX];
	size_t service_count;
};

enum {
	GP_ADMIN_PATH_SIZE = 4096,
	GP_ADMIN_RULE_SIZE = 11 * (2 + GP_ADMIN_SERVICES_MAX) + 1,
	GP_ADMIN_REFUSAL_SIZE = 256
};

/* The rule of a gatepost that this process starts, whose processes and sockets are those of
 * `identities`, of which there are at most GP_ADMIN_SERVICES_MAX. GP_OK, or GP_E_CONF with a sentence in `errors`:
 * there is no such group. */
int gp_admin_rule_find(const struct gp_conf *conf, const struct gp_identity *identities,
		       size_t count, struct gp_admin_rule *rule_out, struct gp_buf *errors);

/* As a word, for a child. Parsing: GP_OK or GP_E_SYNTAX. */
void gp_admin_rule_format(const struct gp_admin_rule *rule, char out[static GP_ADMIN_RULE_SIZE]);
int gp_admin_rule_parse(const char *text, struct gp_admin_rule *rule_out);

bool gp_admin_rule_permits(const struct gp_admin_rule *rule, uid_t uid, const gid_t *groups,
			   size_t group_count);

/* May the process at the other end of `fd` ask `name`? If not, a line is logged, at most one in a
 * second, and `refusal` is what to tell it. */
bool gp_admin_permits_peer(const struct gp_admin_rule *rule, int fd, const char *name,
			   char refusal[static GP_ADMIN_REFUSAL_SIZE]);

/* Say so to a peer that is refused, before it has asked, so that it holds no place; the caller
 * closes `fd`. */
void gp_admin_turn_away(int fd, const void *text, size_t len);

/* RUN-DIR/admin/NAME. */
void gp_admin_path(const struct gp_conf *conf, const char *name,
		   char out[static GP_ADMIN_PATH_SIZE]);

/* Make RUN-DIR/admin, or take back what is there. GP_OK, or GP_E_CONF with a sentence. */
int gp_admin_directory_make(const struct gp_conf *conf, const struct gp_admin_rule *rule,
			    struct gp_buf *errors);

/* Listen on RUN-DIR/admin/NAME; RUN-DIR/NAME becomes a link to it. GP_OK, or GP_E_CONF with a
 * sentence. */
int gp_admin_listen(const struct gp_conf *conf, const char *name, const struct gp_admin_rule *rule,
		    int *fd_out, struct gp_buf *errors);

/* What an answer to a peer that is refused begins with. */
#define GP_ADMIN_REFUSED "refused: "

/* For a client that could not connect, in brackets: what `error` (errno) may come from. Static. */
const char *gp_admin_hint(int error);

#endif
