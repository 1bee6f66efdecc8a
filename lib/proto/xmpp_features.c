/* SPDX-License-Identifier: MIT */
#include "proto/xmpp_features.h"

#include "base/err.h"
#include "proto/sasl_list.h"

enum { FEATURE_DEPTH = 2, MECHANISM_DEPTH = 3 };

enum fate { PASS, STRIP, BY_MECHANISM };

/* Of the children of <stream:features/>. */
static const struct {
	enum fate client, server;
} fates[XMPP_NAMES] = {
	[XMPP_OTHER] = { STRIP, PASS },
	[XMPP_STARTTLS] = { STRIP, STRIP },
	[XMPP_MECHANISMS] = { BY_MECHANISM, BY_MECHANISM },
	[XMPP_CHANNEL_BINDING] = { STRIP, STRIP },
	[XMPP_SASL2] = { STRIP, STRIP },
	[XMPP_CAPS] = { PASS, PASS },
	[XMPP_LIMITS] = { PASS, PASS },
	[XMPP_ROSTER_VERSIONS] = { PASS, PASS },
};

/* The names of all mechanisms, separated by blanks. */
static int list_mechanisms(const struct xmpp_reader *r, struct gp_buf *words)
{
	int ret = GP_OK;

	for (unsigned i = 0; ret == GP_OK && i < r->node_count; i++) {
		struct gp_str text = xmpp_node_text(r, &r->nodes[i]);

		if (r->nodes[i].name != XMPP_MECHANISM)
			continue;
		ret = gp_buf_append(words, text.p, text.len);
		if (ret == GP_OK)
			ret = gp_buf_append_byte(words, ' ');
	}
	return ret;
}

struct rewriting {
	const struct xmpp_reader *r;
	bool for_login;
	struct gp_str mechanisms;
	unsigned passed; /* mechanisms */
	struct xmpp_features_verdict *verdict;
};

static bool mechanism_passes(const struct rewriting *w, const struct xmpp_node *node)
{
	struct gp_str text = xmpp_node_text(w->r, node);
	enum gp_sasl_verdict verdict = gp_sasl_list_judge(text, w->mechanisms, "");

	if (verdict == GP_SASL_STRIP_PLUS)
		w->verdict->plus_removed = true;
	return verdict == GP_SASL_PASS && gp_sasl_mechanism_valid(text);
}

static unsigned count_passing(const struct rewriting *w)
{
	unsigned count = 0;

	for (unsigned i = 0; i < w->r->node_count; i++) {
		const struct xmpp_node *node = &w->r->nodes[i];

		if (node->name == XMPP_MECHANISM && node->depth == MECHANISM_DEPTH)
			count += mechanism_passes(w, node);
	}
	return count;
}

static bool passes(const struct rewriting *w, const struct xmpp_node *node)
{
	enum fate fate = w->for_login ? fates[node->name].client : fates[node->name].server;

	if (node->depth == MECHANISM_DEPTH && node->name == XMPP_MECHANISM)
		return mechanism_passes(w, node);
	if (node->depth != FEATURE_DEPTH)
		return true;
	/* an empty list is none (RFC 6120 appendix A.4) */
	return fate == BY_MECHANISM ? w->passed > 0 : fate == PASS;
}

static int copy_passing(const struct rewriting *w, struct gp_buf *out)
{
	size_t copied = 0;
	int ret = GP_OK;

	for (unsigned i = 1; ret == GP_OK && i < w->r->node_count; i++) {
		const struct xmpp_node *node = &w->r->nodes[i];

		if (node->start < copied || passes(w, node))
			continue;
		ret = gp_buf_append(out, w->r->raw.data + copied, node->start - copied);
		copied = node->end;
	}
	return ret == GP_OK ? gp_buf_append(out, w->r->raw.data + copied, w->r->raw.len - copied)
			    : ret;
}

int xmpp_features_write(const struct xmpp_reader *r, bool for_login, struct gp_buf *out,
			struct xmpp_features_verdict *verdict_out)
{
	struct rewriting w = { .r = r, .for_login = for_login, .verdict = verdict_out };
	struct gp_buf words;
	int ret;

	*verdict_out = (struct xmpp_features_verdict){ 0 };
	gp_buf_init(&words, r->raw.ceiling + XMPP_NODES_MAX);
	ret = list_mechanisms(r, &words);
	w.mechanisms = gp_str_from(words.data, words.len);
	if (ret == GP_OK) {
		w.passed = count_passing(&w);
		verdict_out->no_mechanisms = !w.passed;
		ret = copy_passing(&w, out);
	}
	gp_buf_deinit(&words);
	return ret;
}
