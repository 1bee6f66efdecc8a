/* SPDX-License-Identifier: MIT */
/* MTA-STS. The first byte says what follows: the RDATA of TXT records, each behind a byte with
 * its length, or a policy. What is accepted must stand up to its grammar, and a policy that is
 * written again must say the same. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/txt.h"
#include "fuzz.h"
#include "mtasts/policy.h"
#include "mtasts/record.h"
#include "mtasts/text.h"

enum { RECORDS_MAX = 4, RECORD_MAX = 512 };

static void check_records(struct gp_str rest)
{
	struct gp_buf joined[RECORDS_MAX];
	struct gp_str records[RECORDS_MAX];
	char id[GP_MTASTS_ID_SIZE];
	const char *reason = NULL;
	size_t count = 0;

	while (count < RECORDS_MAX && rest.len) {
		size_t len = (unsigned char)*rest.p;
		struct gp_str rdata = { rest.p + 1, len < rest.len ? len : rest.len - 1 };

		gp_buf_init(&joined[count], RECORD_MAX);
		gp_txt_join(rdata, &joined[count]);
		records[count] = gp_str_from(joined[count].data, joined[count].len);
		rest.p += 1 + rdata.len;
		rest.len -= 1 + rdata.len;
		count++;
	}
	if (gp_mtasts_record_find(records, count, id, &reason) == GP_OK) {
		MUST(*id && strlen(id) < GP_MTASTS_ID_SIZE);
		for (const char *p = id; *p; p++)
			MUST(gp_mtasts_is_alnum(*p));
	} else {
		MUST(reason && !*id);
	}
	while (count)
		gp_buf_deinit(&joined[--count]);
}

static bool all_hosts(const struct gp_mtasts_policy *policy)
{
	for (size_t i = 0; i < policy->mx_count; i++) {
		if (!gp_mtasts_pattern_is_host(policy->mx[i]))
			return false;
	}
	return true;
}

static void check_again(const struct gp_mtasts_policy *policy)
{
	struct gp_mtasts_policy *again = NULL;
	struct gp_mtasts_fault fault;
	struct gp_buf out;
	int ret;

	gp_buf_init(&out, GP_MTASTS_BODY_MAX);
	ret = gp_mtasts_policy_format(policy, &out);
	MUST(ret == (all_hosts(policy) ? GP_OK : GP_E_SYNTAX) || ret == GP_E_LIMIT);
	if (ret == GP_OK) {
		MUST(gp_mtasts_policy_parse(gp_str_from(out.data, out.len), &again, &fault) ==
		     GP_OK);
		MUST(again->mode == policy->mode && again->max_age_s == policy->max_age_s &&
		     again->mx_count == policy->mx_count && !again->clamped);
		for (size_t i = 0; i < again->mx_count; i++)
			MUST(!strcmp(again->mx[i], policy->mx[i]));
		gp_mtasts_policy_free(again);
	}
	gp_buf_deinit(&out);
}

static void check_policy(struct gp_str body)
{
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault = { 0 };
	struct gp_str line;

	if (gp_mtasts_policy_parse(body, &policy, &fault) != GP_OK) {
		MUST(fault.reason != NULL);
		return;
	}
	MUST(policy->max_age_s <= GP_MTASTS_MAX_AGE_MAX_S);
	MUST(policy->mx_count || policy->mode == GP_MTASTS_MODE_NONE);
	MUST(policy->text_len == body.len && strlen(policy->text) == body.len);
	for (size_t i = 0; i < policy->mx_count; i++) {
		const char *mx = policy->mx[i];

		MUST(!strchr(mx + 1, '*'));
		if (*mx != '*')
			MUST(gp_mtasts_policy_allows(policy, mx) || !gp_mtasts_pattern_is_host(mx));
	}
	while (gp_mtasts_policy_next_line(&body, &line))
		MUST(!memchr(line.p, '\n', line.len));
	check_again(policy);
	gp_mtasts_policy_free(policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gp_str rest;

	if (!len)
		return 0;
	rest = gp_str_from(data + 1, len - 1);
	if (*data == 'R')
		check_records(rest);
	else
		check_policy(rest);
	return 0;
}
