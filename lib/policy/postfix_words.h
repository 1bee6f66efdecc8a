/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_POSTFIX_WORDS_H
#define GP_POLICY_POSTFIX_WORDS_H

#include "base/buf.h"
#include "base/str.h"

/* The words of a TLS policy of Postfix (postconf(5), smtp_tls_policy_maps): a level, and attributes,
 * as "name=value" or "{ name = value }". Answers are made of them, and an operator's override is
 * read by the same table: Postfix defers all mail to a domain whose policy it cannot read. */

enum gp_postfix_attribute {
	GP_POSTFIX_CIPHERS,
	GP_POSTFIX_PROTOCOLS,
	GP_POSTFIX_EXCLUDE,
	GP_POSTFIX_MATCH,
	GP_POSTFIX_TAFILE,
	GP_POSTFIX_SERVERNAME,       /* 3.4 */
	GP_POSTFIX_CONNECTION_REUSE, /* 3.4 */
	GP_POSTFIX_ENABLE_RPK,       /* 3.9 */
	GP_POSTFIX_POLICY_TYPE,      /* 3.10, and those that follow, as well as braces */
	GP_POSTFIX_POLICY_TTL,
	GP_POSTFIX_POLICY_DOMAIN,
	GP_POSTFIX_POLICY_STRING,
	GP_POSTFIX_MX_HOST_PATTERN,
	GP_POSTFIX_POLICY_FAILURE,
	GP_POSTFIX_ATTRIBUTES
};

const char *gp_postfix_attribute_name(enum gp_postfix_attribute attribute);

/* Would a Postfix of the present day take this policy? What depends on the machine is not looked at:
 * the file of tafile=, and smtp_tls_fingerprint_cert_match. GP_OK; or GP_E_SYNTAX with a clause in
 * `why`, "match= needs a value". */
int gp_postfix_words_check(struct gp_str policy, struct gp_buf *why);

#endif
