/* SPDX-License-Identifier: MIT */
#include "daemon/policy/policy_dns.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/process/event_rows.h"
#include "dns/name.h"

enum {
	TEST_MS = 20000,
	PAUSE_MS = 2000, /* after a failure; it grows */
	PAUSE_MS_MAX = 60000,
	AGAIN_MS = 300000,    /* after a success */
	SUSPICION_MS = 30000, /* one broken domain must not keep us busy */
};

struct slot {
	struct gp_resolver *resolver; /* or NULL */
	struct gp_watch watch;
};

struct gp_policy_dns {
	struct gp_loop *loop;
	const struct gp_conf_dns *conf;
	gp_policy_dns_changed changed;
	void *arg;
	struct slot current;
	struct slot trial;   /* of the test under way, but for the first */
	struct slot retired; /* until its last question has ended */
	struct gp_dns_question *question;
	struct gp_timer timer; /* to the next test, or to the end of this one */
	struct gp_timer conclusion;
	bool failed; /* there was no resolver at the start */
	bool tested;
	bool concluding; /* `conclusion` is set, and the trial still there */
	enum gp_policy_dns_state state, found;
	char why[GP_DNS_ERROR_SIZE];
	uint64_t pause_ms;
	uint64_t suspected_ms; /* when last */
};

/* ---- resolvers ---- */

static void on_resolver(void *arg, unsigned ready)
{
	struct slot *slot = arg;

	(void)ready;
	gp_resolver_process(slot->resolver);
}

static void watch(struct gp_policy_dns *dns, struct slot *slot)
{
	gp_watch_init(&slot->watch, dns->loop, gp_resolver_fd(slot->resolver), on_resolver, slot);
	gp_watch_set(&slot->watch, GP_READABLE);
}

static int open_slot(struct gp_policy_dns *dns, struct slot *slot,
		     char error[static GP_DNS_ERROR_SIZE])
{
	int ret = gp_policy_resolver_new(dns->conf, &slot->resolver, error);

	if (ret == GP_OK)
		watch(dns, slot);
	else
		slot->resolver = NULL;
	return ret;
}

static void close_slot(struct slot *slot)
{
	if (!slot->resolver)
		return;
	gp_watch_deinit(&slot->watch);
	gp_resolver_free(slot->resolver);
	slot->resolver = NULL;
}

static void move_slot(struct gp_policy_dns *dns, struct slot *from, struct slot *to)
{
	gp_watch_deinit(&from->watch);
	to->resolver = from->resolver;
	from->resolver = NULL;
	watch(dns, to);
}

static void drop_retired(struct gp_policy_dns *dns)
{
	if (dns->retired.resolver && !gp_resolver_pending(dns->retired.resolver))
		close_slot(&dns->retired);
}

/* The trial has succeeded: it is the resolver from now on. */
static void adopt_trial(struct gp_policy_dns *dns)
{
	move_slot(dns, &dns->current, &dns->retired);
	move_slot(dns, &dns->trial, &dns->current);
}

/* ---- tests ---- */

static const char *zone_of(const struct gp_policy_dns *dns)
{
	return dns->conf->self_test;
}

static void plan(struct gp_policy_dns *dns)
{
	if (dns->state == GP_POLICY_DNS_PROVED) {
		dns->pause_ms = PAUSE_MS;
		gp_timer_set(&dns->timer, AGAIN_MS);
		return;
	}
	gp_timer_set(&dns->timer, dns->pause_ms);
	dns->pause_ms *= 2;
	if (dns->pause_ms > PAUSE_MS_MAX)
		dns->pause_ms = PAUSE_MS_MAX;
}

/* Each failure, and the end of failures. */
static void tell(const struct gp_policy_dns *dns)
{
	if (dns->found != GP_POLICY_DNS_PROVED)
		gp_event(RESOLVER_FAILED, GP_LOG_TEXT_FIELD("zone", zone_of(dns)),
			 GP_LOG_TEXT_FIELD("reason", dns->why),
			 GP_LOG_NUMBER_FIELD("next-try", dns->pause_ms / 1000));
	else if (dns->state != GP_POLICY_DNS_PROVED && (dns->tested || dns->failed))
		gp_event(RESOLVER_VALIDATES, GP_LOG_TEXT_FIELD("zone", zone_of(dns)));
}

/* A failure to answer proves nothing: what was refuted stays so until it is proved. */
static enum gp_policy_dns_state next_state(const struct gp_policy_dns *dns)
{
	if (dns->found == GP_POLICY_DNS_UNPROVED && dns->tested &&
	    dns->state == GP_POLICY_DNS_REFUTED)
		return GP_POLICY_DNS_REFUTED;
	return dns->found;
}

static void on_conclusion(void *arg)
{
	struct gp_policy_dns *dns = arg;
	enum gp_policy_dns_state state = next_state(dns);
	bool change = !dns->tested || state != dns->state;

	dns->concluding = false;
	tell(dns);
	/* the current one may remember failures */
	if (dns->trial.resolver && change && state == GP_POLICY_DNS_PROVED)
		adopt_trial(dns);
	else
		close_slot(&dns->trial);
	dns->state = state;
	dns->tested = true;
	plan(dns);
	if (change)
		dns->changed(dns->arg, dns->current.resolver, state);
}

/* Not at once: a resolver must not be freed while it calls us. */
static void conclude(struct gp_policy_dns *dns, enum gp_policy_dns_state found, const char *what,
		     const char *why)
{
	dns->question = NULL;
	dns->found = found;
	snprintf(dns->why, sizeof(dns->why), "%s%s%s", what, why ? ": " : "", why ? why : "");
	gp_timer_stop(&dns->timer);
	dns->concluding = true;
	gp_timer_set(&dns->conclusion, 0);
}

static void on_keys(void *arg, const struct gp_dns_answer *answer)
{
	static const char *const whats[] = {
		[GP_SECURE] = "",
		[GP_INSECURE] = "the zone's keys are not secure: check dns.trust-anchors and "
				"dns.forwarders, or set dns.dnssec = \"off\"",
		[GP_BOGUS] = "DNSSEC validation of the zone's keys failed (bogus): check "
			     "dns.trust-anchors and dns.forwarders",
		[GP_DNS_ERROR] = "no answer",
	};

	conclude(arg, gp_policy_dns_state_of(answer->provenance), whats[answer->provenance],
		 answer->why);
}

static void begin_test(struct gp_policy_dns *dns)
{
	char error[GP_DNS_ERROR_SIZE];

	drop_retired(dns);
	/* there is room for one that still has questions, so this test goes without a new one */
	if (dns->tested && !dns->retired.resolver && open_slot(dns, &dns->trial, error) != GP_OK) {
		/* that says nothing of the one in use */
		conclude(dns, GP_POLICY_DNS_UNPROVED, error, NULL);
		return;
	}
	if (gp_resolver_ask(dns->trial.resolver ? dns->trial.resolver : dns->current.resolver,
			    zone_of(dns), GP_DNS_DNSKEY, on_keys, dns, &dns->question) == GP_OK)
		gp_timer_set(&dns->timer, TEST_MS);
	else
		conclude(dns, GP_POLICY_DNS_UNPROVED, "the DNS question could not be sent", NULL);
}

/* Without a resolver nothing can be believed; it is tried again, as the files may be mended. */
static void start(struct gp_policy_dns *dns)
{
	if (open_slot(dns, &dns->current, dns->why) != GP_OK) {
		dns->found = dns->state = GP_POLICY_DNS_REFUTED;
		dns->failed = true;
		tell(dns);
		plan(dns);
		dns->changed(dns->arg, NULL, GP_POLICY_DNS_REFUTED);
	} else if (dns->conf->dnssec == GP_CONF_DNSSEC_OFF) {
		dns->found = GP_POLICY_DNS_PROVED;
		tell(dns);
		dns->state = GP_POLICY_DNS_PROVED;
		dns->changed(dns->arg, dns->current.resolver, GP_POLICY_DNS_PROVED);
	} else {
		begin_test(dns);
	}
}

static void on_time(void *arg)
{
	struct gp_policy_dns *dns = arg;

	if (!dns->current.resolver) {
		start(dns);
		return;
	}
	if (!dns->question) {
		begin_test(dns);
		return;
	}
	gp_dns_question_cancel(dns->question);
	conclude(dns, GP_POLICY_DNS_UNPROVED, "no answer in time", NULL);
}

void gp_policy_dns_suspect(struct gp_policy_dns *dns)
{
	uint64_t now_ms = gp_time_mono_ms();

	if (dns->state != GP_POLICY_DNS_PROVED || dns->question || dns->concluding ||
	    !dns->tested || (dns->suspected_ms && now_ms - dns->suspected_ms < SUSPICION_MS))
		return;
	dns->suspected_ms = now_ms;
	gp_timer_set(&dns->timer, 0);
}

/* ---- life ---- */

int gp_policy_dns_new(struct gp_loop *loop, const struct gp_conf_dns *conf,
		      gp_policy_dns_changed changed, void *arg, struct gp_policy_dns **dns_out,
		      char error[static GP_DNS_ERROR_SIZE])
{
	struct gp_policy_dns *dns = calloc(1, sizeof(*dns));
	char name[GP_DNS_NAME_SIZE];

	snprintf(error, GP_DNS_ERROR_SIZE, "out of memory");
	if (!dns)
		return GP_E_NOMEM;
	if (gp_dns_name_normalize(conf->self_test, name) != GP_OK) {
		snprintf(error, GP_DNS_ERROR_SIZE, "dns.self-test is not the name of a zone");
		free(dns);
		return GP_E_CONF;
	}
	*dns = (struct gp_policy_dns){
		.loop = loop, .conf = conf, .changed = changed, .arg = arg, .pause_ms = PAUSE_MS
	};
	gp_timer_init(&dns->timer, loop, on_time, dns);
	gp_timer_init(&dns->conclusion, loop, on_conclusion, dns);
	*dns_out = dns;
	start(dns);
	return GP_OK;
}

void gp_policy_dns_free(struct gp_policy_dns *dns)
{
	if (!dns)
		return;
	gp_timer_stop(&dns->timer);
	gp_timer_stop(&dns->conclusion);
	gp_dns_question_cancel(dns->question);
	close_slot(&dns->trial);
	close_slot(&dns->retired);
	close_slot(&dns->current);
	free(dns);
}
