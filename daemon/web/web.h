/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_WEB_WEB_H
#define GP_DAEMON_WEB_WEB_H

/* The web process: the built-in pages behind an https listener, and the metrics. It is set up and
 * stopped as a worker is (control.h); of the configuration it uses the group web. */

enum gp_web_socket { GP_WEB_PAGES, GP_WEB_METRICS, GP_WEB_SOCKETS };

/* What the process does; its exit status. There is no argument. */
int gp_web_main(const char *argument);

#endif
