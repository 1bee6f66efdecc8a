/* SPDX-License-Identifier: MIT */
#include "daemon/policy/policy_store.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "policy/overrides.h"

void gp_policy_store_directory(const char *state_dir, char out[static GP_POLICY_STORE_PATH_SIZE])
{
	snprintf(out, GP_POLICY_STORE_PATH_SIZE, "%s/policy", state_dir);
}

void gp_policy_store_path(const char *state_dir, char out[static GP_POLICY_STORE_PATH_SIZE])
{
	snprintf(out, GP_POLICY_STORE_PATH_SIZE, "%s/policy/policy.db", state_dir);
}

int gp_policy_store_open(const char *state_dir, struct gp_store_thread **thread_out,
			 char error[static GP_STORE_ERROR_SIZE])
{
	char path[GP_POLICY_STORE_PATH_SIZE];
	struct gp_database *store;
	size_t len;
	int ret;

	gp_policy_store_path(state_dir, path);
	ret = gp_store_open(path, &store, error);
	if (ret == GP_E_SYNTAX) {
		len = strlen(error);
		snprintf(error + len, GP_STORE_ERROR_SIZE - len,
			 "; \"gatepost policy repair\" moves it aside and begins anew");
	}
	if (ret != GP_OK)
		return ret;
	*thread_out = gp_store_thread_new(store);
	if (*thread_out)
		return GP_OK;
	snprintf(error, GP_STORE_ERROR_SIZE, "%.400s: out of memory", path);
	gp_database_close(store);
	return GP_E_NOMEM;
}

static int remember_policy(void *arg, const struct gp_stored_policy *policy)
{
	return gp_sts_cache_remember(arg, policy);
}

static int remember_override(void *arg, const struct gp_stored_override *override)
{
	return gp_override_remember(arg, override);
}

int gp_policy_store_remember(struct gp_store_thread *thread, struct gp_sts_cache *sts_cache,
			     struct gp_domains *domains, char error[static GP_STORE_ERROR_SIZE])
{
	struct gp_database *store = gp_store_thread_database(thread);
	int ret = gp_stored_policies_visit(store, remember_policy, sts_cache);

	if (ret == GP_OK)
		ret = gp_stored_overrides_visit(store, remember_override, domains);
	if (ret != GP_OK)
		snprintf(error, GP_STORE_ERROR_SIZE, "policy.db: %s", gp_database_error(store));
	if (ret == GP_OK && gp_store_thread_start(thread) != GP_OK) {
		snprintf(error, GP_STORE_ERROR_SIZE, "policy.db: no thread can be started");
		ret = GP_E_IO;
	}
	return ret;
}
