/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_SOURCES_H
#define GP_DAEMON_EDGE_SOURCES_H

#include "base/endpoint.h"

/* How many sessions each source has. A source is an address prefix. */

struct gp_sources;
struct gp_source;

struct gp_sources *gp_sources_new(void);
void gp_sources_free(struct gp_sources *sources);

/* Count one session more of `prefix`. NULL when it has `limit` already, or without memory. */
struct gp_source *gp_source_enter(struct gp_sources *sources, const struct gp_endpoint *prefix,
				  uint64_t limit);

/* One less; NULL is fine. */
void gp_source_leave(struct gp_source *source);

#endif
