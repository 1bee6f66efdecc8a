/* SPDX-License-Identifier: MIT */
/* IMAP clients whose certificate is known: AUTHENTICATE EXTERNAL (RFC 9051 section 6.2.2), or
 * PREAUTH at once (RFC 8314 section 3.2). The edge takes the client's part towards the backend. */
#include <stdio.h>

#include "base/err.h"
#include "proto/imap/state.h"
#include "proto/sasl/external.h"
#include "proto/sasl/list.h"
#include "proto/sasl/login.h"

static const char preauth_tag[] = "gatepost";

/* ---- EXTERNAL ---- */

static void refuse(struct imap_edge *edge, const char *text)
{
	gp_push_sendf(&edge->life.c, GP_CLIENT, "%s %s\r\n", edge->tag, text);
	edge->input = IMAP_IN_COMMAND;
}

static void begin_at_backend(struct imap_edge *edge)
{
	char prefix[GP_IMAP_TAG_MAX + sizeof(" AUTHENTICATE")];

	snprintf(prefix, sizeof(prefix), "%s AUTHENTICATE", edge->tag);
	gp_external_begin(&edge->life, prefix);
	edge->external_answered = false;
	edge->input = IMAP_IN_HELD;
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
}

static void take_response(struct imap_edge *edge, struct gp_str base64)
{
	switch (gp_external_take(&edge->life, base64, edge->life.account)) {
	case GP_EXTERNAL_OWN:
		begin_at_backend(edge);
		break;
	case GP_EXTERNAL_OTHER:
		refuse(edge, "NO [AUTHORIZATIONFAILED] The certificate is not for this account");
		/* each makes a line in the log: no client may make thousands */
		gp_edge_count_bad_command(&edge->life);
		break;
	case GP_EXTERNAL_NO_TEXT:
		refuse(edge, "BAD Not in base64");
		gp_edge_count_bad_command(&edge->life);
		break;
	case GP_EXTERNAL_FAILED:
		break;
	}
}

/* arguments = SP "EXTERNAL" [SP (base64 / "=")] */
void gp_imap_begin_external(struct imap_edge *edge, struct gp_str arguments)
{
	struct gp_str response;

	gp_str_word(&arguments);
	response = gp_str_word(&arguments);
	if (arguments.len) {
		refuse(edge, "BAD Wrong arguments");
		gp_edge_count_bad_command(&edge->life);
	} else if (response.len) {
		take_response(edge, gp_sasl_initial_response(response));
	} else {
		gp_push_sendf(&edge->life.c, GP_CLIENT, "+ \r\n");
		edge->input = IMAP_IN_EXTERNAL;
	}
}

/* The answer to our empty challenge; "=" stands for nothing only as an initial response. */
void gp_imap_external_line(struct imap_edge *edge, struct gp_str line)
{
	if (gp_str_equal(line, "*")) {
		refuse(edge, "BAD Cancelled");
		gp_edge_count_bad_command(&edge->life);
		return;
	}
	gp_login_name_from_sasl(&edge->life.c, line);
	take_response(edge, line);
}

/* ---- PREAUTH ---- */

/* The backend has greeted. False: nothing is to be done, the client is greeted as usual. */
bool gp_imap_preauth_begin(struct imap_edge *edge)
{
	const struct gp_edge_config *config = &edge->life.c.config;
	char prefix[sizeof(preauth_tag) + sizeof(" AUTHENTICATE")];

	if (edge->preauth_tried || !edge->life.account || !config->external->preauth ||
	    !config->implicit_tls)
		return false;
	edge->preauth_tried = true;
	snprintf(prefix, sizeof(prefix), "%s AUTHENTICATE", preauth_tag);
	gp_external_begin(&edge->life, prefix);
	gp_edge_set_state(&edge->life, GP_EDGE_FACTS);
	return true;
}

static void greet_preauth(struct imap_edge *edge, struct gp_str line)
{
	struct gp_buf text;
	int ret;

	/* "gatepost OK ..." becomes "* PREAUTH ..." */
	gp_str_split(&line, ' ');
	gp_str_split(&line, ' ');
	gp_buf_init(&text, edge->life.c.config.line_max + sizeof("* PREAUTH "));
	ret = gp_buf_append_str(&text, "* PREAUTH ");
	if (ret == GP_OK)
		ret = gp_buf_append(&text, line.p, line.len);
	if (ret != GP_OK)
		gp_conversation_fail(&edge->life.c, ret);
	gp_imap_send_reply(edge, gp_str_from(text.data, text.len));
	gp_buf_deinit(&text);
	gp_push_report(&edge->life.c, GP_REPORT_LOGIN, edge->life.c.login_name);
	gp_edge_splice(&edge->life);
}

void gp_imap_on_preauth_reply(struct imap_edge *edge, struct gp_str line, struct gp_str tag,
			      struct gp_str word)
{
	if (gp_str_equal(tag, "+") && !edge->external_answered) {
		edge->external_answered = true;
		gp_external_answer(&edge->life);
	} else if (gp_str_equal(tag, preauth_tag) && gp_str_equal_nocase(word, "OK") &&
		   edge->external_answered) {
		greet_preauth(edge, line);
	} else if (gp_str_equal(tag, preauth_tag)) {
		gp_edge_report_setup(&edge->life, gp_external_refused);
		gp_edge_become_ready(&edge->life);
	} else if (!gp_str_equal(tag, "*")) {
		gp_edge_backend_failed(&edge->life,
				       "the backend answers with a tag that was not sent");
	}
}
