/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_THREAD_H
#define GP_STORE_THREAD_H

#include "store/database.h"

/* A thread that writes, so that a loop never waits for a disk. A job is a function and a copy of
 * what it needs. Jobs that wait together are written in one transaction, durable when one of them
 * is to be; the order stays. When a write fails it is tried again, each second, until it works. */

struct gp_store_thread;

/* Takes the database over. NULL without memory or descriptors. What it is given before it runs
 * waits. */
struct gp_store_thread *gp_store_thread_new(struct gp_database *database);

/* GP_OK or GP_E_IO. From here on only the thread uses the database. */
int gp_store_thread_start(struct gp_store_thread *thread);

/* Before it runs: for reading what there is. */
struct gp_database *gp_store_thread_database(struct gp_store_thread *thread);

/* Waits until all is written, or has failed once more. Functions that wait are not called. */
void gp_store_thread_free(struct gp_store_thread *thread);

/* ---- jobs ---- */

/* Runs in the thread, in a transaction, again when the transaction failed: it changes nothing but
 * the database. GP_OK, or what gp_database_error() explains. */
typedef int (*gp_store_job)(struct gp_database *database, const void *copy);

/* Hand over a job, with `size` bytes of what it needs, which are copied. It is tried until it works.
 * GP_OK or GP_E_NOMEM. */
int gp_store_thread_do(struct gp_store_thread *thread, enum gp_durability durability,
		       gp_store_job job, const void *what, size_t size);

/* The same for what may be written often: of those with one `key` that wait, only the last is
 * written. GP_E_LIMIT: too much waits, so this one does not. The caller offers it again later. */
int gp_store_thread_do_last(struct gp_store_thread *thread, enum gp_durability durability,
			    const char *key, gp_store_job job, const void *what, size_t size);

/* ---- being told ---- */

/* GP_OK: it is committed. Else the first attempt has failed, for the reason `error`. Once, one of
 * the two. */
typedef void (*gp_store_done)(void *arg, int ret, const char *error);

/* Hand over a job that is durable or is not done at all: when the first attempt fails it is
 * withdrawn. Then `done` is called as by gp_store_thread_tell. GP_OK or GP_E_NOMEM. */
int gp_store_thread_try(struct gp_store_thread *thread, gp_store_job job, const void *what,
			size_t size, gp_store_done done, void *arg);

/* Have `done` called when all jobs handed over so far are committed, each as durably as it was to
 * be, or have failed. It is gp_store_thread_collect that calls. GP_OK or GP_E_NOMEM. */
int gp_store_thread_tell(struct gp_store_thread *thread, gp_store_done done, void *arg);

/* Do not call a function that waits with this `arg`. The jobs stay. */
void gp_store_thread_forget(struct gp_store_thread *thread, const void *arg);

/* Readable when gp_store_thread_collect has something to tell. The thread's. */
int gp_store_thread_fd(const struct gp_store_thread *thread);

/* Calls the functions whose time has come, in order, in this thread; they may hand over more. */
void gp_store_thread_collect(struct gp_store_thread *thread);

/* Have `changed` called by gp_store_thread_collect when writes begin to fail, for the reason
 * `error`, and when they work again: then `error` is NULL. Before the callers that wait are told. */
typedef void (*gp_store_changed)(void *arg, const char *error);
void gp_store_thread_watch(struct gp_store_thread *thread, gp_store_changed changed, void *arg);

/* True while writes fail; a sentence is left in `error` then. */
bool gp_store_thread_failing(struct gp_store_thread *thread,
			     char error[static GP_STORE_ERROR_SIZE]);

#endif
