/* SPDX-License-Identifier: MIT */
/* A verdict from another process: what is understood can be acted on, and is written again and
 * understood as the same. */
#include "policy/verdict_wire.h"

#include <string.h>

#include "base/err.h"
#include "fuzz.h"

static void look(const struct gp_findings *findings, const struct gp_policy_verdict *verdict)
{
	MUST(findings->host_count <= GP_POLICY_HOSTS_MAX);
	for (size_t i = 0; i < findings->host_count; i++) {
		const struct gp_policy_host *host = &findings->hosts[i];
		const struct gp_policy_host_verdict *demand = &verdict->hosts[i];

		MUST(host->record_count <= GP_POLICY_RECORDS_MAX);
		MUST(demand->level < GP_LEVEL_PKIX || demand->names.count);
		MUST(demand->level != GP_LEVEL_DANE || host->record_count);
	}
}

static void repeat(const struct gp_verdict_message *message)
{
	struct gp_verdict_message *again;
	char error[GP_VERDICT_ERROR_SIZE];
	struct gp_buf first, second;

	gp_buf_init(&first, GP_VERDICT_WIRE_MAX);
	gp_buf_init(&second, GP_VERDICT_WIRE_MAX);
	if (gp_verdict_encode(message->findings, &message->verdict, &first) == GP_OK) {
		MUST(gp_verdict_decode(gp_str_from(first.data, first.len), &again, error) == GP_OK);
		MUST(gp_verdict_encode(again->findings, &again->verdict, &second) == GP_OK);
		MUST(first.len == second.len && !memcmp(first.data, second.data, first.len));
		gp_verdict_message_free(again);
	}
	gp_buf_deinit(&first);
	gp_buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_verdict_message *message;
	char error[GP_VERDICT_ERROR_SIZE] = "";

	if (gp_verdict_decode(gp_str_from(data, size), &message, error) != GP_OK) {
		MUST(*error);
		return 0;
	}
	look(message->findings, &message->verdict);
	repeat(message);
	gp_verdict_message_free(message);
	return 0;
}
