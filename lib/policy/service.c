/* SPDX-License-Identifier: MIT */
#include "policy/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/overrides.h"

static const char no_memory[] = "out of memory";

struct gp_service {
	struct gp_service_config config;
};

/* A question for which findings are being gathered. */
struct gp_service_waiter {
	struct gp_service *service;
	struct gp_verdict_waiter *waiter;
	enum gp_postfix_dialect dialect;
	gp_service_answered answered;
	void *arg;
};

struct gp_service *gp_service_new(const struct gp_service_config *config)
{
	struct gp_service *service = calloc(1, sizeof(*service));

	if (service)
		service->config = *config;
	return service;
}

void gp_service_free(struct gp_service *service)
{
	free(service);
}

struct gp_postfix_answer gp_service_answer_of(const struct gp_verdict_reply *reply,
					      const struct gp_policy_rules *rules)
{
	if (reply->held)
		return (struct gp_postfix_answer){ .level = GP_POSTFIX_TEMP,
						   .reason = reply->held };
	return gp_postfix_judge(reply->findings, rules, reply->verdict);
}

/* ---- answering ---- */

static void count(const struct gp_service *service, enum gp_postfix_level level,
		  enum gp_verdict_source source)
{
	if (service->config.on_answer)
		service->config.on_answer(service->config.arg, level, source);
}

/* The reply as text in `text`; false without memory, or for a policy that is too long. */
static bool word_reply(const struct gp_wording *wording, const struct gp_findings *findings,
		       enum gp_postfix_dialect dialect, enum gp_socketmap_word *word_out,
		       struct gp_buf *text)
{
	return gp_postfix_format(&wording->answer, findings->domain, findings->sts.policy, dialect,
				 word_out, text) == GP_OK &&
	       gp_buf_cstr(text);
}

static void answer(struct gp_service *service, const struct gp_verdict_reply *reply,
		   struct gp_wording *wording, enum gp_postfix_dialect dialect,
		   gp_service_answered answered, void *arg)
{
	enum gp_socketmap_word word = GP_SOCKETMAP_TEMP;
	struct gp_buf text;

	gp_buf_init(&text, GP_SOCKETMAP_REPLY_MAX);
	if (wording && word_reply(wording, reply->findings, dialect, &word, &text)) {
		count(service, wording->answer.level, reply->source);
		if (reply->known && word == GP_SOCKETMAP_OK)
			wording->reply[dialect] = strdup(gp_buf_cstr(&text));
		answered(arg, word, gp_str_from(text.data, text.len));
	} else {
		count(service, GP_POSTFIX_TEMP, reply->source);
		answered(arg, GP_SOCKETMAP_TEMP,
			 gp_str_of("out of memory, or the MTA-STS policy is too long"));
	}
	gp_buf_deinit(&text);
}

/* The words of a verdict in memory are kept there, those of another are made for this answer. */
static void answer_reply(struct gp_service *service, const struct gp_verdict_reply *reply,
			 enum gp_postfix_dialect dialect, gp_service_answered answered, void *arg)
{
	struct gp_wording *wording = reply->known ? reply->known->wording : NULL;
	struct gp_postfix_answer found;

	if (!wording) {
		found = gp_service_answer_of(reply, gp_verdicts_rules(service->config.verdicts));
		wording = gp_wording_new(&found, reply->findings, reply->verdict);
		if (reply->known)
			reply->known->wording = wording;
	}
	answer(service, reply, wording, dialect, answered, arg);
	if (!reply->known)
		gp_wording_free(wording);
}

/* By far the most questions end here. */
static bool answer_again(struct gp_service *service, const struct gp_known_domain *known,
			 enum gp_postfix_dialect dialect, gp_service_answered answered, void *arg)
{
	const struct gp_wording *wording = known->wording;
	enum gp_socketmap_word word = GP_SOCKETMAP_OK;
	const char *text;

	if (!wording || !gp_known_domain_is_good(known))
		return false;
	text = wording->reply[dialect];
	if (gp_postfix_finds_nothing(&wording->answer, dialect)) {
		word = GP_SOCKETMAP_NOTFOUND;
		text = "";
	}
	if (!text)
		return false;
	count(service, wording->answer.level, GP_FROM_MEMORY);
	answered(arg, word, gp_str_of(text));
	return true;
}

static bool answer_by_override(struct gp_service *service, const struct gp_known_domain *known,
			       gp_service_answered answered, void *arg)
{
	const struct gp_override *override = gp_override_in_force(known);

	if (!override)
		return false;
	count(service, GP_POSTFIX_NOTFOUND, GP_FROM_OVERRIDE);
	answered(arg, GP_SOCKETMAP_OK, gp_str_of(override->level));
	return true;
}

/* ---- asking ---- */

static void on_reply(void *arg, const struct gp_verdict_reply *reply)
{
	struct gp_service_waiter waiter = *(struct gp_service_waiter *)arg;

	free(arg);
	if (reply)
		answer_reply(waiter.service, reply, waiter.dialect, waiter.answered, waiter.arg);
	else
		waiter.answered(waiter.arg, GP_SOCKETMAP_TEMP, gp_str_of(no_memory));
}

/* The waiter is freed when it is answered, which may be before this returns. */
static void ask_verdicts(struct gp_service *service, const char *domain,
			 enum gp_postfix_dialect dialect, gp_service_answered answered, void *arg,
			 struct gp_service_waiter **waiter_out)
{
	struct gp_service_waiter *waiter = calloc(1, sizeof(*waiter));
	struct gp_verdict_waiter *later;

	if (!waiter) {
		answered(arg, GP_SOCKETMAP_TEMP, gp_str_of(no_memory));
		return;
	}
	waiter->service = service;
	waiter->dialect = dialect;
	waiter->answered = answered;
	waiter->arg = arg;
	gp_verdicts_ask(service->config.verdicts, domain, on_reply, waiter, &later);
	if (!later)
		return;
	waiter->waiter = later;
	*waiter_out = waiter;
}

/* What is no domain needs no policy. A domain that Postfix can read and we cannot may have one. */
static void answer_without_domain(struct gp_service *service, struct gp_str key, int why,
				  gp_service_answered answered, void *arg)
{
	if (why == GP_E_NOT_FOUND) {
		answered(arg, GP_SOCKETMAP_NOTFOUND, gp_str_of(""));
		return;
	}
	if (service->config.on_unreadable)
		service->config.on_unreadable(service->config.arg, key);
	answered(arg, GP_SOCKETMAP_TEMP,
		 gp_str_of(why == GP_E_LIMIT ? GP_POSTFIX_KEY_UNREADABLE : no_memory));
}

void gp_service_ask(struct gp_service *service, struct gp_str key, enum gp_postfix_dialect dialect,
		    gp_service_answered answered, void *arg, struct gp_service_waiter **waiter_out)
{
	char domain[GP_POLICY_NAME_SIZE];
	const struct gp_known_domain *known;
	int ret;

	*waiter_out = NULL;
	ret = gp_postfix_domain_of_key(key, domain);
	if (ret != GP_OK) {
		answer_without_domain(service, key, ret, answered, arg);
		return;
	}
	known = gp_domains_find(service->config.domains, domain);
	if (known && (answer_by_override(service, known, answered, arg) ||
		      answer_again(service, known, dialect, answered, arg)))
		return;
	ask_verdicts(service, domain, dialect, answered, arg, waiter_out);
}

/* The inquiry goes on for others. */
void gp_service_waiter_cancel(struct gp_service_waiter *waiter)
{
	if (!waiter)
		return;
	gp_verdict_waiter_cancel(waiter->waiter);
	free(waiter);
}
