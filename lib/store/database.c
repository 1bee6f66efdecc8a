/* SPDX-License-Identifier: MIT */
#include "store/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/err.h"
#include "store/driver.h"

struct gp_query {
	SLIST_ENTRY(gp_query) link;
	struct gp_database *database;
	const char *sql;
	struct gp_statement *statement;
	uint64_t set; /* a bit for each parameter that has a value */
	bool running;
	int ret; /* the error that sticks */
};

struct gp_database {
	const struct gp_driver *driver;
	struct gp_connection *connection;
	SLIST_HEAD(, gp_query) queries;
	bool in_transaction;
	char error[GP_STORE_ERROR_SIZE];
};

/* ---- errors ---- */

/* What the driver said, kept. */
static int said(struct gp_database *database, int ret)
{
	if (ret < 0)
		snprintf(database->error, sizeof(database->error), "%s",
			 database->driver->error(database->connection));
	return ret;
}

static int refuse(struct gp_database *database, int ret, const char *sentence)
{
	snprintf(database->error, sizeof(database->error), "%s", sentence);
	return ret;
}

const char *gp_database_error(const struct gp_database *database)
{
	return database->error;
}

/* ---- opening ---- */

static int take_steps(struct gp_database *database, const struct gp_schema *schema,
		      unsigned version)
{
	int ret = GP_OK;

	for (; version < schema->count && ret == GP_OK; version++)
		ret = said(database,
			   database->driver->step(database->connection, schema->steps[version],
						  schema->application, version + 1));
	return ret;
}

/* A damaged file is left as it is, and so is one from the future. */
static int bring_up_to_date(struct gp_database *database, const struct gp_schema *schema)
{
	unsigned version = 0;
	int ret = said(database, database->driver->version(database->connection,
							   schema->application, &version));

	if (ret != GP_OK)
		return ret;
	if (version > schema->count) {
		snprintf(database->error, sizeof(database->error),
			 "a newer gatepost has written this file (version %u, this one knows %u)",
			 version, schema->count);
		return GP_E_STATE;
	}
	ret = said(database, database->driver->check(database->connection));
	return ret == GP_OK ? take_steps(database, schema, version) : ret;
}

static int open_connection(struct gp_database *database, const char *place)
{
	int ret = database->driver->open(place, &database->connection);

	if (!database->connection)
		return refuse(database, GP_E_NOMEM, "out of memory");
	return said(database, ret);
}

/* `schema` NULL: as it is. */
static int open_place(const char *place, const struct gp_schema *schema,
		      struct gp_database **database_out, char error[static GP_STORE_ERROR_SIZE])
{
	struct gp_database *database = calloc(1, sizeof(*database));
	int ret;

	if (!database) {
		snprintf(error, GP_STORE_ERROR_SIZE, "%.200s: out of memory", place);
		return GP_E_NOMEM;
	}
	database->driver = &gp_sqlite;
	SLIST_INIT(&database->queries);
	ret = open_connection(database, place);
	if (ret == GP_OK && schema)
		ret = bring_up_to_date(database, schema);
	if (ret == GP_OK) {
		*database_out = database;
		return GP_OK;
	}
	snprintf(error, GP_STORE_ERROR_SIZE, "%.200s: %.300s", place, database->error);
	gp_database_close(database);
	return ret;
}

int gp_database_open(const char *place, const struct gp_schema *schema,
		     struct gp_database **database_out, char error[static GP_STORE_ERROR_SIZE])
{
	return open_place(place, schema, database_out, error);
}

int gp_database_open_damaged(const char *place, struct gp_database **database_out,
			     char error[static GP_STORE_ERROR_SIZE])
{
	return open_place(place, NULL, database_out, error);
}

void gp_database_close(struct gp_database *database)
{
	struct gp_query *query;

	if (!database)
		return;
	while ((query = SLIST_FIRST(&database->queries)) != NULL) {
		SLIST_REMOVE_HEAD(&database->queries, link);
		database->driver->finish(query->statement);
		free(query);
	}
	if (database->connection)
		database->driver->close(database->connection);
	free(database);
}

/* ---- transactions ---- */

int gp_database_begin(struct gp_database *database, enum gp_durability durability)
{
	int ret;

	if (database->in_transaction)
		return refuse(database, GP_E_STATE, "a transaction has begun already");
	ret = said(database, database->driver->begin(database->connection, durability));
	database->in_transaction = ret == GP_OK;
	return ret;
}

int gp_database_commit(struct gp_database *database)
{
	int ret;

	if (!database->in_transaction)
		return refuse(database, GP_E_STATE, "no transaction has begun");
	ret = said(database, database->driver->commit(database->connection));
	if (ret != GP_OK)
		gp_database_undo(database);
	database->in_transaction = false;
	return ret;
}

void gp_database_undo(struct gp_database *database)
{
	if (database->in_transaction)
		database->driver->undo(database->connection);
	database->in_transaction = false;
}

int gp_database_touch(struct gp_database *database)
{
	if (!database->in_transaction)
		return refuse(database, GP_E_STATE, "no transaction has begun");
	return said(database, database->driver->touch(database->connection));
}

/* ---- statements ---- */

static struct gp_query *find(struct gp_database *database, const char *sql)
{
	struct gp_query *query;

	SLIST_FOREACH(query, &database->queries, link)
	{
		if (query->sql == sql && !query->running)
			return query;
	}
	query = calloc(1, sizeof(*query));
	if (query) {
		query->database = database;
		query->sql = sql;
		SLIST_INSERT_HEAD(&database->queries, query, link);
	}
	return query;
}

static void keep_error(struct gp_query *query, int ret)
{
	if (query->ret == GP_OK && ret < 0)
		query->ret = said(query->database, ret);
}

static void keep_refusal(struct gp_query *query, int ret, const char *what, const char *name)
{
	if (query->ret != GP_OK)
		return;
	query->ret = ret;
	snprintf(query->database->error, sizeof(query->database->error), "%s: %s", what, name);
}

struct gp_query *gp_database_query(struct gp_database *database, const char *sql)
{
	const struct gp_driver *driver = database->driver;
	struct gp_query *query = find(database, sql);

	if (!query) {
		refuse(database, GP_E_NOMEM, "out of memory");
		return NULL;
	}
	query->running = true;
	query->ret = GP_OK;
	query->set = 0;
	if (!query->statement)
		keep_error(query, driver->prepare(database->connection, sql, &query->statement));
	if (query->statement)
		keep_error(query, driver->ready(query->statement));
	return query;
}

bool gp_query_good(const struct gp_query *query)
{
	return query && query->ret == GP_OK;
}

static void note_parameter(struct gp_query *query, const char *name, int number)
{
	if (number == GP_E_NOT_FOUND)
		keep_refusal(query, GP_E_STATE, "the statement has no such parameter", name);
	else if (number < 0)
		keep_error(query, number);
	else
		query->set |= UINT64_C(1) << number;
}

void gp_query_set_text(struct gp_query *query, const char *name, const char *text)
{
	if (gp_query_good(query))
		note_parameter(query, name,
			       query->database->driver->bind_text(query->statement, name, text));
}

void gp_query_set_number(struct gp_query *query, const char *name, int64_t number)
{
	if (gp_query_good(query))
		note_parameter(query, name,
			       query->database->driver->bind_number(query->statement, name,
								    number));
}

/* A parameter without a value would be NULL, and NULL compares with nothing. */
static bool all_set(struct gp_query *query)
{
	unsigned count = query->database->driver->parameters(query->statement);

	if (query->set == (UINT64_C(1) << count) - 1)
		return true;
	keep_refusal(query, GP_E_STATE, "a parameter has no value", query->sql);
	return false;
}

bool gp_query_next(struct gp_query *query)
{
	int ret;

	if (!gp_query_good(query) || !all_set(query))
		return false;
	ret = query->database->driver->next(query->statement);
	keep_error(query, ret);
	return ret == GP_AGAIN;
}

int gp_query_end(struct gp_query *query)
{
	int ret = query ? query->ret : GP_E_NOMEM;

	if (!query)
		return ret;
	if (query->statement)
		query->database->driver->reset(query->statement);
	query->running = false;
	query->ret = GP_OK;
	return ret;
}

int gp_query_run(struct gp_query *query)
{
	if (gp_query_good(query) && !query->database->in_transaction)
		keep_refusal(query, GP_E_STATE, "a write needs a transaction", query->sql);
	gp_query_next(query);
	return gp_query_end(query);
}

static void note_column(struct gp_query *query, const char *column, int ret)
{
	if (ret == GP_E_NOT_FOUND)
		keep_refusal(query, GP_E_STATE, "the statement has no such column", column);
	else if (ret == GP_E_SYNTAX)
		keep_refusal(query, ret, "the file is damaged: a column has the wrong type",
			     column);
	else if (ret != GP_OK)
		keep_refusal(query, ret, "no memory for a column", column);
}

const char *gp_query_text(struct gp_query *query, const char *column)
{
	const char *text = "";

	if (gp_query_good(query))
		note_column(query, column,
			    query->database->driver->text(query->statement, column, &text));
	return text ? text : "";
}

int64_t gp_query_number(struct gp_query *query, const char *column)
{
	int64_t number = 0;

	if (gp_query_good(query))
		note_column(query, column,
			    query->database->driver->number(query->statement, column, &number));
	return number;
}
