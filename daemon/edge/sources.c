/* SPDX-License-Identifier: MIT */
#include "daemon/edge/sources.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>

enum { BUCKETS = 4096 };

struct gp_source {
	LIST_ENTRY(gp_source) link;
	struct gp_endpoint prefix;
	uint64_t sessions;
	uint64_t shares[GP_SHARES];
};

LIST_HEAD(bucket, gp_source);

struct gp_sources {
	uint64_t seed; /* so that no client can choose addresses that fall into one bucket */
	struct bucket buckets[BUCKETS];
};

struct gp_sources *gp_sources_new(void)
{
	struct gp_sources *sources = calloc(1, sizeof(*sources));

	if (sources && getrandom(&sources->seed, sizeof(sources->seed), 0) < 0)
		sources->seed = (uintptr_t)sources;
	return sources;
}

void gp_sources_free(struct gp_sources *sources)
{
	if (!sources)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct gp_source *source;

		while ((source = LIST_FIRST(&sources->buckets[i])) != NULL) {
			LIST_REMOVE(source, link);
			free(source);
		}
	}
	free(sources);
}

static struct bucket *bucket_of(struct gp_sources *sources, const struct gp_endpoint *prefix)
{
	uint64_t hash = sources->seed ^ prefix->family;

	for (size_t i = 0; i < sizeof(prefix->ip); i++) {
		hash ^= prefix->ip[i];
		hash *= 0x9e3779b97f4a7c15; /* 2^64 divided by the golden ratio */
		hash ^= hash >> 29;
	}
	return &sources->buckets[hash % BUCKETS];
}

static struct gp_source *find(struct bucket *bucket, const struct gp_endpoint *prefix)
{
	struct gp_source *source;

	LIST_FOREACH(source, bucket, link)
	{
		if (gp_endpoint_same_ip(&source->prefix, prefix))
			return source;
	}
	return NULL;
}

struct gp_source *gp_source_enter(struct gp_sources *sources, const struct gp_endpoint *prefix,
				  uint64_t limit)
{
	struct bucket *bucket = bucket_of(sources, prefix);
	struct gp_source *source = find(bucket, prefix);

	if (!source) {
		source = calloc(1, sizeof(*source));
		if (!source)
			return NULL;
		source->prefix = *prefix;
		LIST_INSERT_HEAD(bucket, source, link);
	}
	if (source->sessions >= limit)
		return NULL;
	source->sessions++;
	return source;
}

uint64_t *gp_source_share(struct gp_source *source, enum gp_source_share share)
{
	return &source->shares[share];
}

void gp_source_leave(struct gp_source *source)
{
	if (!source || --source->sessions)
		return;
	LIST_REMOVE(source, link);
	free(source);
}
