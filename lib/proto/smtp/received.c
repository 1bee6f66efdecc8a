/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "proto/smtp/state.h"

/* RFC 3848, and RFC 6531 section 4.3 for messages with internationalized envelopes. */
static const char *protocol_keyword(const struct smtp_edge *edge)
{
	static const char *const extended[2][2][2] = {
		/* [SMTPUTF8][TLS][AUTH] */
		{ { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } },
		{ { "UTF8SMTP", "UTF8SMTPA" }, { "UTF8SMTPS", "UTF8SMTPSA" } },
	};

	if (!edge->extended && !edge->life.in_tls)
		return "SMTP";
	return extended[edge->utf8][edge->life.in_tls][edge->authenticated];
}

/* Domain or address literal (RFC 5321 section 4.1.3); anything else could end the clause. */
static bool is_domain(const char *text)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._[]:";

	return *text && strspn(text, chars) == strlen(text);
}

/* From-domain, By-domain, with, id, then the additional clauses (RFC 5321 section 4.4): tls and,
 * right behind it, group (RFC 8314 section 4.3). */
int gp_smtp_append_trace(const struct smtp_edge *edge, struct gp_buf *out)
{
	const struct gp_smtp_edge_config *config = smtp_config(edge);
	bool ip6 = strchr(edge->client_ip, ':') != NULL;
	char date[GP_TIME_MAIL_SIZE];
	int ret = GP_OK;

	if (edge->requiretls && config->requiretls == GP_REQUIRETLS_HEADER)
		ret = gp_buf_append_str(out, "Require-TLS-ESMTP: yes\r\n");
	if (ret == GP_OK)
		ret = gp_buf_appendf(out, "Received: from %s ([%s%s])\r\n\tby %s with %s id %s",
				     is_domain(edge->helo) ? edge->helo : "unknown",
				     ip6 ? "IPv6:" : "", edge->client_ip, config->hostname,
				     protocol_keyword(edge), edge->session_id);
	if (ret == GP_OK && edge->tls_cipher[0])
		ret = gp_buf_appendf(out, "\r\n\ttls %s", edge->tls_cipher);
	if (ret == GP_OK && edge->tls_cipher[0] && edge->tls_group[0])
		ret = gp_buf_appendf(out, " group %s", edge->tls_group);
	gp_time_format_mail(edge->life.utc_ms, date);
	return ret == GP_OK ? gp_buf_appendf(out, ";\r\n\t%s\r\n", date) : ret;
}
