/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_SALVAGE_H
#define GP_STORE_SALVAGE_H

#include "store/overrides.h"
#include "store/store.h"
#include "store/successor.h"

/* A damaged file: what can be read of it goes to a new one, and the damaged one is kept aside. */

struct gp_salvage {
	bool done;
	size_t rows;                    /* that could be read */
	char why[GP_STORE_ERROR_SIZE];  /* what is damaged */
	char moved[GP_STORE_PATH_SIZE]; /* where the damaged file is now; "": there was none */
};

/* ---- the cache ---- */

/* As gp_store_open. What is damaged is salvaged first; a new file is made if there is none, and in
 * both the loss is noted, in the new one only if `lost`: there was one before. `now`: seconds of Unix
 * time. */
int gp_store_open_salvaged(const char *path, bool lost, int64_t now, struct gp_database **store_out,
			   struct gp_salvage *salvage_out, char error[static GP_STORE_ERROR_SIZE]);

/* ---- the overrides ---- */

/* As gp_store_open_overrides. A new file is made if there is none, with the overrides in `older`, the
 * cache of a gatepost that kept them there; GP_E_SYNTAX if they cannot be read. A damaged file is left
 * as it is: without some of its rows the answers may be too weak or too strong. */
int gp_store_open_own_overrides(const char *path, const char *older, struct gp_database **store_out,
				char error[static GP_STORE_ERROR_SIZE]);

/* On an administrator's command: a new file with what can be read of the damaged one (or, if there is
 * none, of `older`), each row of which is shown by `visit`, in an order of no meaning. What is damaged
 * is in salvage_out->why; done is false if it is not. GP_OK, or an error after which all is as it was. */
int gp_store_repair_overrides(const char *path, const char *older, int64_t now,
			      int (*visit)(void *arg, const struct gp_stored_override *override),
			      void *arg, struct gp_salvage *salvage_out,
			      char error[static GP_STORE_ERROR_SIZE]);

#endif
