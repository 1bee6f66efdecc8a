/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_WEB_WEB_SETTINGS_H
#define GP_DAEMON_WEB_WEB_SETTINGS_H

#include "conf/conf.h"
#include "daemon/web/web.h"

/* What the web process gets to know of the configuration. It hears the Internet, so it is given
 * nothing that holds a key or a password: lines of text, the first with five numbers (log level,
 * format, target; pages, metrics wanted), then "host NAME" for each host of the pages, and
 * "policy LENGTH" with so many bytes of an MTA-STS policy behind it, each followed by
 * "domain NAME" for all whose policy it is. */

struct gp_web_policy {
	char *domain; /* A-labels */
	size_t body;  /* its place in `bodies` */
};

struct gp_web_settings {
	unsigned level, format, target;
	bool wanted[GP_WEB_SOCKETS];
	char **hosts; /* ended by NULL */
	char **bodies;
	size_t body_count;
	struct gp_web_policy *policies; /* sorted by domain */
	size_t policy_count;
};

/* Append the text. GP_OK or an error of the buffer. */
int gp_web_settings_write(const struct gp_conf *conf, struct gp_buf *out);

/* GP_OK, GP_E_SYNTAX or GP_E_NOMEM. The caller frees what is in it. */
int gp_web_settings_read(struct gp_str text, struct gp_web_settings *settings_out);
void gp_web_settings_deinit(struct gp_web_settings *settings);

bool gp_web_settings_serve(const struct gp_web_settings *settings, const char *host);

/* The policy of the domain for which `host` is "mta-sts.DOMAIN", or NULL. */
const char *gp_web_settings_policy(const struct gp_web_settings *settings, const char *host);

#endif
