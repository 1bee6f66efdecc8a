/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_POLICY_STORE_H
#define GP_DAEMON_POLICY_POLICY_STORE_H

#include "policy/sts_cache.h"

/* The file that the policy process keeps: STATE-DIR/policy/policy.db. The directory is the process's
 * own, because SQLite writes beside the file. */

enum { GP_POLICY_STORE_PATH_SIZE = 4096 };

void gp_policy_store_directory(const char *state_dir, char out[static GP_POLICY_STORE_PATH_SIZE]);
void gp_policy_store_path(const char *state_dir, char out[static GP_POLICY_STORE_PATH_SIZE]);

/* As gp_store_open; `error` also says what the operator can do. */
int gp_policy_store_open(const char *state_dir, struct gp_store_thread **thread_out,
			 char error[static GP_STORE_ERROR_SIZE]);

/* Tell sts_cache and service what was stored, and start the thread. */
int gp_policy_store_remember(struct gp_store_thread *thread, struct gp_sts_cache *sts_cache,
			     struct gp_domains *domains, char error[static GP_STORE_ERROR_SIZE]);

#endif
