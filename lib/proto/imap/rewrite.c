/* SPDX-License-Identifier: MIT */
/* What the client may see of a line of the backend: its capabilities are rewritten. */
#include "base/err.h"
#include "proto/imap/capability.h"
#include "proto/imap/state.h"

static void report_setup(struct imap_edge *edge, const struct gp_imap_capability_findings *findings)
{
	if (findings->login_disabled)
		gp_edge_report_setup(
			&edge->life,
			"the backend says LOGINDISABLED, because it does not trust this "
			"connection: see haproxy_trusted_networks, login_trusted_networks or "
			"disable_plaintext_auth in Dovecot");
	else if (findings->channel_binding)
		gp_edge_report_setup(&edge->life, gp_edge_channel_binding);
}

bool gp_imap_is_login(const struct imap_edge *edge)
{
	return edge->verdict == IMAP_FORWARD_LOGIN || edge->verdict == IMAP_FORWARD_AUTHENTICATE ||
	       edge->verdict == IMAP_EXTERNAL;
}

/* In a login's answer, ours before PREAUTH included, the list is that of an authenticated
 * session. */
static bool offers_external(const struct imap_edge *edge)
{
	bool logging_in = edge->life.state == GP_EDGE_COMMAND
				  ? gp_imap_is_login(edge)
				  : edge->life.state == GP_EDGE_FACTS && edge->preauth_tried;

	return edge->life.account && !logging_in;
}

void gp_imap_rewrite(struct imap_edge *edge, struct gp_str line, struct gp_buf *out)
{
	struct gp_imap_capability_findings findings = { 0 };
	int ret;

	gp_buf_init(out, edge->life.c.config.line_max + 2);
	if (gp_imap_has_capabilities(line)) {
		ret = gp_imap_capabilities_rewrite(line, offers_external(edge), out, &findings);
		report_setup(edge, &findings);
	} else {
		ret = gp_buf_append(out, line.p, line.len);
		if (ret == GP_OK)
			ret = gp_buf_append_str(out, "\r\n");
	}
	if (ret != GP_OK)
		gp_conversation_fail(&edge->life.c, ret);
}

void gp_imap_send_reply(struct imap_edge *edge, struct gp_str line)
{
	struct gp_buf text;

	gp_imap_rewrite(edge, line, &text);
	gp_push_send_buf(&edge->life.c, GP_CLIENT, &text);
	gp_buf_deinit(&text);
}
