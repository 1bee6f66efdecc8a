/* SPDX-License-Identifier: MIT */
/* The file of policies that were served: what is read can be written and read back, nothing that is
 * remembered gets lost by an update, and time only ever brings a domain nearer to the end. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "fuzz.h"
#include "publish/served.h"

enum { TEXT_MAX = 1 << 20 };
#define NOW INT64_C(1700000000)

static void check_same(const struct gp_served_list *list)
{
	struct gp_served_list again;
	struct gp_buf text;

	gp_buf_init(&text, TEXT_MAX);
	MUST(gp_served_format(list, &text) == GP_OK);
	MUST(gp_served_parse(gp_str_from(text.data, text.len), &again) == GP_OK);
	MUST(again.count == list->count);
	MUST(!list->count || !memcmp(&again.items[0].last_s, &list->items[0].last_s, 8));
	gp_served_deinit(&again);
	gp_buf_deinit(&text);
}

static void check_retire(const struct gp_served_list *list, const char *domain)
{
	int64_t until_s, later_s;
	enum gp_retire_step step = gp_served_retire(list, domain, NOW, &until_s);

	if (step == GP_RETIRE_DONE)
		MUST(gp_served_retire(list, domain, NOW + 1, &later_s) == GP_RETIRE_DONE);
	else if (step == GP_RETIRE_WAIT)
		MUST(until_s > NOW &&
		     gp_served_retire(list, domain, until_s, &later_s) == GP_RETIRE_DONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_served_list list, none = { .items = NULL };

	if (size > TEXT_MAX / 8)
		return 0;
	MUST(gp_served_parse(gp_str_from(data, size), &list) == GP_OK);
	check_same(&list);
	for (size_t i = 0; i < list.count && i < 8; i++)
		check_retire(&list, list.items[i].domain);
	MUST(gp_served_update(&list, &none, NOW) == GP_OK);
	for (size_t i = 0; i < list.count; i++)
		MUST(list.items[i].last_s != GP_SERVED_NOW);
	check_same(&list);
	gp_served_deinit(&list);
	return 0;
}
