/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_SALVAGE_H
#define GP_STORE_SALVAGE_H

#include "store/store.h"

/* A damaged cache: what can be read of it goes to a new one, in which the loss is noted, and the
 * damaged one is kept aside. */

struct gp_salvage {
	bool done;
	size_t policies;               /* that could be read */
	char why[GP_STORE_ERROR_SIZE]; /* what is damaged */
	char moved[4096];              /* where the damaged file is now */
};

/* As gp_store_open; what is damaged is salvaged first. `now`: seconds of Unix time. */
int gp_store_open_salvaged(const char *path, int64_t now, struct gp_database **store_out,
			   struct gp_salvage *salvage_out, char error[static GP_STORE_ERROR_SIZE]);

#endif
