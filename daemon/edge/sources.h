/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_SOURCES_H
#define GP_DAEMON_EDGE_SOURCES_H

#include "base/endpoint.h"

/* How many sessions each source has, and how many of these are unfinished. A source is an address
 * prefix. */

enum gp_source_share {
	GP_SHARE_HELLOS,     /* connections that owe their ClientHello */
	GP_SHARE_HANDSHAKES, /* TLS handshakes */
	GP_SHARES
};

struct gp_sources;
struct gp_source;

struct gp_sources *gp_sources_new(void);
void gp_sources_free(struct gp_sources *sources);

/* Count one session more of `prefix`. NULL when it has `limit` already, or without memory. */
struct gp_source *gp_source_enter(struct gp_sources *sources, const struct gp_endpoint *prefix,
				  uint64_t limit);

/* How much it has of that; whoever counts there changes it. */
uint64_t *gp_source_share(struct gp_source *source, enum gp_source_share share);

/* One less; NULL is fine. */
void gp_source_leave(struct gp_source *source);

#endif
