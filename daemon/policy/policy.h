/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_POLICY_H
#define GP_DAEMON_POLICY_POLICY_H

/* The policy process: answers Postfix and the operator, asks the DNS, keeps MTA-STS policies. It is
 * set up and stopped as a worker is (control.h); of the configuration it gets the groups that
 * gp_policy_groups names, and these sockets: */
enum gp_policy_socket {
	GP_POLICY_CHANNEL, /* to the fetch process */
	GP_POLICY_ADMIN,   /* policy.sock, for the operator */
	GP_POLICY_VERDICT, /* verdict.sock, for a relay */
	GP_POLICY_POSTFIX, /* and the following ones: policy.addresses */
};

extern const char *const gp_policy_groups[]; /* ended by NULL */

/* What the process does; its exit status. `admin_rule` is for policy.sock (admin.h). */
int gp_policy_main(const char *admin_rule);

#endif
