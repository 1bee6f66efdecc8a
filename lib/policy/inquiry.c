/* SPDX-License-Identifier: MIT */
#include "policy/inquiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "base/txt.h"
#include "dns/name.h"
#include "identity/mail_domain.h"
#include "mtasts/record.h"
#include "policy/inquiry_hosts.h"

enum { TXT_BYTES_MAX = 64 * 1024, TXT_RECORDS_MAX = 100, LATE_S = 10 };

static const char late[] = "no answer in time";

struct gp_inquiry {
	const struct gp_inquiry_tools *tools;
	struct gp_findings *findings;
	gp_inquiry_done done;
	void *arg;
	enum gp_inquiry_state state;
	struct gp_dns_question *mx, *txt;
	struct gp_consultation *consultation;
	struct gp_host_inquiries *hosts;
	bool sts_ended;
	struct gp_timer dns_deadline, sts_deadline;
};

/* ---- states ---- */

const char *gp_inquiry_state_name(enum gp_inquiry_state state)
{
	static const char *const names[] = {
		[GP_INQUIRY_NEW] = "new",     [GP_INQUIRY_ROUTE] = "mx",
		[GP_INQUIRY_HOSTS] = "hosts", [GP_INQUIRY_POLICY] = "mta-sts",
		[GP_INQUIRY_DONE] = "done",   [GP_INQUIRY_CANCELLED] = "cancelled",
	};

	return names[state];
}

static void set_state(struct gp_inquiry *inquiry, enum gp_inquiry_state state)
{
	const struct gp_inquiry_tools *tools = inquiry->tools;

	if (tools->on_state)
		tools->on_state(tools->state_arg, inquiry->findings->domain, inquiry->state, state);
	inquiry->state = state;
}

/* ---- the end ---- */

static void inquiry_free(struct gp_inquiry *inquiry)
{
	gp_timer_stop(&inquiry->dns_deadline);
	gp_timer_stop(&inquiry->sts_deadline);
	gp_dns_question_cancel(inquiry->mx);
	gp_dns_question_cancel(inquiry->txt);
	gp_sts_cache_consultation_cancel(inquiry->consultation);
	gp_host_inquiries_free(inquiry->hosts);
	gp_findings_free(inquiry->findings);
	free(inquiry);
}

static void end(struct gp_inquiry *inquiry)
{
	struct gp_findings *findings = inquiry->findings;
	gp_inquiry_done done = inquiry->done;
	void *arg = inquiry->arg;

	set_state(inquiry, GP_INQUIRY_DONE);
	gp_host_inquiries_free(inquiry->hosts);
	inquiry->hosts = NULL;
	inquiry->findings = NULL;
	inquiry_free(inquiry);
	done(arg, findings);
}

/* Two ways lead to the end, MX to hosts and the record to the policy. The states follow the first
 * one: it is the longer one unless a policy has to be fetched. */
static void go_on(struct gp_inquiry *inquiry)
{
	if (inquiry->state == GP_INQUIRY_ROUTE && !inquiry->mx)
		set_state(inquiry, GP_INQUIRY_HOSTS);
	if (inquiry->state == GP_INQUIRY_HOSTS && gp_host_inquiries_ended(inquiry->hosts))
		set_state(inquiry, GP_INQUIRY_POLICY);
	if (inquiry->state == GP_INQUIRY_POLICY && inquiry->sts_ended)
		end(inquiry);
}

void gp_inquiry_cancel(struct gp_inquiry *inquiry)
{
	if (!inquiry)
		return;
	set_state(inquiry, GP_INQUIRY_CANCELLED);
	inquiry_free(inquiry);
}

/* ---- hosts ---- */

/* With an insecure MX record they are not asked for, unless the operator wants it. */
static bool hosts_matter(const struct gp_inquiry *inquiry)
{
	const struct gp_findings *findings = inquiry->findings;

	return findings->route == GP_ROUTE_IMPLICIT || findings->mx == GP_SECURE ||
	       inquiry->tools->ask_all_hosts;
}

static void on_hosts(void *arg)
{
	go_on(arg);
}

static void ask_hosts(struct gp_inquiry *inquiry)
{
	if (inquiry->findings->host_count && hosts_matter(inquiry))
		inquiry->hosts = gp_host_inquiries_start(inquiry->tools, inquiry->findings,
							 on_hosts, inquiry);
}

/* ---- MX ---- */

static int by_preference(const void *a, const void *b)
{
	const struct gp_policy_host *left = a, *right = b;

	if (left->preference != right->preference)
		return left->preference < right->preference ? -1 : 1;
	return strcmp(left->name, right->name);
}

static void fail_mx(struct gp_inquiry *inquiry, enum gp_provenance provenance, const char *why)
{
	struct gp_findings *findings = inquiry->findings;

	findings->route = GP_ROUTE_UNKNOWN;
	findings->mx = provenance;
	findings->mx_why = strdup(why);
	findings->host_count = 0;
}

static void add_host(struct gp_findings *findings, const char *name, uint16_t preference)
{
	struct gp_policy_host *host = &findings->hosts[findings->host_count++];

	gp_str_copy(gp_str_of(name), host->name, sizeof(host->name));
	host->preference = preference;
}

/* Postfix leaves out what is neither a host name nor an address. */
static bool can_be_host(const char *name)
{
	struct gp_endpoint address;

	return gp_mail_domain_is_host(name) || gp_endpoint_parse_ip(name, &address) == GP_OK;
}

/* The order of the records is the name server's: which are too many is seen when they are sorted. */
static void sort_hosts(struct gp_findings *findings)
{
	struct gp_policy_host *fewer;

	qsort(findings->hosts, findings->host_count, sizeof(*findings->hosts), by_preference);
	findings->too_many_hosts = findings->host_count > GP_POLICY_HOSTS_MAX;
	if (!findings->too_many_hosts)
		return;
	findings->host_count = GP_POLICY_HOSTS_MAX;
	fewer = reallocarray(findings->hosts, findings->host_count, sizeof(*fewer));
	findings->hosts = fewer ? fewer : findings->hosts;
}

static void list_hosts(struct gp_inquiry *inquiry, const struct gp_dns_answer *answer)
{
	struct gp_findings *findings = inquiry->findings;
	struct gp_dns_mx mx;
	bool null_mx = false;

	for (size_t i = 0; i < answer->count; i++) {
		if (gp_dns_mx_parse(answer->records[i], &mx) != GP_OK)
			continue;
		if (can_be_host(mx.exchange))
			add_host(findings, mx.exchange, mx.preference);
		else if (!mx.exchange[0])
			null_mx = answer->count == 1;
	}
	findings->route = null_mx ? GP_ROUTE_NULL_MX : GP_ROUTE_MX;
	if (!null_mx && !findings->host_count)
		fail_mx(inquiry, GP_DNS_ERROR, "no MX record names a host");
	else
		sort_hosts(findings);
}

static void find_route(struct gp_inquiry *inquiry, const struct gp_dns_answer *answer)
{
	struct gp_findings *findings = inquiry->findings;

	findings->mx = answer->provenance;
	if (!gp_provenance_is_answer(answer->provenance)) {
		fail_mx(inquiry, answer->provenance, answer->why);
		return;
	}
	/* an insecure alias leads to no name that a certificate may have (RFC 7672 section 3.2.2) */
	if (answer->provenance == GP_SECURE)
		gp_str_copy(gp_str_of(answer->canonical), findings->next_hop,
			    sizeof(findings->next_hop));
	if (!answer->name_exists) {
		findings->route = GP_ROUTE_NO_SUCH_DOMAIN;
		return;
	}
	findings->hosts = calloc(answer->count ? answer->count : 1, sizeof(*findings->hosts));
	if (!findings->hosts) {
		fail_mx(inquiry, GP_DNS_ERROR, "out of memory");
	} else if (answer->count) {
		list_hosts(inquiry, answer);
	} else {
		findings->route = GP_ROUTE_IMPLICIT;
		add_host(findings, findings->domain, 0);
	}
}

static void on_mx(void *arg, const struct gp_dns_answer *answer)
{
	struct gp_inquiry *inquiry = arg;

	inquiry->mx = NULL;
	gp_inquiry_note_ttl(inquiry->findings, answer);
	find_route(inquiry, answer);
	ask_hosts(inquiry);
	go_on(inquiry);
}

/* ---- MTA-STS ---- */

static void on_policy(void *arg)
{
	struct gp_inquiry *inquiry = arg;

	inquiry->consultation = NULL;
	inquiry->sts_ended = true;
	go_on(inquiry);
}

static void consult(struct gp_inquiry *inquiry)
{
	if (gp_sts_cache_consult(inquiry->tools->sts_cache, inquiry->findings->domain,
				 &inquiry->findings->sts, on_policy, inquiry,
				 &inquiry->consultation) == GP_OK)
		return;
	inquiry->findings->sts.unknown = true;
	on_policy(inquiry);
}

static void read_record(struct gp_policy_sts *sts, const struct gp_dns_answer *answer)
{
	struct gp_str texts[TXT_RECORDS_MAX];
	size_t starts[TXT_RECORDS_MAX + 1] = { 0 }, count = 0;
	struct gp_buf joined;

	gp_buf_init(&joined, TXT_BYTES_MAX);
	for (size_t i = 0; i < answer->count && count < TXT_RECORDS_MAX; i++) {
		const struct gp_dns_rdata *rdata = &answer->records[i];

		starts[count] = joined.len;
		if (gp_txt_join(gp_str_from(rdata->data, rdata->len), &joined) == GP_OK)
			starts[++count] = joined.len;
	}
	for (size_t i = 0; i < count; i++)
		texts[i] = gp_str_from(joined.data ? joined.data + starts[i] : NULL,
				       starts[i + 1] - starts[i]);
	sts->txt = gp_mtasts_record_find(texts, count, sts->id, &sts->txt_why) == GP_OK
			   ? GP_MTASTS_TXT_RECORD
			   : GP_MTASTS_TXT_NONE;
	gp_buf_deinit(&joined);
}

static void note_no_txt(struct gp_policy_sts *sts)
{
	sts->txt = GP_MTASTS_TXT_NONE;
	sts->txt_why = "there is no TXT record (RFC 8461 section 3.1)";
}

static void fail_txt(struct gp_policy_sts *sts)
{
	sts->txt = GP_MTASTS_TXT_FAILED;
	sts->txt_why = "the lookup of the TXT record failed (RFC 8461 section 3.1)";
}

static void on_txt(void *arg, const struct gp_dns_answer *answer)
{
	struct gp_inquiry *inquiry = arg;
	struct gp_policy_sts *sts = &inquiry->findings->sts;

	inquiry->txt = NULL;
	gp_inquiry_note_ttl(inquiry->findings, answer);
	if (!gp_provenance_is_answer(answer->provenance))
		fail_txt(sts);
	else if (answer->count)
		read_record(sts, answer);
	else
		note_no_txt(sts);
	consult(inquiry);
}

/* ---- deadlines ---- */

static void on_dns_deadline(void *arg)
{
	struct gp_inquiry *inquiry = arg;

	if ((inquiry->mx || inquiry->txt || !gp_host_inquiries_ended(inquiry->hosts)) &&
	    inquiry->findings->ttl_s > LATE_S)
		inquiry->findings->ttl_s = LATE_S;
	if (inquiry->mx) {
		gp_dns_question_cancel(inquiry->mx);
		inquiry->mx = NULL;
		fail_mx(inquiry, GP_DNS_ERROR, late);
	}
	gp_host_inquiries_end(inquiry->hosts);
	if (!inquiry->txt) {
		go_on(inquiry);
		return;
	}
	/* not the end: nothing is known of the policy yet */
	go_on(inquiry);
	gp_dns_question_cancel(inquiry->txt);
	inquiry->txt = NULL;
	fail_txt(&inquiry->findings->sts);
	consult(inquiry);
}

static void on_sts_deadline(void *arg)
{
	struct gp_inquiry *inquiry = arg;

	if (!inquiry->consultation)
		return;
	gp_sts_cache_consultation_hurry(inquiry->consultation);
	on_policy(inquiry);
}

/* ---- start ---- */

static int ask_first(struct gp_inquiry *inquiry)
{
	struct gp_resolver *resolver = inquiry->tools->resolver;
	char name[GP_POLICY_NAME_SIZE + 16];
	int ret = gp_resolver_ask(resolver, inquiry->findings->domain, GP_DNS_MX, on_mx, inquiry,
				  &inquiry->mx);

	if (ret != GP_OK)
		return ret;
	snprintf(name, sizeof(name), "_mta-sts.%s", inquiry->findings->domain);
	ret = gp_resolver_ask(resolver, name, GP_DNS_TXT, on_txt, inquiry, &inquiry->txt);
	if (ret != GP_E_SYNTAX)
		return ret;
	/* too long a name for a record to be there */
	inquiry->sts_ended = true;
	return GP_OK;
}

int gp_inquiry_start(const struct gp_inquiry_tools *tools, const char *domain, gp_inquiry_done done,
		     void *arg, struct gp_inquiry **inquiry_out)
{
	struct gp_inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (!inquiry)
		return GP_E_NOMEM;
	inquiry->tools = tools;
	inquiry->done = done;
	inquiry->arg = arg;
	gp_timer_init(&inquiry->dns_deadline, tools->loop, on_dns_deadline, inquiry);
	gp_timer_init(&inquiry->sts_deadline, tools->loop, on_sts_deadline, inquiry);
	inquiry->findings = gp_findings_new(domain);
	if (!inquiry->findings || ask_first(inquiry) != GP_OK) {
		inquiry_free(inquiry);
		return GP_E_NOMEM;
	}
	set_state(inquiry, GP_INQUIRY_ROUTE);
	inquiry->findings->at = (int64_t)(gp_time_utc_ms() / 1000);
	gp_timer_set(&inquiry->dns_deadline, tools->dns_time_ms);
	gp_timer_set(&inquiry->sts_deadline, tools->sts_time_ms);
	*inquiry_out = inquiry;
	return GP_OK;
}
