/* SPDX-License-Identifier: MIT */
#include "proto/role.h"

#include <stddef.h>

#define WITH_IMAP_ID                                                                          \
	{                                                                                     \
		[GP_FACTS_NONE] = true, [GP_FACTS_PROXY_V2] = true, [GP_FACTS_IMAP_ID] = true \
	}
#define WITH_PROXY                                                 \
	{                                                          \
		[GP_FACTS_NONE] = true, [GP_FACTS_PROXY_V2] = true \
	}
#define WITH_XCLIENT                                                                          \
	{                                                                                     \
		[GP_FACTS_NONE] = true, [GP_FACTS_PROXY_V2] = true, [GP_FACTS_XCLIENT] = true \
	}

/* clang-format off */
const struct gp_role_row gp_roles[GP_ROLES] = {
	[GP_ROLE_SUBMISSIONS] = {
		.name = "submissions", .protocol = GP_PROTOCOL_SMTP, .implicit_tls = true, .port = 465, .alpn = "smtp",
		.facts = WITH_XCLIENT, .external = true, .smtp = true,
		.srv = "_submissions", .priority = 0, .srv_why = "RFC 8314 section 5.1", .srv_id = "_submissions" },
	[GP_ROLE_SUBMISSION] = {
		.name = "submission", .protocol = GP_PROTOCOL_SMTP, .port = 587, .alpn = "smtp",
		.facts = WITH_XCLIENT, .external = true, .smtp = true,
		.srv = "_submission", .priority = 10, .srv_why = "RFC 6186 section 3.1, with STARTTLS",
		.srv_id = "_submission" },
	[GP_ROLE_IMAPS] = {
		.name = "imaps", .protocol = GP_PROTOCOL_IMAP, .implicit_tls = true, .port = 993, .alpn = "imap",
		.facts = WITH_IMAP_ID, .external = true, .preauth = true,
		.srv = "_imaps", .priority = 0, .srv_why = "RFC 6186 section 3.2", .srv_id = "_imaps" },
	[GP_ROLE_IMAP] = {
		.name = "imap", .protocol = GP_PROTOCOL_IMAP, .port = 143, .alpn = "imap",
		.facts = WITH_IMAP_ID, .external = true,
		.srv = "_imap", .priority = 10, .srv_why = "RFC 6186 section 3.2, with STARTTLS", .srv_id = "_imap" },
	[GP_ROLE_POP3S] = {
		.name = "pop3s", .protocol = GP_PROTOCOL_POP3, .implicit_tls = true, .port = 995, .alpn = "pop3",
		.facts = WITH_XCLIENT, .external = true,
		.srv = "_pop3s", .priority = 20, .srv_why = "RFC 6186 section 3.3", .srv_id = "_pop3s" },
	[GP_ROLE_POP3] = {
		.name = "pop3", .protocol = GP_PROTOCOL_POP3, .port = 110, .alpn = "pop3",
		.facts = WITH_XCLIENT, .external = true,
		.srv = "_pop3", .priority = 30, .srv_why = "RFC 6186 section 3.3, with STLS", .srv_id = "_pop3" },
	[GP_ROLE_SIEVE] = {
		.name = "sieve", .protocol = GP_PROTOCOL_SIEVE, .port = 4190, .alpn = "managesieve",
		.facts = WITH_XCLIENT, .external = true,
		.srv = "_sieve", .priority = 0, .srv_why = "RFC 5804 section 1.8", .srv_id = "_sieve" },
	[GP_ROLE_SMTP] = {
		.name = "smtp", .protocol = GP_PROTOCOL_SMTP, .port = 25, .alpn = "smtp",
		.facts = WITH_XCLIENT, .smtp = true, .mx = true },
	[GP_ROLE_HTTPS] = {
		.name = "https", .protocol = GP_PROTOCOL_HTTP, .implicit_tls = true, .port = 443, .alpn = "http/1.1",
		.facts = WITH_PROXY, .http = true },
	/* direct TLS asks for the SRV-IDs of STARTTLS, too (XEP-0368 section 3) */
	[GP_ROLE_XMPPS_CLIENT] = {
		.name = "xmpps-client", .protocol = GP_PROTOCOL_XMPP_CLIENT, .implicit_tls = true, .port = 5223, .alpn = "xmpp-client",
		.facts = WITH_PROXY, .external = true, .xmpp = true,
		.srv = "_xmpps-client", .priority = 0, .srv_why = "XEP-0368 section 3", .srv_id = "_xmpp-client" },
	[GP_ROLE_XMPP_CLIENT] = {
		.name = "xmpp-client", .protocol = GP_PROTOCOL_XMPP_CLIENT, .port = 5222, .alpn = "xmpp-client",
		.facts = WITH_PROXY, .external = true, .xmpp = true,
		.srv = "_xmpp-client", .priority = 10, .srv_why = "RFC 6120 section 3.2.1", .srv_id = "_xmpp-client" },
	[GP_ROLE_XMPPS_SERVER] = {
		.name = "xmpps-server", .protocol = GP_PROTOCOL_XMPP_SERVER, .implicit_tls = true, .port = 5270, .alpn = "xmpp-server",
		.facts = WITH_PROXY, .xmpp = true, .s2s = true,
		.srv = "_xmpps-server", .priority = 0, .srv_why = "XEP-0368 section 3", .srv_id = "_xmpp-server" },
	[GP_ROLE_XMPP_SERVER] = {
		.name = "xmpp-server", .protocol = GP_PROTOCOL_XMPP_SERVER, .port = 5269, .alpn = "xmpp-server",
		.facts = WITH_PROXY, .xmpp = true, .s2s = true,
		.srv = "_xmpp-server", .priority = 10, .srv_why = "RFC 6120 section 3.2.1", .srv_id = "_xmpp-server" },
};
/* clang-format on */

#define GP_ROLE_WORD(id, name) name,
const char *const gp_role_words[] = { GP_ROLE_NAMES(GP_ROLE_WORD) NULL };
const char *const gp_facts_words[] = { "none", "proxy-v2", "xclient", "imap-id", NULL };

const char *gp_role_name(int role)
{
	return gp_roles[role].name;
}

int gp_role_of_mx(void)
{
	return GP_ROLE_SMTP;
}
