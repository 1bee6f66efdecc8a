/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_CLEARTEXT_USERS_H
#define GP_DAEMON_SUPERVISOR_CLEARTEXT_USERS_H

#include <stdbool.h>

#include "base/buf.h"

/* The names with which clients tried to log in without TLS. Their passwords may have been
 * heard, so these users should change them (RFC 8314 section 4.1). Kept over restarts in a file
 * of lines: first and last time (UTC), count, last source, name, separated by tabs. */

struct gp_cleartext_users;

enum { GP_CLEARTEXT_USERS_MAX = 10000 };

/* Reads what is in `path` (copied) already; a line that is not ours is left out. */
struct gp_cleartext_users *gp_cleartext_users_new(const char *path);
void gp_cleartext_users_free(struct gp_cleartext_users *users);

/* Control characters in `name` become "?". At GP_CLEARTEXT_USERS_MAX names the one that was seen
 * least recently makes room. */
void gp_cleartext_users_add(struct gp_cleartext_users *users, const char *name, const char *source,
			    uint64_t utc_ms);

/* Write the file, if there is something new: whole and at once. GP_OK or GP_E_IO. */
int gp_cleartext_users_save(struct gp_cleartext_users *users);

/* A table for people, or a JSON array. */
int gp_cleartext_users_print(const struct gp_cleartext_users *users, bool json, struct gp_buf *out);

#endif
