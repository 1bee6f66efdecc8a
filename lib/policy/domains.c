/* SPDX-License-Identifier: MIT */
#include "policy/domains.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"

/* libc's tree: balanced whatever names a sender chooses, and nothing of our own. */
struct gp_domains {
	void *tree;
	size_t count;
	size_t with_findings;
	size_t bytes;
};

static int compare(const void *a, const void *b)
{
	const struct gp_known_domain *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static struct gp_known_domain *known_new(struct gp_domains *domains, const char *name)
{
	size_t len = strlen(name) + 1;
	struct gp_known_domain *known = calloc(1, sizeof(*known) + len);

	if (!known)
		return NULL;
	known->domains = domains;
	memcpy(known->name, name, len);
	return known;
}

struct gp_domains *gp_domains_new(void)
{
	return calloc(1, sizeof(struct gp_domains));
}

bool gp_known_domain_is_good(const struct gp_known_domain *known)
{
	return known->findings && known->good_until_ms > gp_time_mono_ms();
}

size_t gp_domains_with_findings(const struct gp_domains *domains)
{
	return domains->with_findings;
}

size_t gp_domains_bytes(const struct gp_domains *domains)
{
	return domains->bytes;
}

static void count(struct gp_known_domain *known, size_t bytes)
{
	known->bytes += bytes;
	known->domains->bytes += bytes;
}

int gp_known_domain_keep(struct gp_known_domain *known, struct gp_findings *findings,
			 uint64_t good_until_ms)
{
	size_t bytes = gp_findings_bytes(findings);

	gp_known_domain_drop_verdict(known);
	if (bytes > GP_KNOWN_DOMAIN_BYTES_MAX)
		return GP_E_LIMIT;
	known->findings = findings;
	known->domains->with_findings++;
	known->good_until_ms = good_until_ms;
	count(known, bytes);
	return GP_OK;
}

void gp_known_domain_keep_json(struct gp_known_domain *known, struct gp_str json)
{
	if (known->json || known->bytes + json.len > GP_KNOWN_DOMAIN_BYTES_MAX)
		return;
	known->json = strndup(json.p, json.len);
	if (known->json)
		count(known, json.len);
}

void gp_known_domain_drop_verdict(struct gp_known_domain *known)
{
	known->domains->bytes -= known->bytes;
	known->bytes = 0;
	known->good_until_ms = 0;
	known->domains->with_findings -= known->findings != NULL;
	gp_findings_free(known->findings);
	known->findings = NULL;
	gp_wording_free(known->wording);
	known->wording = NULL;
	free(known->json);
	known->json = NULL;
}

static void free_known(void *node)
{
	struct gp_known_domain *known = node;

	gp_known_domain_drop_verdict(known);
	gp_kept_policy_free(known->kept);
	gp_override_free(known->override);
	free(known);
}

void gp_domains_free(struct gp_domains *domains)
{
	if (!domains)
		return;
	tdestroy(domains->tree, free_known);
	free(domains);
}

size_t gp_domains_count(const struct gp_domains *domains)
{
	return domains->count;
}

struct gp_known_domain *gp_domains_find(struct gp_domains *domains, const char *name)
{
	union {
		struct gp_known_domain known;
		char space[sizeof(struct gp_known_domain) + GP_POLICY_NAME_SIZE];
	} key;
	void *found;

	gp_str_copy(gp_str_of(name), key.space + offsetof(struct gp_known_domain, name),
		    GP_POLICY_NAME_SIZE);
	found = tfind(&key.known, &domains->tree, compare);
	return found ? *(struct gp_known_domain **)found : NULL;
}

struct gp_known_domain *gp_domains_add(struct gp_domains *domains, const char *name)
{
	struct gp_known_domain *known = gp_domains_find(domains, name);

	if (known)
		return known;
	known = known_new(domains, name);
	if (known && !tsearch(known, &domains->tree, compare)) {
		free(known);
		return NULL;
	}
	domains->count += known != NULL;
	return known;
}

void gp_domains_drop_if_empty(struct gp_domains *domains, struct gp_known_domain *known)
{
	if (known->kept || known->override || known->fetch || known->wait || known->findings ||
	    known->proved)
		return;
	tdelete(known, &domains->tree, compare);
	domains->count--;
	gp_known_domain_drop_verdict(known);
	free(known);
}

struct collection {
	struct gp_known_domain **items;
	size_t count;
};

static void collect(const void *node, VISIT which, void *arg)
{
	struct collection *all = arg;

	if (which == postorder || which == leaf)
		all->items[all->count++] = *(struct gp_known_domain *const *)node;
}

/* A tree must not change while it is walked: the walk makes a list. */
void gp_domains_visit(struct gp_domains *domains,
		      void (*visit)(void *arg, struct gp_known_domain *known), void *arg)
{
	struct collection all = { calloc(domains->count + 1, sizeof(*all.items)), 0 };

	if (!all.items)
		return;
	twalk_r(domains->tree, collect, &all);
	for (size_t i = 0; i < all.count; i++)
		visit(arg, all.items[i]);
	free(all.items);
}

void gp_kept_policy_free(struct gp_kept_policy *kept)
{
	if (!kept)
		return;
	free(kept->failure_detail);
	free(kept->text);
	free(kept);
}

void gp_override_free(struct gp_override *override)
{
	if (!override)
		return;
	free(override->level);
	free(override->reason);
	free(override);
}
