/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_THREAD_H
#define GP_STORE_THREAD_H

#include <stdbool.h>

#include "store/store.h"

/* A thread that writes, so that a loop never waits for a disk. What is handed over together becomes
 * durable together; the order stays. When a write fails it is tried again with the next one, and
 * after a second; nothing is dropped. */

struct gp_store_thread;

/* Takes the store over. NULL without memory. What it is given before it runs waits. */
struct gp_store_thread *gp_store_thread_new(struct gp_store *store);

/* GP_OK or GP_E_IO. From here on nobody else may use the store. */
int gp_store_thread_start(struct gp_store_thread *thread);

/* Before it runs: for reading what there is. */
struct gp_store *gp_store_thread_store(struct gp_store_thread *thread);

/* Waits until all is written, or has failed once more. */
void gp_store_thread_free(struct gp_store_thread *thread);

/* Copies what it is given. GP_OK or GP_E_NOMEM. */
int gp_store_thread_put_policy(struct gp_store_thread *thread,
			       const struct gp_stored_policy *policy);
int gp_store_thread_remove_policy(struct gp_store_thread *thread, const char *domain);
int gp_store_thread_put_override(struct gp_store_thread *thread,
				 const struct gp_stored_override *override);
int gp_store_thread_remove_override(struct gp_store_thread *thread, const char *domain);

/* True while writes fail; a sentence is left in `error` then. */
bool gp_store_thread_failing(struct gp_store_thread *thread,
			     char error[static GP_STORE_ERROR_SIZE]);

#endif
