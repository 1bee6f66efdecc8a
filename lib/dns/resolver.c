/* SPDX-License-Identifier: MIT */
#include "dns/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>

#include "base/err.h"
#include "dns/name.h"

enum { CLASS_IN = 1, RECORDS_MAX = 1000, RCODE_NOERROR = 0, RCODE_NXDOMAIN = 3 };

struct gp_resolver {
	struct ub_ctx *context;
	size_t pending;
};

struct gp_dns_question {
	struct gp_resolver *resolver;
	char name[GP_DNS_NAME_SIZE];
	gp_dns_answered answered;
	void *arg;
	int id;
};

/* ---- set-up ---- */

/* A thousand hosts are a few megabytes; libunbound's own default would be more for each cache. Its
 * default of 16 questions under way lets a few silent servers keep all others waiting. */
static const char *const options[][2] = {
	{ "outgoing-range:", "4096" },
	{ "outgoing-num-tcp:", "256" },
	{ "msg-cache-size:", "2m" },
	{ "rrset-cache-size:", "4m" },
	{ "key-cache-size:", "512k" },
	{ "neg-cache-size:", "256k" },
	{ "infra-cache-numhosts:", "2000" },
	{ "use-syslog:", "no" },
	/* the log of the process is ours */
	{ "verbosity:", "0" },
};

static int fail(char error[static GP_DNS_ERROR_SIZE], const char *what, const char *which, int code)
{
	const char *why = code == UB_READFILE || code == UB_SYNTAX
				  ? "cannot be read, or has an error"
				  : ub_strerror(code);

	snprintf(error, GP_DNS_ERROR_SIZE, "%s \"%s\": %s", what, which, why);
	return code == UB_NOMEM ? GP_E_NOMEM : GP_E_CONF;
}

static int set_options(struct ub_ctx *context, char error[static GP_DNS_ERROR_SIZE])
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		int code = ub_ctx_set_option(context, options[i][0], options[i][1]);

		if (code)
			return fail(error, "resolver option", options[i][0], code);
	}
	return GP_OK;
}

static int add_forwarders(struct ub_ctx *context, const struct gp_resolver_config *config,
			  char error[static GP_DNS_ERROR_SIZE])
{
	int code = 0;

	/* one may well be on loopback, which libunbound does not ask by itself */
	if (config->forwarder_count)
		code = ub_ctx_set_option(context, "do-not-query-localhost:", "no");
	for (size_t i = 0; i < config->forwarder_count && !code; i++) {
		code = ub_ctx_set_fwd(context, config->forwarders[i]);
		if (code)
			return fail(error, "forwarder", config->forwarders[i], code);
	}
	return code ? fail(error, "resolver option", "do-not-query-localhost", code) : GP_OK;
}

/* libunbound reads the file with the first question only, and says no more then than that it
 * failed. */
static int add_trust_anchors(struct ub_ctx *context, const char *path,
			     char error[static GP_DNS_ERROR_SIZE])
{
	FILE *file = fopen(path, "re");
	int code;

	if (!file) {
		snprintf(error, GP_DNS_ERROR_SIZE,
			 "dns.trust-anchors: cannot read %s: %s (Debian's package dns-root-data "
			 "contains the file for the root)",
			 path, strerror(errno));
		return GP_E_CONF;
	}
	fclose(file);
	code = ub_ctx_add_ta_file(context, path);
	return code ? fail(error, "trust anchors", path, code) : GP_OK;
}

static int configure(struct ub_ctx *context, const struct gp_resolver_config *config,
		     char error[static GP_DNS_ERROR_SIZE])
{
	int ret = set_options(context, error);
	int code;

	/* the operator's file comes later, so that it wins */
	if (ret == GP_OK && config->unbound_conf) {
		code = ub_ctx_config(context, config->unbound_conf);
		if (code)
			ret = fail(error, "resolver configuration", config->unbound_conf, code);
	}
	if (ret == GP_OK && config->trust_anchors)
		ret = add_trust_anchors(context, config->trust_anchors, error);
	if (ret == GP_OK)
		ret = add_forwarders(context, config, error);
	if (ret != GP_OK)
		return ret;
	code = ub_ctx_async(context, 1);
	return code ? fail(error, "resolver", "thread", code) : GP_OK;
}

int gp_resolver_new(const struct gp_resolver_config *config, struct gp_resolver **resolver_out,
		    char error[static GP_DNS_ERROR_SIZE])
{
	struct gp_resolver *resolver = calloc(1, sizeof(*resolver));
	int ret;

	if (resolver)
		resolver->context = ub_ctx_create();
	if (!resolver || !resolver->context) {
		free(resolver);
		return fail(error, "resolver", "context", UB_NOMEM);
	}
	ret = configure(resolver->context, config, error);
	if (ret == GP_OK)
		*resolver_out = resolver;
	else
		gp_resolver_free(resolver);
	return ret;
}

void gp_resolver_free(struct gp_resolver *resolver)
{
	if (!resolver)
		return;
	ub_ctx_delete(resolver->context);
	free(resolver);
}

int gp_resolver_fd(const struct gp_resolver *resolver)
{
	return ub_fd(resolver->context);
}

void gp_resolver_process(struct gp_resolver *resolver)
{
	ub_process(resolver->context);
}

size_t gp_resolver_pending(const struct gp_resolver *resolver)
{
	return resolver->pending;
}

/* ---- answers ---- */

static void answer_error(struct gp_dns_answer *answer, const char *why)
{
	answer->provenance = GP_DNS_ERROR;
	answer->records = NULL;
	answer->count = 0;
	answer->why = why;
}

static const char *describe_rcode(int rcode)
{
	static const char *const sentences[] = {
		[1] = "the name servers found our question malformed (FORMERR)",
		[2] = "the name servers failed or did not answer (SERVFAIL)",
		[4] = "the name servers do not implement the question (NOTIMP)",
		[5] = "the name servers refused to answer (REFUSED)",
	};
	bool known = rcode > 0 && (size_t)rcode < sizeof(sentences) / sizeof(*sentences) &&
		     sentences[rcode];

	return known ? sentences[rcode] : "the name servers answered with an unknown error";
}

/* In this order: bogus answers carry data and no error code. */
static void judge(const struct ub_result *result, struct gp_dns_answer *answer)
{
	if (result->bogus) {
		answer_error(answer, result->why_bogus ? result->why_bogus : "validation failed");
		answer->provenance = GP_BOGUS;
	} else if (result->rcode != RCODE_NOERROR && result->rcode != RCODE_NXDOMAIN) {
		answer_error(answer, describe_rcode(result->rcode));
	} else {
		answer->provenance = result->secure ? GP_SECURE : GP_INSECURE;
	}
}

/* libunbound gives two arrays, ended by NULL. */
static int list_records(const struct ub_result *result, struct gp_dns_rdata *records)
{
	size_t count = 0;

	for (; result->data[count]; count++) {
		if (count == RECORDS_MAX || result->len[count] < 0)
			return -1;
		records[count].data = (const uint8_t *)result->data[count];
		records[count].len = (size_t)result->len[count];
	}
	return (int)count;
}

static void tell(const struct gp_dns_question *question, const struct ub_result *result)
{
	struct gp_dns_rdata records[RECORDS_MAX];
	char canonical[GP_DNS_NAME_SIZE];
	struct gp_dns_answer answer = { .provenance = GP_DNS_ERROR,
					.name_exists = !result->nxdomain,
					.canonical = question->name,
					.ttl_s = result->ttl > 0 ? (uint32_t)result->ttl : 0 };
	int count = result->havedata ? list_records(result, records) : 0;

	answer.records = records;
	answer.count = count > 0 ? (size_t)count : 0;
	judge(result, &answer);
	if (count < 0)
		answer_error(&answer, "the answer contains too many records");
	else if (result->canonname) {
		if (gp_dns_name_normalize(result->canonname, canonical) == GP_OK)
			answer.canonical = canonical;
		else if (answer.count)
			answer_error(&answer, "a CNAME points to a name that is not a host name");
	}
	question->answered(question->arg, &answer);
}

static void on_result(void *arg, int code, struct ub_result *result)
{
	struct gp_dns_question *question = arg;
	struct gp_dns_answer answer = { .canonical = question->name };

	question->resolver->pending--;
	if (code || !result) {
		answer_error(&answer, ub_strerror(code));
		question->answered(question->arg, &answer);
	} else {
		tell(question, result);
	}
	ub_resolve_free(result);
	free(question);
}

/* ---- questions ---- */

int gp_resolver_ask(struct gp_resolver *resolver, const char *name, enum gp_dns_type type,
		    gp_dns_answered answered, void *arg, struct gp_dns_question **question_out)
{
	struct gp_dns_question *question = resolver ? calloc(1, sizeof(*question)) : NULL;
	int ret = GP_E_NOMEM;

	if (!question)
		return resolver ? ret : GP_E_STATE;
	question->resolver = resolver;
	question->answered = answered;
	question->arg = arg;
	ret = gp_dns_name_normalize(name, question->name);
	/* libunbound takes an empty name for a mistake */
	if (ret == GP_OK &&
	    ub_resolve_async(resolver->context, question->name[0] ? question->name : ".", (int)type,
			     CLASS_IN, question, on_result, &question->id))
		ret = GP_E_NOMEM;
	if (ret == GP_OK)
		resolver->pending++;
	if (ret == GP_OK)
		*question_out = question;
	else
		free(question);
	return ret;
}

void gp_dns_question_cancel(struct gp_dns_question *question)
{
	if (!question)
		return;
	ub_cancel(question->resolver->context, question->id);
	question->resolver->pending--;
	free(question);
}
