/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_PRIVILEGES_H
#define GP_DAEMON_PROCESS_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/* Who the children are. */
struct gp_identity {
	bool change; /* we are root: children become this user */
	uid_t uid;
	gid_t gid;
};

/* The identity of `user` for children of a root process; GP_E_NOT_FOUND when there is no such
 * user, GP_E_CONF when it is root. When we are not root nothing changes and `user` is not looked
 * at. */
int gp_identity_find(const char *user, struct gp_identity *identity_out);

/* In the child, for good. GP_OK or GP_E_IO. */
int gp_identity_assume(const struct gp_identity *identity);

/* The supervisor keeps only what it needs: binding low ports, reading keys, becoming the worker
 * user, signalling workers. GP_OK or GP_E_IO. */
int gp_privileges_reduce(void);

#endif
