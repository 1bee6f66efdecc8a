/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_DATABASE_H
#define GP_STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A database: tables that survive us. SQLite is behind it (sqlite.c), and nothing here says so: SQL
 * as text, parameters and columns by name. Another engine is another driver.h.
 *
 * How durable a transaction is, the caller says where it begins. SQLite knows that by connection
 * (PRAGMA synchronous), so there are two to the same file, one of each kind; a pragma that is set
 * and set back would make it depend on who called before. See sqlite.c.
 *
 * Every call blocks: a process with a loop lets thread.h call. One thread at a time. Functions that
 * return int return GP_OK or a negative enum gp_err. */

enum { GP_STORE_ERROR_SIZE = 512 };

enum gp_durability {
	GP_DURABLE, /* the commit returns when a power cut cannot undo it */
	GP_SOON,    /* a crash of ours cannot undo it; a power cut can undo the newest of them */
};

struct gp_database;

/* Which tables there are, as steps from one version to the next. Steps are added, never changed. A
 * database knows how many steps it has behind it. */
struct gp_schema {
	uint32_t application; /* whose it is; noted in the database */
	const char *const *steps;
	unsigned count;
};

/* Open it, or make it, and take the steps that are missing. One process at a time has it open.
 * GP_E_SYNTAX: it is damaged, or of another program; GP_E_STATE: a newer program wrote it, or another
 * process has it open; GP_E_IO; GP_E_NOMEM. `error` is a sentence then. */
int gp_database_open(const char *place, const struct gp_schema *schema,
		     struct gp_database **database_out, char error[static GP_STORE_ERROR_SIZE]);
/* One that is damaged, for reading what can be read. */
int gp_database_open_damaged(const char *place, struct gp_database **database_out,
			     char error[static GP_STORE_ERROR_SIZE]);
/* Undoes what was not committed. NULL is fine. */
void gp_database_close(struct gp_database *database);

/* The sentence for the last call that failed. */
const char *gp_database_error(const struct gp_database *database);

/* ---- transactions ---- */

/* Writes that become durable together: all of them, or none. There is one transaction at a time. A
 * commit that fails has undone them. What is committed later is never there without what was
 * committed before, whichever kind each is. */
int gp_database_begin(struct gp_database *database, enum gp_durability durability);
int gp_database_commit(struct gp_database *database);
void gp_database_undo(struct gp_database *database);

/* In a transaction: write, and change nothing. */
int gp_database_touch(struct gp_database *database);

/* ---- statements ---- */

/* One run of a statement. Errors stick: after the first nothing is done, and gp_query_run or
 * gp_query_end returns it. NULL stands for "out of memory" and is fine everywhere here. */
struct gp_query;

/* `sql`: one statement with parameters such as :domain, a constant text: it is prepared once and
 * known by its address. Begins and ends (with gp_query_run or gp_query_end) in one transaction, or,
 * when it reads, outside of any. */
struct gp_query *gp_database_query(struct gp_database *database, const char *sql);

/* Each parameter must be set, by its name without the colon. The text must live until the end. */
void gp_query_set_text(struct gp_query *query, const char *name, const char *text);
void gp_query_set_number(struct gp_query *query, const char *name, int64_t number);

/* A statement that writes; in a transaction only. */
int gp_query_run(struct gp_query *query);

/* One that reads: true while there is a row. */
bool gp_query_next(struct gp_query *query);
/* A column of the row, by its name; never NULL. The text lives until the next call of
 * gp_query_next. A column of the other type is GP_E_SYNTAX, one that is not in the statement
 * GP_E_STATE; the call then returns "" or 0. */
const char *gp_query_text(struct gp_query *query, const char *column);
int64_t gp_query_number(struct gp_query *query, const char *column);
/* Whether all of it could be read so far. */
bool gp_query_good(const struct gp_query *query);
int gp_query_end(struct gp_query *query);

#endif
