/* SPDX-License-Identifier: MIT */
#include "publish/served.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/domain.h"

/* 31557600 s after it nothing is remembered, so no sum of times can overflow */
#define LAST_MAX (INT64_MAX / 2)

/* ---- lists ---- */

static int append(struct gp_served_list *list, const struct gp_served *item)
{
	struct gp_served *more = list->items;

	/* room for a power of two */
	if (!(list->count & (list->count - 1)))
		more = reallocarray(list->items, list->count ? 2 * list->count : 1, sizeof(*more));
	if (!more)
		return GP_E_NOMEM;
	list->items = more;
	more[list->count++] = *item;
	return GP_OK;
}

void gp_served_deinit(struct gp_served_list *list)
{
	free(list->items);
	*list = (struct gp_served_list){ .items = NULL };
}

/* ---- text ---- */

static bool parse_mode(struct gp_str word, int *mode_out)
{
	for (int mode = GP_CONF_STS_NONE; mode <= GP_CONF_STS_ENFORCE; mode++) {
		*mode_out = mode;
		if (gp_str_equal(word, gp_publish_mode_name(mode)))
			return true;
	}
	return false;
}

static bool parse_last(struct gp_str word, int64_t *last_s_out)
{
	uint64_t last_s;

	*last_s_out = GP_SERVED_NOW;
	if (gp_str_equal(word, "now"))
		return true;
	if (gp_str_parse_uint(word, LAST_MAX, &last_s) != GP_OK)
		return false;
	*last_s_out = (int64_t)last_s;
	return true;
}

static bool parse_id(struct gp_str word, char id_out[static GP_PUBLISH_ID_SIZE])
{
	for (size_t i = 0; i < word.len; i++) {
		char c = word.p[i];

		if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
			return false;
	}
	gp_str_copy(word, id_out, GP_PUBLISH_ID_SIZE);
	return word.len && word.len < GP_PUBLISH_ID_SIZE;
}

static bool parse_line(struct gp_str line, struct gp_served *out)
{
	char domain[GP_DOMAIN_SIZE];

	gp_str_copy(gp_str_word(&line), domain, sizeof(domain));
	return gp_conf_host_name(domain, out->domain) == GP_OK && !strcmp(domain, out->domain) &&
	       parse_id(gp_str_word(&line), out->id) &&
	       parse_mode(gp_str_word(&line), &out->mode) &&
	       gp_str_parse_uint(gp_str_word(&line), GP_CONF_STS_MAX_AGE_S, &out->max_age_s) ==
		       GP_OK &&
	       parse_last(gp_str_word(&line), &out->last_s) && !line.len;
}

int gp_served_parse(struct gp_str text, struct gp_served_list *list_out)
{
	int ret = GP_OK;

	*list_out = (struct gp_served_list){ .items = NULL };
	while (text.len && ret == GP_OK) {
		struct gp_served item;

		if (parse_line(gp_str_split(&text, '\n'), &item))
			ret = append(list_out, &item);
	}
	return ret;
}

int gp_served_format(const struct gp_served_list *list, struct gp_buf *out)
{
	int ret = GP_OK;

	for (size_t i = 0; i < list->count && ret == GP_OK; i++) {
		const struct gp_served *item = &list->items[i];

		ret = gp_buf_appendf(out, "%s %s %s %llu ", item->domain, item->id,
				     gp_publish_mode_name(item->mode),
				     (unsigned long long)item->max_age_s);
		if (ret == GP_OK && item->last_s == GP_SERVED_NOW)
			ret = gp_buf_append_str(out, "now\n");
		else if (ret == GP_OK)
			ret = gp_buf_appendf(out, "%lld\n", (long long)item->last_s);
	}
	return ret;
}

/* ---- what is served now ---- */

static int add_entry(struct gp_served_list *list, const struct gp_conf *conf,
		     const struct gp_conf_domain *domain)
{
	struct gp_served item = { .mode = domain->mta_sts,
				  .max_age_s = domain->mta_sts_max_age_ms / 1000,
				  .last_s = GP_SERVED_NOW };
	int ret = gp_publish_entry_body(conf, domain, NULL, item.id);

	for (size_t i = 0; i < domain->names.count && ret == GP_OK; i++) {
		ret = gp_conf_host_name(domain->names.items[i], item.domain);
		if (ret == GP_OK)
			ret = append(list, &item);
	}
	return ret;
}

int gp_served_from_conf(const struct gp_conf *conf, struct gp_served_list *list_out)
{
	int ret = GP_OK;

	*list_out = (struct gp_served_list){ .items = NULL };
	for (size_t i = 0; i < conf->domain_count && ret == GP_OK && conf->web.address.text; i++) {
		if (conf->domains[i].mta_sts != GP_CONF_STS_OFF)
			ret = add_entry(list_out, conf, &conf->domains[i]);
	}
	return ret;
}

/* ---- change ---- */

static int compare(const void *a_arg, const void *b_arg)
{
	const struct gp_served *a = a_arg, *b = b_arg;
	int order = strcmp(a->domain, b->domain);

	return order ? order : strcmp(a->id, b->id);
}

static struct gp_served *find(const struct gp_served_list *list, const struct gp_served *item)
{
	return list->count ? bsearch(item, list->items, list->count, sizeof(*item), compare) : NULL;
}

static int64_t forgotten_at(const struct gp_served *item, int64_t now_s)
{
	return (item->last_s == GP_SERVED_NOW ? now_s : item->last_s) + (int64_t)item->max_age_s;
}

static bool is_remembered(const struct gp_served *item, int64_t now_s)
{
	return item->last_s == GP_SERVED_NOW || forgotten_at(item, now_s) > now_s;
}

int gp_served_update(struct gp_served_list *list, struct gp_served_list *fresh, int64_t now_s)
{
	struct gp_served_list kept = { .items = NULL };
	int ret = GP_OK;

	if (fresh->count)
		qsort(fresh->items, fresh->count, sizeof(*fresh->items), compare);
	for (size_t i = 0; i < fresh->count && ret == GP_OK; i++)
		ret = append(&kept, &fresh->items[i]);
	for (size_t i = 0; i < list->count && ret == GP_OK; i++) {
		struct gp_served item = list->items[i];

		if (find(fresh, &item))
			continue;
		if (item.last_s == GP_SERVED_NOW)
			item.last_s = now_s;
		if (is_remembered(&item, now_s))
			ret = append(&kept, &item);
	}
	if (ret != GP_OK) {
		gp_served_deinit(&kept);
		return ret;
	}
	gp_served_deinit(list);
	*list = kept;
	return GP_OK;
}

/* ---- questions ---- */

bool gp_served_has(const struct gp_served_list *list, const char *domain, const char *id)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct gp_served *item = &list->items[i];

		if (item->last_s == GP_SERVED_NOW && !strcmp(item->domain, domain) &&
		    !strcmp(item->id, id))
			return true;
	}
	return false;
}

enum gp_retire_step gp_served_retire(const struct gp_served_list *list, const char *domain,
				     int64_t now_s, int64_t *until_s_out)
{
	bool serves_none = false, asks_for_tls = false;
	int64_t until_s = now_s;

	for (size_t i = 0; i < list->count; i++) {
		const struct gp_served *item = &list->items[i];
		bool now = item->last_s == GP_SERVED_NOW, none = item->mode == GP_CONF_STS_NONE;

		if (strcmp(item->domain, domain) != 0)
			continue;
		serves_none |= now && none;
		asks_for_tls |= now && !none;
		if (!none && forgotten_at(item, now_s) > until_s)
			until_s = forgotten_at(item, now_s);
	}
	*until_s_out = until_s;
	if (until_s <= now_s && !asks_for_tls)
		return GP_RETIRE_DONE;
	return serves_none && !asks_for_tls ? GP_RETIRE_WAIT : GP_RETIRE_SERVE_NONE;
}
