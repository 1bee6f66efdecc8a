/* SPDX-License-Identifier: MIT */
#include "cli/records_lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/txt.h"
#include "dane/tlsa.h"
#include "dns/name.h"
#include "io/loop.h"
#include "policy/setup.h"

enum { TEXT_MAX = 128 * 1024 };

/* A resolver that is asked a few questions and waited for. */
struct looker {
	struct gp_loop *loop;
	struct gp_resolver *resolver;
	struct gp_watch watch;
	struct gp_timer deadline;
	size_t left;
};

static void on_resolver(void *arg, unsigned ready)
{
	struct looker *looker = arg;

	(void)ready;
	gp_resolver_process(looker->resolver);
}

static void on_deadline(void *arg)
{
	struct looker *looker = arg;

	gp_loop_stop(looker->loop);
}

static int open_looker(struct looker *looker, const struct gp_conf *conf)
{
	char error[GP_DNS_ERROR_SIZE];

	looker->loop = gp_loop_new();
	if (!looker->loop)
		return GP_E_NOMEM;
	gp_timer_init(&looker->deadline, looker->loop, on_deadline, looker);
	if (gp_policy_resolver_new(&conf->dns, &looker->resolver, error) != GP_OK) {
		fprintf(stderr, "gatepost records: %s\n", error);
		return GP_E_CONF;
	}
	gp_watch_init(&looker->watch, looker->loop, gp_resolver_fd(looker->resolver), on_resolver,
		      looker);
	gp_watch_set(&looker->watch, GP_READABLE);
	return GP_OK;
}

static void wait_for_all(struct looker *looker)
{
	gp_timer_set(&looker->deadline, GP_POLICY_DNS_MS);
	if (looker->left)
		gp_loop_run(looker->loop);
	gp_timer_stop(&looker->deadline);
}

static void note_answer(struct looker *looker)
{
	if (--looker->left == 0)
		gp_loop_stop(looker->loop);
}

static void close_looker(struct looker *looker)
{
	if (looker->resolver)
		gp_watch_deinit(&looker->watch);
	gp_resolver_free(looker->resolver);
	gp_loop_free(looker->loop);
}

/* ---- records as text ---- */

static int txt_text(struct gp_dns_rdata rdata, struct gp_buf *out)
{
	return gp_txt_join(gp_str_from(rdata.data, rdata.len), out);
}

static int srv_text(struct gp_dns_rdata rdata, struct gp_buf *out)
{
	struct gp_dns_srv srv;
	int ret = gp_dns_srv_parse(rdata, &srv);

	return ret == GP_OK ? gp_buf_appendf(out, "%u %u %u %s.", srv.priority, srv.weight,
					     srv.port, srv.target)
			    : ret;
}

static int tlsa_text(struct gp_dns_rdata rdata, struct gp_buf *out)
{
	struct gp_tlsa tlsa;
	int ret = gp_tlsa_read(gp_str_from(rdata.data, rdata.len), &tlsa);

	return ret == GP_OK ? gp_tlsa_to_text(&tlsa, out) : ret;
}

static int cname_text(struct gp_dns_rdata rdata, struct gp_buf *out)
{
	char name[GP_DNS_NAME_SIZE];
	int ret = gp_dns_name_parse(rdata.data, rdata.len, name);

	return ret == GP_OK ? gp_buf_appendf(out, "%s.", name) : ret;
}

static const struct {
	enum gp_dns_type type;
	int (*text)(struct gp_dns_rdata rdata, struct gp_buf *out);
} types[] = {
	[GP_RECORD_CNAME] = { GP_DNS_CNAME, cname_text },
	[GP_RECORD_SRV] = { GP_DNS_SRV, srv_text },
	[GP_RECORD_TLSA] = { GP_DNS_TLSA, tlsa_text },
	[GP_RECORD_TXT] = { GP_DNS_TXT, txt_text },
};

/* ---- one question for each owner and type ---- */

struct lookup {
	struct looker *looker;
	struct gp_found *found;
	struct gp_dns_question *question, *address; /* the latter for a CNAME */
};

static void keep_texts(struct gp_found *found, const struct gp_dns_answer *answer)
{
	found->texts = calloc(answer->count + 1, sizeof(*found->texts));
	for (size_t i = 0; found->texts && i < answer->count; i++) {
		struct gp_buf text;

		gp_buf_init(&text, TEXT_MAX);
		if (types[found->type].text(answer->records[i], &text) == GP_OK &&
		    gp_buf_cstr(&text))
			found->texts[found->count] = strdup(gp_buf_cstr(&text));
		found->count += found->texts[found->count] != NULL;
		gp_buf_deinit(&text);
	}
}

static void on_answer(void *arg, const struct gp_dns_answer *answer)
{
	struct lookup *lookup = arg;

	lookup->question = NULL;
	lookup->found->provenance = answer->provenance;
	lookup->found->why = gp_provenance_is_answer(answer->provenance) ? NULL
			     : answer->provenance == GP_BOGUS            ? "the answer is bogus"
									 : "no answer";
	keep_texts(lookup->found, answer);
	note_answer(lookup->looker);
}

static void on_address(void *arg, const struct gp_dns_answer *answer)
{
	struct lookup *lookup = arg;

	lookup->address = NULL;
	lookup->found->has_addresses = answer->count > 0;
	note_answer(lookup->looker);
}

static int ask(struct lookup *lookup)
{
	struct gp_found *found = lookup->found;
	struct gp_resolver *resolver = lookup->looker->resolver;
	int ret = gp_resolver_ask(resolver, found->owner, types[found->type].type, on_answer,
				  lookup, &lookup->question);

	lookup->looker->left += ret == GP_OK;
	if (ret == GP_OK && found->type == GP_RECORD_CNAME) {
		ret = gp_resolver_ask(resolver, found->owner, GP_DNS_A, on_address, lookup,
				      &lookup->address);
		lookup->looker->left += ret == GP_OK;
	}
	return ret;
}

static bool is_there(const struct gp_found *found, size_t count, const struct gp_record *record)
{
	for (size_t i = 0; i < count; i++) {
		if (found[i].type == record->type && !strcmp(found[i].owner, record->owner))
			return true;
	}
	return false;
}

static size_t list_questions(const struct gp_records *records, struct gp_found *found)
{
	size_t count = 0;

	for (size_t i = 0; i < records->count; i++) {
		const struct gp_record *record = &records->items[i];

		if (!is_there(found, count, record))
			found[count++] = (struct gp_found){ .owner = record->owner,
							    .type = record->type,
							    .provenance = GP_DNS_ERROR,
							    .why = "no answer in time" };
	}
	return count;
}

int gp_records_look_up(const struct gp_conf *conf, const struct gp_records *records,
		       struct gp_found **found_out, size_t *count_out)
{
	struct looker looker = { .left = 0 };
	struct gp_found *found = calloc(records->count + 1, sizeof(*found));
	struct lookup *lookups = calloc(records->count + 1, sizeof(*lookups));
	size_t count = 0;
	int ret = found && lookups ? open_looker(&looker, conf) : GP_E_NOMEM;

	if (ret == GP_OK)
		count = list_questions(records, found);
	for (size_t i = 0; i < count && ret == GP_OK; i++) {
		lookups[i] = (struct lookup){ .looker = &looker, .found = &found[i] };
		ret = ask(&lookups[i]);
	}
	if (ret == GP_OK)
		wait_for_all(&looker);
	for (size_t i = 0; i < count; i++) {
		gp_dns_question_cancel(lookups[i].question);
		gp_dns_question_cancel(lookups[i].address);
	}
	close_looker(&looker);
	free(lookups);
	if (ret == GP_OK) {
		*found_out = found;
		*count_out = count;
	} else {
		gp_records_found_free(found, count);
	}
	return ret;
}

void gp_records_found_free(struct gp_found *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < found[i].count; j++)
			free(found[i].texts[j]);
		free(found[i].texts);
	}
	free(found);
}

/* ---- addresses ---- */

struct address_lookup {
	struct looker looker;
	struct gp_endpoint *out;
	size_t count, max;
	struct gp_dns_question *questions[2];
};

static void take_addresses(struct address_lookup *lookup, const struct gp_dns_answer *answer,
			   size_t bytes)
{
	for (size_t i = 0; i < answer->count && lookup->count < lookup->max; i++) {
		if (answer->records[i].len == bytes)
			lookup->out[lookup->count++] =
				gp_endpoint_from_bytes(answer->records[i].data, bytes);
	}
	note_answer(&lookup->looker);
}

static void on_a(void *arg, const struct gp_dns_answer *answer)
{
	struct address_lookup *lookup = arg;

	lookup->questions[0] = NULL;
	take_addresses(lookup, answer, 4);
}

static void on_aaaa(void *arg, const struct gp_dns_answer *answer)
{
	struct address_lookup *lookup = arg;

	lookup->questions[1] = NULL;
	take_addresses(lookup, answer, 16);
}

size_t gp_records_look_up_addresses(const struct gp_conf *conf, const char *host,
				    struct gp_endpoint *addresses_out, size_t max)
{
	struct address_lookup lookup = { .out = addresses_out, .max = max };
	struct gp_resolver *resolver;

	if (open_looker(&lookup.looker, conf) == GP_OK) {
		resolver = lookup.looker.resolver;
		lookup.looker.left = 2;
		if (gp_resolver_ask(resolver, host, GP_DNS_A, on_a, &lookup,
				    &lookup.questions[0]) == GP_OK &&
		    gp_resolver_ask(resolver, host, GP_DNS_AAAA, on_aaaa, &lookup,
				    &lookup.questions[1]) == GP_OK)
			wait_for_all(&lookup.looker);
		gp_dns_question_cancel(lookup.questions[0]);
		gp_dns_question_cancel(lookup.questions[1]);
	}
	close_looker(&lookup.looker);
	return lookup.count;
}
