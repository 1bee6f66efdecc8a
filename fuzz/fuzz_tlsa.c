/* SPDX-License-Identifier: MIT */
/* TLSA records: after a 'T' one in text form, else RDATA, each behind a byte with its length. What
 * is picked must be usable, the strongest of its kind, and the same in text and back. */
#include <string.h>

#include "base/err.h"
#include "dane/tlsa.h"
#include "fuzz.h"

enum { RECORDS_MAX = 8 };

static void check_text(const struct gp_tlsa *tlsa)
{
	struct gp_buf text, rdata;
	struct gp_tlsa again;

	gp_buf_init(&text, 2 * GP_TLSA_RDATA_MAX + 16);
	gp_buf_init(&rdata, GP_TLSA_RDATA_MAX);
	MUST(gp_tlsa_to_text(tlsa, &text) == GP_OK);
	MUST(gp_tlsa_from_text(gp_str_from(text.data, text.len), &rdata) == GP_OK);
	MUST(gp_tlsa_read(gp_str_from(rdata.data, rdata.len), &again) == GP_OK);
	MUST(again.usage == tlsa->usage && again.selector == tlsa->selector &&
	     again.matching == tlsa->matching && again.data.len == tlsa->data.len &&
	     (!tlsa->data.len || !memcmp(again.data.p, tlsa->data.p, tlsa->data.len)));
	gp_buf_deinit(&text);
	gp_buf_deinit(&rdata);
}

static bool has_picked_kin(const struct gp_tlsa *records, size_t count, const bool *picked,
			   size_t which)
{
	for (size_t i = 0; i < count; i++) {
		if (picked[i] && records[i].usage == records[which].usage &&
		    records[i].selector == records[which].selector)
			return true;
	}
	return false;
}

static void check_records(struct gp_str rest)
{
	struct gp_tlsa records[RECORDS_MAX];
	bool picked[RECORDS_MAX];
	size_t count = 0, number = 0;

	while (count < RECORDS_MAX && rest.len) {
		size_t len = (unsigned char)*rest.p;
		struct gp_str rdata = { rest.p + 1, len < rest.len ? len : rest.len - 1 };

		MUST((gp_tlsa_read(rdata, &records[count]) == GP_OK) == (rdata.len >= 3));
		check_text(&records[count]);
		rest.p += 1 + rdata.len;
		rest.len -= 1 + rdata.len;
		count++;
	}
	number = gp_tlsa_pick(records, count, NULL, picked);
	for (size_t i = 0; i < count; i++) {
		bool usable = !gp_tlsa_unusable(&records[i]);

		number -= picked[i];
		MUST(!picked[i] || usable);
		MUST(!usable || has_picked_kin(records, count, picked, i));
		MUST(!usable || picked[i] || records[i].matching == GP_TLSA_SHA256);
	}
	MUST(!number);
}

static void check_from_text(struct gp_str text)
{
	struct gp_buf rdata;
	struct gp_tlsa tlsa;

	gp_buf_init(&rdata, 256);
	if (gp_tlsa_from_text(text, &rdata) == GP_OK) {
		MUST(gp_tlsa_read(gp_str_from(rdata.data, rdata.len), &tlsa) == GP_OK);
		check_text(&tlsa);
	}
	gp_buf_deinit(&rdata);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len && *data == 'T')
		check_from_text(gp_str_from(data + 1, len - 1));
	else
		check_records(gp_str_from(data, len));
	return 0;
}
