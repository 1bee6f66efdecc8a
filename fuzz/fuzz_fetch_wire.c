/* SPDX-License-Identifier: MIT */
/* What the fetch process answers: it has heard the Internet, so the policy process must be able to
 * read anything. What is understood is written again and understood as the same. */
#include "policy/fetch_wire.h"

#include <string.h>

#include "base/err.h"
#include "fuzz.h"

static void repeat_order(const struct gp_fetch_order *order)
{
	struct gp_fetch_order again;
	struct gp_buf out;

	gp_buf_init(&out, GP_FETCH_WIRE_MAX);
	MUST(gp_fetch_order_encode(order, &out) == GP_OK);
	MUST(gp_fetch_order_decode(gp_str_from(out.data, out.len), &again) == GP_OK);
	MUST(!strcmp(order->domain, again.domain) && order->count == again.count);
	gp_buf_deinit(&out);
}

static void repeat_answer(const struct gp_fetch_answer *answer)
{
	struct gp_fetch_answer again;
	struct gp_buf out;

	gp_buf_init(&out, GP_FETCH_WIRE_MAX);
	if (gp_fetch_answer_encode(answer, &out) == GP_OK) {
		MUST(gp_fetch_answer_decode(gp_str_from(out.data, out.len), &again) == GP_OK);
		MUST(answer->failure == again.failure && answer->body.len == again.body.len);
		MUST(!strcmp(answer->detail, again.detail));
	}
	gp_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_fetch_order order;
	struct gp_fetch_answer answer;

	if (memchr(data, '\0', size))
		return 0;
	if (gp_fetch_order_decode(gp_str_from(data, size), &order) == GP_OK)
		repeat_order(&order);
	if (gp_fetch_answer_decode(gp_str_from(data, size), &answer) == GP_OK)
		repeat_answer(&answer);
	return 0;
}
