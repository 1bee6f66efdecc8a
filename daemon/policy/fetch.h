/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_FETCH_H
#define GP_DAEMON_POLICY_FETCH_H

/* The fetch process: GETs over HTTPS for the policy process. It is apart because libcurl brings
 * much along, and because what it hears comes from anywhere. It is set up and stopped as a worker
 * is (control.h): the certificates are the authorities' PEM, the one socket its end of the pair. */

/* What the process does; its exit status. There is no argument. */
int gp_fetch_main(const char *argument);

#endif
