/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_STORE_H
#define GP_STORE_STORE_H

#include "store/database.h"

/* The databases of the policy process. One has the MTA-STS policies of other domains (policies.h)
 * and what is known of their loss (losses.h); the other has the operator's overrides (overrides.h):
 * who loses a cache must not lose decisions with it. */

enum { GP_STORE_DOMAIN_SIZE = 254 };

/* As gp_database_open; every row has been read once, so what is opened can be read.
 * gp_database_close closes it. */
int gp_store_open(const char *path, struct gp_database **store_out,
		  char error[static GP_STORE_ERROR_SIZE]);

/* The same for the overrides. */
int gp_store_open_overrides(const char *path, struct gp_database **store_out,
			    char error[static GP_STORE_ERROR_SIZE]);

/* Move a damaged file (and what belongs to it) out of the way; the new path is left in `moved_out`
 * of `size` bytes. GP_OK or GP_E_IO. Only on an operator's command: nothing is thrown away. */
int gp_store_move_aside(const char *path, int64_t now, char *moved_out, size_t size);

#endif
