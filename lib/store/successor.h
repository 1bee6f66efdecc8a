/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_SUCCESSOR_H
#define GP_STORE_SUCCESSOR_H

#include <stdbool.h>

#include "store/database.h"

/* A database that is made under another name, and gets its own when it is complete: a start that is
 * killed leaves no file behind that looks like an empty store. */

struct gp_successor {
	const char *path;
	const char *suffix; /* behind the path until it is complete */
	/* as gp_database_open */
	int (*open)(const char *path, struct gp_database **store_out,
		    char error[static GP_STORE_ERROR_SIZE]);
	/* Called within a transaction; what went wrong with `store` need not be said. NULL: nothing. */
	int (*fill)(void *arg, struct gp_database *store, char error[static GP_STORE_ERROR_SIZE]);
	void *arg;
};

enum { GP_STORE_PATH_SIZE = 4200 };

/* Make it, in place of one that was not completed. GP_OK or as open and fill. */
int gp_successor_make(const struct gp_successor *successor, char error[static GP_STORE_ERROR_SIZE]);

/* It is complete: give it the name `path`, under which there is nothing. GP_OK or GP_E_IO. */
int gp_successor_take_place(const char *path, const char *suffix,
			    char error[static GP_STORE_ERROR_SIZE]);

/* Give a damaged file, and first of all what belongs to it, the name `moved`. GP_OK or GP_E_IO. */
int gp_store_move_aside(const char *path, const char *moved,
			char error[static GP_STORE_ERROR_SIZE]);

/* PATH.damaged-TIME */
void gp_store_name_aside(const char *path, int64_t now, char out[static GP_STORE_PATH_SIZE]);

#endif
