/* SPDX-License-Identifier: MIT */
/* EHLO: which extensions of the backend a client may use through the edge. */
#include <string.h>

#include "base/err.h"
#include "proto/sasl/list.h"
#include "proto/smtp/state.h"

/* Everything stays parsed, so only what the edge knows can be offered: an unknown extension might
 * bring commands that it would misread. Not here: BINARYMIME and BURL, which carry content that
 * the edge cannot look into; STARTTLS, XCLIENT and XFORWARD, which are between the edge and the
 * backend; ETRN and ATRN (RFC 6409 section 7). PIPELINING is the edge's own. */
static const struct {
	const char *keyword;
	enum { PASS, SASL, OURS } offer;
	unsigned extension;
} keywords[] = {
	{ "8BITMIME", PASS, 0 },       { "AUTH", SASL, SMTP_HAS_AUTH },
	{ "DELIVERBY", PASS, 0 },      { "CHUNKING", PASS, SMTP_HAS_CHUNKING },
	{ "DSN", PASS, SMTP_HAS_DSN }, { "ENHANCEDSTATUSCODES", PASS, 0 },
	{ "FUTURERELEASE", PASS, 0 },  { "HELP", PASS, 0 },
	{ "LIMITS", PASS, 0 },         { "MT-PRIORITY", PASS, 0 },
	{ "NO-SOLICITING", PASS, 0 },  { "REQUIRETLS", OURS, SMTP_HAS_REQUIRETLS },
	{ "SIZE", PASS, 0 },           { "SMTPUTF8", PASS, 0 },
	{ "VRFY", PASS, 0 },
};

enum { KEYWORDS = sizeof(keywords) / sizeof(*keywords) };

static size_t find_keyword(struct gp_str line)
{
	struct gp_str word = gp_str_word(&line);
	size_t i = 0;

	while (i < KEYWORDS && !gp_str_equal_nocase(word, keywords[i].keyword))
		i++;
	return i;
}

/* A reply in the making: each line begins with "250-", the last one gets its blank at the end. */
struct reply {
	struct gp_buf text;
	size_t last_line;
	int ret;
};

static void add(struct reply *r, struct gp_str text)
{
	r->last_line = r->text.len;
	if (r->ret == GP_OK)
		r->ret = gp_buf_append_str(&r->text, "250-");
	if (r->ret == GP_OK)
		r->ret = gp_buf_append(&r->text, text.p, text.len);
	if (r->ret == GP_OK)
		r->ret = gp_buf_append_str(&r->text, "\r\n");
}

static void begin_reply(struct reply *r, const struct smtp_edge *edge, struct gp_str first)
{
	*r = (struct reply){ .ret = GP_OK };
	gp_buf_init(&r->text, 2 * edge->life.c.config.line_max + 1024);
	add(r, first);
	add(r, gp_str_of("PIPELINING"));
}

static void send_reply(struct reply *r, struct smtp_edge *edge)
{
	if (r->ret == GP_OK) {
		r->text.data[r->last_line + 3] = ' ';
		gp_push_send_buf(&edge->life.c, GP_CLIENT, &r->text);
	} else {
		gp_conversation_fail(&edge->life.c, r->ret);
	}
	gp_buf_deinit(&r->text);
}

static void add_mechanisms(struct reply *r, struct smtp_edge *edge, struct gp_str list)
{
	bool plus = false;
	struct gp_buf text;
	int ret;

	gp_buf_init(&text, edge->life.c.config.line_max);
	ret = gp_buf_append_str(&text, "AUTH ");
	if (ret == GP_OK)
		ret = gp_sasl_list_append(list, edge->life.account, &text, &plus);
	if (plus)
		gp_edge_report_setup(&edge->life, gp_edge_channel_binding);
	if (ret != GP_OK)
		r->ret = ret;
	else if (text.len > strlen("AUTH "))
		add(r, gp_str_from(text.data, text.len));
	gp_buf_deinit(&text);
}

void gp_smtp_relay_ehlo(struct smtp_edge *edge)
{
	struct gp_str reply = gp_str_from(edge->reply.data, edge->reply.len), line;
	struct reply r;

	gp_smtp_next_line(&reply, &line);
	begin_reply(&r, edge, line);
	while (gp_smtp_next_line(&reply, &line)) {
		size_t i = find_keyword(line);

		if (i < KEYWORDS && keywords[i].offer == PASS) {
			add(&r, line);
		} else if (i < KEYWORDS && keywords[i].offer == SASL &&
			   smtp_config(edge)->service == GP_SMTP_SUBMISSION) {
			gp_str_word(&line);
			add_mechanisms(&r, edge, line);
		}
	}
	if (gp_smtp_offers_requiretls(edge))
		add(&r, gp_str_of("REQUIRETLS"));
	send_reply(&r, edge);
}

/* An MX tells what it learned, so that the next client in cleartext can be offered it. */
void gp_smtp_learn_extensions(struct smtp_edge *edge)
{
	struct gp_str reply = gp_str_from(edge->reply.data, edge->reply.len), line;
	struct gp_buf learned;
	int ret = GP_OK;

	edge->extensions = 0;
	gp_smtp_learn_xclient(edge);
	gp_buf_init(&learned, edge->life.c.config.line_max + 1);
	gp_smtp_next_line(&reply, &line);
	while (gp_smtp_next_line(&reply, &line)) {
		size_t i = find_keyword(line);

		if (i == KEYWORDS)
			continue;
		edge->extensions |= keywords[i].extension;
		if (keywords[i].offer != PASS)
			continue;
		if (ret == GP_OK)
			ret = gp_buf_append(&learned, line.p, line.len);
		if (ret == GP_OK)
			ret = gp_buf_append_byte(&learned, '\n');
	}
	if (ret == GP_OK && learned.len && smtp_config(edge)->service == GP_SMTP_MX)
		gp_push_report(&edge->life.c, GP_REPORT_EXTENSIONS, gp_buf_cstr(&learned));
	gp_buf_deinit(&learned);
}

void gp_smtp_answer_ehlo(struct smtp_edge *edge)
{
	const struct gp_smtp_edge_config *config = smtp_config(edge);
	struct gp_str known = gp_str_of(config->extensions ? config->extensions : "");
	struct reply r;

	begin_reply(&r, edge, gp_str_of(config->hostname));
	if (!known.len)
		add(&r, gp_str_of("ENHANCEDSTATUSCODES"));
	while (known.len)
		add(&r, gp_str_split(&known, '\n'));
	add(&r, gp_str_of("STARTTLS"));
	send_reply(&r, edge);
}
