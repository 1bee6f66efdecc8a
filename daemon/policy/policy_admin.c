/* SPDX-License-Identifier: MIT */
#include "daemon/policy/policy_admin.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/policy/socketmap_server.h"
#include "policy/explain.h"
#include "policy/overrides.h"

enum { LIST_BYTES_MAX = 90000, LEVEL_SIZE = 1024, REASON_SIZE = 512 };

struct gp_policy_admin {
	struct gp_admin_rule rule;
	struct gp_socketmap_server *server;
	struct gp_policy_parts parts;
};

/* What a connection waits for: one of the three. */
struct work {
	struct gp_policy_admin *admin;
	struct gp_talk *talk;
	struct gp_verdict_waiter *verdict;
	struct gp_consultation *consultation;
	struct gp_change *change;
	struct gp_policy_sts sts;
};

static void say(struct gp_talk *talk, enum gp_socketmap_word word, const char *text)
{
	gp_socketmap_answer(talk, word, gp_str_of(text));
}

static struct work *work_new(struct gp_policy_admin *admin, struct gp_talk *talk)
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return NULL;
	work->admin = admin;
	work->talk = talk;
	gp_talk_set_work(talk, work);
	return work;
}

static void work_free(struct work *work)
{
	gp_talk_set_work(work->talk, NULL);
	gp_mtasts_policy_free(work->sts.policy);
	free(work->sts.failure_detail);
	free(work);
}

/* ---- JSON, FRESH ---- */

static void say_reply(const struct gp_policy_admin *admin, struct gp_talk *talk,
		      const struct gp_verdict_reply *reply)
{
	const struct gp_postfix_answer answer =
		gp_service_answer_of(reply, gp_verdicts_rules(admin->parts.verdicts));
	struct gp_buf json;

	gp_buf_init(&json, GP_EXPLAIN_MAX);
	if (gp_explain_json(reply->findings, reply->verdict, &answer, &json) == GP_OK)
		gp_socketmap_answer(talk, GP_SOCKETMAP_OK, gp_str_from(json.data, json.len));
	else
		say(talk, GP_SOCKETMAP_TEMP, "out of memory");
	gp_buf_deinit(&json);
}

static void on_reply(void *arg, const struct gp_verdict_reply *reply)
{
	struct work *work = arg;
	struct gp_policy_admin *admin = work->admin;
	struct gp_talk *talk = work->talk;

	work_free(work);
	if (reply)
		say_reply(admin, talk, reply);
	else
		say(talk, GP_SOCKETMAP_TEMP, "out of memory");
}

static void explain(struct gp_policy_admin *admin, struct gp_talk *talk, const char *domain,
		    void (*ask)(struct gp_verdicts *verdicts, const char *domain,
				gp_verdict_answered answered, void *arg,
				struct gp_verdict_waiter **waiter_out))
{
	struct work *work = work_new(admin, talk);
	struct gp_verdict_waiter *later;

	if (!work) {
		say(talk, GP_SOCKETMAP_TEMP, "out of memory");
		return;
	}
	ask(admin->parts.verdicts, domain, on_reply, work, &later);
	/* else it has been answered, and the work is no more */
	if (later)
		work->verdict = later;
}

static void explain_known(struct gp_policy_admin *admin, struct gp_talk *talk, const char *domain,
			  struct gp_str rest)
{
	(void)rest;
	explain(admin, talk, domain, gp_verdicts_ask);
}

static void explain_fresh(struct gp_policy_admin *admin, struct gp_talk *talk, const char *domain,
			  struct gp_str rest)
{
	(void)rest;
	explain(admin, talk, domain, gp_verdicts_ask_fresh);
}

/* What is changed is written to this file. True: it is not open, and that has been said. */
static bool in_trouble(const struct gp_policy_admin *admin, struct gp_talk *talk,
		       enum gp_policy_file file)
{
	const char *trouble = gp_policy_store_trouble(admin->parts.store, file);

	if (trouble)
		say(talk, GP_SOCKETMAP_TEMP, trouble);
	return trouble;
}

/* ---- REFRESH ---- */

static void on_refreshed(void *arg)
{
	struct work *work = arg;
	struct gp_talk *talk = work->talk;
	const char *failure = gp_mtasts_failure_type(work->sts.failure);
	struct gp_buf text;

	gp_buf_init(&text, 1024);
	if (failure)
		gp_buf_appendf(&text, "%s: %s", failure,
			       work->sts.failure_detail ? work->sts.failure_detail : "");
	else if (work->sts.policy)
		gp_buf_appendf(&text, "mode %s", gp_mtasts_mode_name(work->sts.policy->mode));
	work_free(work);
	gp_socketmap_answer(talk, failure ? GP_SOCKETMAP_TEMP : GP_SOCKETMAP_OK,
			    gp_str_from(text.data, text.len));
	gp_buf_deinit(&text);
}

static void refresh(struct gp_policy_admin *admin, struct gp_talk *talk, const char *domain,
		    struct gp_str rest)
{
	struct work *work;
	int ret = GP_E_NOMEM;

	(void)rest;
	if (in_trouble(admin, talk, GP_POLICY_CACHE))
		return;
	work = work_new(admin, talk);
	if (work) {
		/* whether there is a policy is not asked of the DNS */
		work->sts.txt = GP_MTASTS_TXT_RECORD;
		ret = gp_sts_cache_refresh(admin->parts.sts_cache, domain, &work->sts, on_refreshed,
					   work, &work->consultation);
	}
	if (ret == GP_OK)
		return;
	if (work)
		work_free(work);
	say(talk, GP_SOCKETMAP_TEMP,
	    ret == GP_E_STATE ? "there is no DNS resolver; see resolver-failed in the log"
			      : "out of memory");
}

/* ---- PURGE, OVERRIDE ---- */

static void on_changed(void *arg, const char *error)
{
	struct work *work = arg;
	struct gp_talk *talk = work->talk;

	work_free(work);
	say(talk, error ? GP_SOCKETMAP_TEMP : GP_SOCKETMAP_OK, error ? error : "");
}

/* Takes the change over, which is NULL without memory. */
static void await(struct gp_talk *talk, struct work *work, struct gp_change *change)
{
	if (change) {
		work->change = change;
		return;
	}
	if (work)
		work_free(work);
	say(talk, GP_SOCKETMAP_TEMP, "out of memory");
}

static void purge(struct gp_policy_admin *admin, struct gp_talk *talk, const char *domain,
		  struct gp_str rest)
{
	struct gp_change *change = NULL;
	struct work *work;

	(void)rest;
	if (in_trouble(admin, talk, GP_POLICY_CACHE))
		return;
	work = work_new(admin, talk);
	if (work)
		change = gp_change_purge(admin->parts.changes, *domain ? domain : NULL, on_changed,
					 work);
	await(talk, work, change);
}

static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

/* True: Postfix would refuse it, or it would last too long, and that has been said. */
static bool refuse_override(struct gp_talk *talk, const char *level, int64_t until)
{
	const int64_t now = (int64_t)(gp_time_utc_ms() / 1000);
	struct gp_buf why;
	int ret;

	gp_buf_init(&why, LEVEL_SIZE);
	ret = gp_override_check(level, until, now, &why);
	if (ret != GP_OK)
		say(talk, GP_SOCKETMAP_PERM, gp_buf_cstr(&why));
	gp_buf_deinit(&why);
	return ret != GP_OK;
}

static void override(struct gp_policy_admin *admin, struct gp_talk *talk, const char *domain,
		     struct gp_str rest)
{
	char level[LEVEL_SIZE], reason[REASON_SIZE];
	struct gp_str until = gp_str_split(&rest, ' '), words = gp_str_split(&rest, '\n');
	struct gp_change *change = NULL;
	struct work *work;
	uint64_t seconds;

	if (gp_str_parse_uint(until, INT64_MAX / 1000, &seconds) != GP_OK ||
	    words.len >= sizeof(level) || rest.len >= sizeof(reason)) {
		say(talk, GP_SOCKETMAP_PERM,
		    "OVERRIDE needs a time, a level of at most 1023 bytes and a reason of at most 511");
		return;
	}
	gp_str_copy(words, level, sizeof(level));
	gp_str_copy(rest, reason, sizeof(reason));
	if (!is_plain(level) || !is_plain(reason)) {
		say(talk, GP_SOCKETMAP_PERM, "level and reason must be of one line each");
		return;
	}
	/* without a time it ends */
	if (seconds && refuse_override(talk, level, (int64_t)seconds))
		return;
	if (in_trouble(admin, talk, GP_POLICY_OVERRIDES))
		return;
	work = work_new(admin, talk);
	if (work)
		change = gp_change_override(admin->parts.changes, domain, seconds ? level : NULL,
					    reason, (int64_t)seconds, on_changed, work);
	await(talk, work, change);
}

/* ---- LIST ---- */

struct list {
	const char *after;
	struct gp_buf out;
	bool full;
};

static json_t *time_of(int64_t seconds)
{
	char text[GP_TIME_TEXT_SIZE];

	gp_time_format(seconds > 0 ? (uint64_t)seconds * 1000 : 0, text);
	return json_string(text);
}

static void add_policy(const struct gp_kept_policy *kept, json_t *line)
{
	const struct gp_mtasts_entry *entry = &kept->entry;

	if (kept->text)
		json_object_set_new(line, "policy",
				    json_pack("{s:s, s:s, s:o, s:o, s:o}", "mode",
					      gp_mtasts_mode_name(entry->mode), "id", entry->id,
					      "fetched", time_of(entry->fetched_at), "expires",
					      time_of(entry->fetched_at + entry->max_age_s),
					      "next-refresh", time_of(entry->next_refresh_at)));
	if (kept->failure != GP_MTASTS_NO_FAILURE)
		json_object_set_new(line, "failure",
				    json_string(gp_mtasts_failure_type(kept->failure)));
}

static void add_override(const struct gp_override *override, json_t *line)
{
	json_object_set_new(line, "override",
			    json_pack("{s:s, s:s, s:o}", "level", override->level, "reason",
				      override->reason, "until", time_of(override->until)));
}

static void list_one(void *arg, struct gp_known_domain *known)
{
	struct list *list = arg;
	json_t *line;
	char *text;

	if (list->full || strcmp(known->name, list->after) <= 0 ||
	    (!known->kept && !known->override))
		return;
	line = json_pack("{s:s}", "domain", known->name);
	if (known->kept)
		add_policy(known->kept, line);
	if (known->override)
		add_override(known->override, line);
	text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	if (!text || gp_buf_appendf(&list->out, "%s\n", text) != GP_OK)
		list->full = true;
	free(text);
	json_decref(line);
}

static void list(struct gp_policy_admin *admin, struct gp_talk *talk, const char *domain,
		 struct gp_str rest)
{
	struct list all = { .after = domain };

	(void)rest;
	if (in_trouble(admin, talk, GP_POLICY_OVERRIDES) ||
	    in_trouble(admin, talk, GP_POLICY_CACHE))
		return;
	gp_buf_init(&all.out, LIST_BYTES_MAX);
	gp_domains_visit(admin->parts.domains, list_one, &all);
	gp_socketmap_answer(talk, GP_SOCKETMAP_OK, gp_str_from(all.out.data, all.out.len));
	gp_buf_deinit(&all.out);
}

/* ---- requests ---- */

static const struct {
	const char *map;
	bool whole; /* no domain, or a name that was given out, is fine */
	void (*run)(struct gp_policy_admin *admin, struct gp_talk *talk, const char *domain,
		    struct gp_str rest);
} maps[] = {
	{ "JSON", false, explain_known }, { "FRESH", false, explain_fresh },
	{ "REFRESH", false, refresh },    { "PURGE", true, purge },
	{ "OVERRIDE", false, override },  { "LIST", true, list },
};

static void on_request(void *arg, struct gp_talk *talk, const struct gp_socketmap_request *request)
{
	struct gp_str rest = request->key, word = gp_str_split(&rest, ' ');
	char domain[GP_POLICY_NAME_SIZE] = "";
	size_t i = 0, count = sizeof(maps) / sizeof(*maps);

	while (i < count && !gp_str_equal(request->map, maps[i].map))
		i++;
	if (i == count) {
		say(talk, GP_SOCKETMAP_PERM, "there is no such request");
		return;
	}
	if ((maps[i].whole && (!word.len || gp_str_equal(word, "*"))) ||
	    gp_postfix_domain_of_key(word, domain) == GP_OK)
		maps[i].run(arg, talk, domain, rest);
	else
		say(talk, GP_SOCKETMAP_PERM, "this name is not a mail domain");
}

static void on_gone(void *arg, struct gp_talk *talk)
{
	struct work *work = gp_talk_work(talk);

	(void)arg;
	if (!work)
		return;
	gp_verdict_waiter_cancel(work->verdict);
	gp_sts_cache_consultation_cancel(work->consultation);
	/* what was asked for is done, though the connection has gone */
	gp_change_leave(work->change);
	work_free(work);
}

static bool admit(void *arg, int fd)
{
	const struct gp_policy_admin *admin = arg;
	char refusal[GP_ADMIN_REFUSAL_SIZE];
	struct gp_buf reply;

	if (gp_admin_permits_peer(&admin->rule, fd, "policy.sock", refusal))
		return true;
	gp_buf_init(&reply, 2 * GP_ADMIN_REFUSAL_SIZE);
	if (gp_socketmap_reply_format(GP_SOCKETMAP_PERM, gp_str_of(refusal), &reply) == GP_OK)
		gp_admin_turn_away(fd, reply.data, reply.len);
	gp_buf_deinit(&reply);
	return false;
}

struct gp_policy_admin *gp_policy_admin_new(struct gp_loop *loop, int fd,
					    const struct gp_admin_rule *rule,
					    const struct gp_policy_parts *parts)
{
	struct gp_policy_admin *admin = calloc(1, sizeof(*admin));
	const struct gp_socketmap_handler handler = { on_request, on_gone, admin, admit };

	if (!admin)
		return NULL;
	admin->rule = *rule;
	admin->parts = *parts;
	admin->server = gp_socketmap_server_new(loop, fd, &handler);
	if (admin->server)
		return admin;
	free(admin);
	return NULL;
}

void gp_policy_admin_free(struct gp_policy_admin *admin)
{
	if (!admin)
		return;
	gp_socketmap_server_free(admin->server);
	free(admin);
}
