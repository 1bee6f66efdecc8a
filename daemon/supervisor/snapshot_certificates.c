/* SPDX-License-Identifier: MIT */
/* Certificates of a snapshot. There may be ten thousand: files that have not changed since the
 * last snapshot are not even opened. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "daemon/process/memory.h"
#include "daemon/supervisor/certificate_directory.h"
#include "daemon/supervisor/file_watch.h"
#include "daemon/supervisor/snapshot_steps.h"
#include "tls/staple.h"

/* Where a certificate comes from. */
struct source {
	const char *name;
	const char *path[GP_CERTIFICATE_FILES]; /* NULL: it has no such file */
	bool in_directory;
};

struct reading {
	struct gp_snapshot *snapshot;
	struct gp_buf *pack;
	struct gp_buf *errors;
	struct gp_buf *warnings;
	struct gp_certificate_judge *judge;
	size_t room;

	/* the snapshot before this one */
	const struct gp_snapshot_certificate **old; /* sorted by path of the chain */
	size_t old_count;
	const struct gp_snapshot_certificate *old_first;
	struct gp_certpack *old_pack;
	void *old_map;
	size_t old_map_len;
};

/* ---- what was before ---- */

static int compare_old(const void *a_arg, const void *b_arg)
{
	const struct gp_snapshot_certificate *const *a = a_arg, *const *b = b_arg;

	return strcmp((*a)->path[GP_CERTIFICATE_CHAIN], (*b)->path[GP_CERTIFICATE_CHAIN]);
}

static int open_old(struct reading *r, const struct gp_snapshot *old)
{
	size_t count = old ? old->certificate_count : 0;

	r->old = calloc(count + 1, sizeof(const struct gp_snapshot_certificate *));
	if (!r->old)
		return GP_E_NOMEM;
	if (!count || gp_memory_map(old->fds[GP_SEALED_CERTIFICATES], GP_MEMORY_SEALED, &r->old_map,
				    &r->old_map_len) != GP_OK)
		return GP_OK;
	if (gp_certpack_open(r->old_map, r->old_map_len, &r->old_pack) != GP_OK)
		return GP_OK;
	r->old_count = count;
	r->old_first = old->certificates;
	for (size_t i = 0; i < count; i++)
		r->old[i] = &old->certificates[i];
	qsort(r->old, count, sizeof(const struct gp_snapshot_certificate *), compare_old);
	return GP_OK;
}

static void close_old(struct reading *r)
{
	gp_certpack_close(r->old_pack);
	if (r->old_map)
		munmap(r->old_map, r->old_map_len);
	free(r->old);
}

static const struct gp_snapshot_certificate *find_old(const struct reading *r,
						      const struct source *source)
{
	size_t low = 0, high = r->old_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(r->old[middle]->path[GP_CERTIFICATE_CHAIN],
				   source->path[GP_CERTIFICATE_CHAIN]);

		if (!order && !strcmp(r->old[middle]->name, source->name))
			return r->old[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool same_path(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool is_unchanged(const struct gp_snapshot_certificate *old, const struct source *source,
			 const struct stat *states)
{
	if (old->is_stale)
		return false;
	for (size_t i = 0; i < GP_CERTIFICATE_FILES; i++) {
		if (!same_path(old->path[i], source->path[i]) ||
		    (source->path[i] && !gp_same_file_state(&old->state[i], &states[i])))
			return false;
	}
	return true;
}

static int take_old(struct reading *r, const struct gp_snapshot_certificate *old,
		    struct gp_certificate_info *info_out)
{
	*info_out = old->info;
	return gp_certpack_copy(r->pack,
				gp_certpack_entry(r->old_pack, (size_t)(old - r->old_first)));
}

/* ---- one certificate ---- */

/* The new place at the end of the list; it counts when the pack has the entry. */
static struct gp_snapshot_certificate *new_place(struct reading *r, const struct source *source)
{
	struct gp_snapshot *snapshot = r->snapshot;
	struct gp_snapshot_certificate *larger, *place;

	if (snapshot->certificate_count == r->room) {
		r->room = r->room ? r->room * 2 : 16;
		larger = reallocarray(snapshot->certificates, r->room, sizeof(*larger));
		if (!larger)
			return NULL;
		snapshot->certificates = larger;
	}
	place = &snapshot->certificates[snapshot->certificate_count];
	*place = (struct gp_snapshot_certificate){ .name = strdup(source->name) };
	for (size_t i = 0; i < GP_CERTIFICATE_FILES; i++)
		place->path[i] = source->path[i] ? strdup(source->path[i]) : NULL;
	return place;
}

static void free_place(struct gp_snapshot_certificate *place)
{
	free(place->name);
	for (size_t i = 0; i < GP_CERTIFICATE_FILES; i++)
		free(place->path[i]);
}

/* `states` are what the files are now, zero when they are not there. */
static int read_files(struct reading *r, const struct source *source, const struct stat *states,
		      struct gp_buf *contents, struct gp_buf *complaints)
{
	int ret = GP_OK;

	for (size_t i = 0; i < GP_CERTIFICATE_FILES; i++) {
		bool absent = source->in_directory && i == GP_CERTIFICATE_OCSP && !states[i].st_ino;
		int one = source->path[i] && !absent
				  ? gp_snapshot_read_file(r->snapshot, source->path[i],
							  &contents[i], complaints)
				  : GP_OK;

		if (ret == GP_OK)
			ret = one;
	}
	return ret;
}

/* The response, if it may be stapled; its certificate is served without it, too. */
static struct gp_str judge_ocsp(struct reading *r, const struct source *source,
				const struct gp_buf *contents, struct gp_certificate_info *info)
{
	const struct gp_buf *chain = &contents[GP_CERTIFICATE_CHAIN];
	const struct gp_buf *ocsp = &contents[GP_CERTIFICATE_OCSP];
	struct gp_str der = gp_str_from(ocsp->data, ocsp->len);
	char reason[256];

	info->ocsp_until_utc = 0;
	if (!der.len || gp_staple_judge(gp_str_from(chain->data, chain->len), der,
					&info->ocsp_until_utc, reason, sizeof(reason)) == GP_OK)
		return der;
	gp_buf_appendf(r->warnings, "%s: certificate \"%s\": %s\n",
		       source->path[GP_CERTIFICATE_OCSP], source->name, reason);
	return (struct gp_str){ "", 0 };
}

static int read_new(struct reading *r, const struct source *source, const struct stat *states,
		    struct gp_certificate_info *info_out, struct gp_buf *complaints)
{
	struct gp_buf contents[GP_CERTIFICATE_FILES] = { { .data = NULL } };
	char reason[256];
	int ret = read_files(r, source, states, contents, complaints);
	const struct gp_buf *chain = &contents[GP_CERTIFICATE_CHAIN];
	const struct gp_buf *key = &contents[GP_CERTIFICATE_KEY];

	if (ret == GP_OK) {
		const struct gp_certpack_entry entry = {
			.label = gp_str_of(source->name),
			.chain_pem = gp_str_from(chain->data, chain->len),
			.key_pem = gp_str_from(key->data, key->len),
			.ocsp = judge_ocsp(r, source, contents, info_out),
		};

		ret = gp_certpack_add(r->pack, r->judge, &entry, info_out, reason, sizeof(reason));
		if (ret != GP_OK)
			gp_buf_appendf(complaints, "%s: certificate \"%s\": %s\n",
				       source->path[GP_CERTIFICATE_CHAIN], source->name, reason);
	}
	for (size_t i = 0; i < GP_CERTIFICATE_FILES; i++)
		gp_buf_deinit(&contents[i]);
	return ret;
}

/* In a directory one bad file must not keep the others from being renewed. */
static int read_or_keep(struct reading *r, const struct source *source,
			const struct gp_snapshot_certificate *old,
			struct gp_snapshot_certificate *place)
{
	int ret = read_new(r, source, place->state, &place->info,
			   source->in_directory ? r->warnings : r->errors);

	if (ret == GP_OK || !source->in_directory || ret == GP_E_NOMEM)
		return ret;
	if (!old)
		return GP_E_NOT_FOUND;
	place->is_stale = true;
	return take_old(r, old, &place->info);
}

static int read_one(struct reading *r, const struct source *source)
{
	struct gp_snapshot_certificate *place = new_place(r, source);
	const struct gp_snapshot_certificate *old = find_old(r, source);
	int ret = place ? GP_OK : GP_E_NOMEM;

	for (size_t i = 0; i < GP_CERTIFICATE_FILES && ret == GP_OK; i++) {
		if (source->path[i])
			ret = gp_snapshot_watch(r->snapshot, source->path[i], &place->state[i]);
	}
	if (ret != GP_OK)
		return ret;
	if (old && is_unchanged(old, source, place->state))
		ret = take_old(r, old, &place->info);
	else
		ret = read_or_keep(r, source, old, place);
	if (ret == GP_OK)
		r->snapshot->certificate_count++;
	else
		free_place(place);
	return ret == GP_E_NOT_FOUND ? GP_OK : ret;
}

/* ---- all ---- */

static int read_directory(struct reading *r, const char *path)
{
	struct gp_directory_certificate *list;
	size_t count;
	int ret = gp_snapshot_watch(r->snapshot, path, NULL);

	if (ret != GP_OK)
		return ret;
	ret = gp_certificate_directory_read(path, &list, &count);
	if (ret == GP_E_IO)
		gp_buf_appendf(r->errors, "%s: %s\n", path, strerror(errno));
	for (size_t i = 0; i < count && ret == GP_OK; i++) {
		const struct source source = { .name = list[i].name,
					       .path = { list[i].chain, list[i].key, list[i].ocsp },
					       .in_directory = true };

		if (list[i].directory)
			ret = gp_snapshot_watch(r->snapshot, list[i].directory, NULL);
		if (ret == GP_OK)
			ret = read_one(r, &source);
	}
	gp_certificate_directory_free(list, count);
	return ret;
}

static int read_all(struct reading *r)
{
	const struct gp_conf *conf = r->snapshot->conf;
	int ret = GP_OK;

	for (size_t i = 0; i < conf->certificate_count; i++) {
		const struct gp_conf_certificate *c = &conf->certificates[i];
		const struct source source = { .name = c->name,
					       .path = { c->chain, c->key, c->ocsp } };
		int one = c->directory ? read_directory(r, c->directory) : read_one(r, &source);

		if (ret == GP_OK)
			ret = one;
	}
	return ret;
}

int gp_snapshot_read_certificates(struct gp_snapshot *snapshot, const struct gp_snapshot *old,
				  struct gp_buf *pack, struct gp_buf *errors,
				  struct gp_buf *warnings)
{
	struct reading r = { .snapshot = snapshot,
			     .pack = pack,
			     .errors = errors,
			     .warnings = warnings,
			     .judge = gp_certificate_judge_new() };
	int ret = gp_certpack_begin(pack);

	if (ret == GP_OK)
		ret = r.judge ? open_old(&r, old) : GP_E_NOMEM;
	if (ret == GP_OK)
		ret = read_all(&r);
	close_old(&r);
	gp_certificate_judge_free(r.judge);
	return ret;
}

void gp_snapshot_free_certificates(struct gp_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->certificate_count; i++)
		free_place(&snapshot->certificates[i]);
	free(snapshot->certificates);
}
