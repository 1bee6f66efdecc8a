/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_DRIVER_H
#define GP_STORE_DRIVER_H

#include "store/database.h"

/* What an engine does for database.c, which alone calls it, in an order that makes sense. Each
 * driver has its own struct gp_connection and struct gp_statement. Where an int is returned it is as
 * in database.h unless said otherwise, and error() has a sentence when it is negative. */

struct gp_connection;
struct gp_statement;

struct gp_driver {
	/* *connection_out is NULL (no memory), or must be closed, whatever is returned. */
	int (*open)(const char *place, struct gp_connection **connection_out);
	void (*close)(struct gp_connection *connection);
	const char *(*error)(const struct gp_connection *connection);

	/* How many steps are behind it; 0 when it is new. GP_E_SYNTAX: another program's. */
	int (*version)(struct gp_connection *connection, uint32_t application,
		       unsigned *version_out);
	/* One step, with its number, or not at all. */
	int (*step)(struct gp_connection *connection, const char *sql, uint32_t application,
		    unsigned version);
	/* GP_E_SYNTAX: it is damaged. */
	int (*check)(struct gp_connection *connection);

	int (*begin)(struct gp_connection *connection, enum gp_durability durability);
	int (*commit)(struct gp_connection *connection);
	void (*undo)(struct gp_connection *connection);
	/* In a transaction: a write that changes nothing. */
	int (*touch)(struct gp_connection *connection);

	int (*prepare)(struct gp_connection *connection, const char *sql,
		       struct gp_statement **statement_out);
	void (*finish)(struct gp_statement *statement);
	/* Before its parameters: ready for the transaction that there is. */
	int (*ready)(struct gp_statement *statement);
	unsigned (*parameters)(const struct gp_statement *statement);
	/* The parameter's number from 0, or GP_E_NOT_FOUND without a sentence. */
	int (*bind_text)(struct gp_statement *statement, const char *name, const char *text);
	int (*bind_number)(struct gp_statement *statement, const char *name, int64_t number);
	/* GP_AGAIN: there is a row; GP_OK: that was all. */
	int (*next)(struct gp_statement *statement);
	/* GP_E_NOT_FOUND: no such column; GP_E_SYNTAX: of another type; GP_E_NOMEM. Without a
	 * sentence; *text_out is not touched or NULL then. */
	int (*text)(struct gp_statement *statement, const char *column, const char **text_out);
	int (*number)(struct gp_statement *statement, const char *column, int64_t *number_out);
	void (*reset)(struct gp_statement *statement);
};

extern const struct gp_driver gp_sqlite;

#endif
