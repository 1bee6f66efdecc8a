/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_POLICY_STORE_H
#define GP_DAEMON_POLICY_POLICY_STORE_H

#include "policy/sts_cache.h"

/* The files that the policy process keeps in STATE-DIR/policy. The directory is the process's own,
 * because SQLite writes beside a file. What cannot be opened is tried again with growing pauses: the
 * rest of the process works meanwhile, and says that it does not know. */

#define GP_POLICY_STORE_CACHE     "policy.db"
#define GP_POLICY_STORE_OVERRIDES "overrides.db"

enum { GP_POLICY_STORE_PATH_SIZE = 4096 };

/* In the order in which they are opened: the cache of an older gatepost has the overrides, too. */
enum gp_policy_file { GP_POLICY_OVERRIDES, GP_POLICY_CACHE, GP_POLICY_FILES };

void gp_policy_store_directory(const char *state_dir, char out[static GP_POLICY_STORE_PATH_SIZE]);
void gp_policy_store_path(const char *state_dir, enum gp_policy_file file,
			  char out[static GP_POLICY_STORE_PATH_SIZE]);

struct gp_policy_store;

struct gp_policy_store_config {
	struct gp_loop *loop;
	const char *state_dir; /* must live as long */
	struct gp_sts_cache *sts_cache;
	struct gp_domains *domains;
	/* A file has been opened, what it holds is in memory, and the thread that writes it runs. */
	void (*opened)(void *arg, enum gp_policy_file file, struct gp_store_thread *thread);
	/* A file can be written again. */
	void (*works_again)(void *arg);
	void *arg;
};

/* Opens what can be opened now; `opened` may be called before it returns. NULL without memory. */
struct gp_policy_store *gp_policy_store_new(const struct gp_policy_store_config *config);
/* What was learnt becomes durable here. */
void gp_policy_store_free(struct gp_policy_store *store);

/* NULL: it is not open. */
struct gp_store_thread *gp_policy_store_thread(const struct gp_policy_store *store,
					       enum gp_policy_file file);

/* What clients are told while one of them is not open, a static sentence; or NULL. */
const char *gp_policy_store_trouble(const struct gp_policy_store *store, enum gp_policy_file file);

/* Log again, once a minute, which cannot be written now. */
void gp_policy_store_remind(struct gp_policy_store *store);

#endif
