/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_STORE_H
#define GP_STORE_STORE_H

#include "store/database.h"

/* The databases of the policy process. One has the MTA-STS policies of other domains (policies.h)
 * and what is known of their loss (losses.h); the other has the operator's overrides (overrides.h):
 * a lost cache must not take decisions along. */

enum { GP_STORE_DOMAIN_SIZE = 254 };

/* As gp_database_open; every row has been read once, so what is opened can be read.
 * gp_database_close closes it. */
int gp_store_open(const char *path, struct gp_database **store_out,
		  char error[static GP_STORE_ERROR_SIZE]);

/* The same for the overrides. */
int gp_store_open_overrides(const char *path, struct gp_database **store_out,
			    char error[static GP_STORE_ERROR_SIZE]);

#endif
