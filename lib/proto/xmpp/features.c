/* SPDX-License-Identifier: MIT */
#include "proto/xmpp/features.h"

#include "base/err.h"
#include "proto/sasl/list.h"

enum { FEATURE_DEPTH = 2, MECHANISM_DEPTH = 3 };

enum fate { PASS, STRIP, BY_MECHANISM };

/* Of the children of <stream:features/>. */
static const struct {
	enum fate client, server;
} fates[XMPP_NAMES] = {
	[XMPP_OTHER] = { STRIP, PASS },
	[XMPP_STARTTLS] = { STRIP, STRIP },
	[XMPP_MECHANISMS] = { BY_MECHANISM, BY_MECHANISM },
	[XMPP_DIALBACK_OFFER] = { STRIP, PASS },
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
		struct gp_str text = gp_xmpp_node_text(r, &r->nodes[i]);

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
	enum xmpp_audience audience;
	struct gp_str mechanisms;
	const struct xmpp_node *external; /* that comes first; NULL: none */
	unsigned passed;                  /* other mechanisms */
	struct xmpp_features_verdict *verdict;
};

static bool mechanism_passes(const struct rewriting *w, const struct xmpp_node *node)
{
	struct gp_str text = gp_xmpp_node_text(w->r, node);
	enum gp_sasl_verdict verdict = gp_sasl_list_judge(text, w->mechanisms, "");

	if (verdict == GP_SASL_STRIP_PLUS)
		w->verdict->plus_removed = true;
	return verdict == GP_SASL_PASS && gp_sasl_mechanism_valid(text);
}

static bool is_mechanism(const struct xmpp_node *node)
{
	return node->name == XMPP_MECHANISM && node->depth == MECHANISM_DEPTH;
}

static unsigned count_passing(const struct rewriting *w)
{
	unsigned count = 0;

	for (unsigned i = 0; i < w->r->node_count; i++) {
		const struct xmpp_node *node = &w->r->nodes[i];

		if (is_mechanism(node))
			count += mechanism_passes(w, node);
	}
	return count;
}

static const struct xmpp_node *find_external(const struct xmpp_reader *r)
{
	for (unsigned i = 0; i < r->node_count; i++) {
		if (is_mechanism(&r->nodes[i]) &&
		    gp_str_equal(gp_xmpp_node_text(r, &r->nodes[i]), GP_SASL_EXTERNAL))
			return &r->nodes[i];
	}
	return NULL;
}

static bool passes(const struct rewriting *w, const struct xmpp_node *node)
{
	enum fate fate = w->audience == XMPP_FOR_OTHERS ? fates[node->name].server
							: fates[node->name].client;

	if (is_mechanism(node))
		return mechanism_passes(w, node);
	if (node->depth != FEATURE_DEPTH)
		return true;
	/* an empty list is none (RFC 6120 appendix A.4) */
	return fate == BY_MECHANISM ? w->passed || w->external : fate == PASS;
}

static int copy(const struct rewriting *w, size_t from, size_t to, struct gp_buf *out)
{
	return gp_buf_append(out, w->r->raw.data + from, to - from);
}

static int copy_passing(const struct rewriting *w, struct gp_buf *out)
{
	const struct xmpp_node *external = w->external;
	size_t copied = 0;
	int ret = GP_OK;

	for (unsigned i = 1; ret == GP_OK && i < w->r->node_count; i++) {
		const struct xmpp_node *node = &w->r->nodes[i];
		bool kept = passes(w, node);
		bool behind_external = external && is_mechanism(node);

		if (node->start < copied || (kept && !behind_external))
			continue;
		ret = copy(w, copied, node->start, out);
		copied = kept ? node->start : node->end;
		if (ret == GP_OK && behind_external) {
			ret = copy(w, external->start, external->end, out);
			external = NULL;
		}
	}
	return ret == GP_OK ? copy(w, copied, w->r->raw.len, out) : ret;
}

int gp_xmpp_features_write(const struct xmpp_reader *r, enum xmpp_audience audience,
			   struct gp_buf *out, struct xmpp_features_verdict *verdict_out)
{
	struct rewriting w = { .r = r, .audience = audience, .verdict = verdict_out };
	struct gp_buf words;
	int ret;

	*verdict_out = (struct xmpp_features_verdict){ 0 };
	gp_buf_init(&words, r->raw.ceiling + XMPP_NODES_MAX);
	ret = list_mechanisms(r, &words);
	w.mechanisms = gp_str_from(words.data, words.len);
	if (ret == GP_OK) {
		w.passed = count_passing(&w);
		w.external = audience == XMPP_FOR_CLIENT_PROVED ? find_external(r) : NULL;
		verdict_out->external_kept = w.external != NULL;
		verdict_out->no_mechanisms = !w.passed && !w.external;
		ret = copy_passing(&w, out);
	}
	gp_buf_deinit(&words);
	return ret;
}
