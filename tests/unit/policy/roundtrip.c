/* SPDX-License-Identifier: MIT */
#include "roundtrip.h"

#include "base/err.h"
#include "policy/verdict_wire.h"
#include "table.h"

static void must(bool ok, const char *what)
{
	if (!ok)
		fail_msg("round trip: %s", what);
}

static void same_text(const char *a, const char *b, const char *what)
{
	must(!a == !b && (!a || !strcmp(a, b)), what);
}

static void compare_records(const struct gp_policy_host *a, const struct gp_policy_host *b)
{
	must(a->record_count == b->record_count, "records");
	for (size_t i = 0; i < a->record_count; i++) {
		const struct gp_tlsa *x = &a->records[i], *y = &b->records[i];

		must(x->usage == y->usage && x->selector == y->selector &&
			     x->matching == y->matching && x->data.len == y->data.len &&
			     !memcmp(x->data.p, y->data.p, x->data.len),
		     "a record");
	}
}

static void compare_hosts(const struct gp_policy_host *a, const struct gp_policy_host *b)
{
	same_text(a->name, b->name, "host");
	same_text(a->base, b->base, "base");
	same_text(a->why, b->why, "why of a host");
	must(a->preference == b->preference, "preference");
	must(a->address == b->address && a->address_count == b->address_count, "addresses");
	for (size_t i = 0; i < a->address_count; i++)
		must(gp_endpoint_same_ip(&a->addresses[i], &b->addresses[i]), "an address");
	must(a->tlsa == b->tlsa, "TLSA");
	compare_records(a, b);
}

static void compare_host_verdicts(const struct gp_policy_host_verdict *a,
				  const struct gp_policy_host_verdict *b)
{
	must(a->dane == b->dane && a->level == b->level, "level");
	must(a->mx_validated == b->mx_validated && a->sts_listed == b->sts_listed, "listed");
	same_text(a->sni, b->sni, "SNI");
	same_text(a->reason, b->reason, "reason of a host");
	same_text(a->result_type, b->result_type, "result type");
	must(a->names.count == b->names.count, "names");
	for (size_t i = 0; i < a->names.count; i++)
		same_text(a->names.names[i], b->names.names[i], "a name");
}

static void compare_sts(const struct gp_policy_sts *a, const struct gp_policy_sts *b)
{
	must(a->txt == b->txt && a->pending == b->pending && a->unknown == b->unknown, "MTA-STS");
	same_text(a->id, b->id, "id");
	same_text(a->txt_why, b->txt_why, "why of the record");
	must(a->failure == b->failure, "failure");
	same_text(a->failure_detail, b->failure_detail, "detail");
	must(!a->policy == !b->policy, "policy");
	if (!a->policy)
		return;
	must(a->policy->mode == b->policy->mode && a->policy->max_age_s == b->policy->max_age_s,
	     "mode");
	same_text(a->policy->text, b->policy->text, "text");
	must(a->entry.fetched_at == b->entry.fetched_at, "fetched");
	must(a->entry.next_refresh_at == b->entry.next_refresh_at, "next refresh");
	must(a->entry.max_age_s == b->entry.max_age_s, "max age");
}

static void compare(const struct gp_findings *a, const struct gp_policy_verdict *v,
		    const struct gp_findings *b, const struct gp_policy_verdict *w)
{
	same_text(a->domain, b->domain, "domain");
	same_text(a->next_hop, b->next_hop, "next hop");
	same_text(a->mx_why, b->mx_why, "why of the MX");
	must(a->route == b->route && a->mx == b->mx, "route");
	must(a->too_many_hosts == b->too_many_hosts, "too many");
	must(a->ttl_s == b->ttl_s && a->at == b->at, "time");
	compare_sts(&a->sts, &b->sts);
	must(v->course == w->course && v->sts_mode == w->sts_mode, "course");
	same_text(v->reason, w->reason, "reason");
	must(a->host_count == b->host_count, "hosts");
	for (size_t i = 0; i < a->host_count; i++) {
		compare_hosts(&a->hosts[i], &b->hosts[i]);
		compare_host_verdicts(&v->hosts[i], &w->hosts[i]);
	}
}

void must_survive_the_wire(const struct gp_findings *findings,
			   const struct gp_policy_verdict *verdict)
{
	struct gp_verdict_message *message = NULL;
	char error[GP_VERDICT_ERROR_SIZE] = "";
	struct gp_buf text;

	gp_buf_init(&text, GP_VERDICT_WIRE_MAX);
	must(gp_verdict_encode(findings, verdict, &text) == GP_OK, "encode");
	if (gp_verdict_decode(gp_str_from(text.data, text.len), &message, error) != GP_OK)
		must(false, error);
	compare(findings, verdict, message->findings, &message->verdict);
	gp_verdict_message_free(message);
	gp_buf_deinit(&text);
}
