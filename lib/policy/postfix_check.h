/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_POSTFIX_CHECK_H
#define GP_POLICY_POSTFIX_CHECK_H

#include <stdbool.h>

#include "base/buf.h"

/* Can Postfix do what the policy service tells it? */

/* What postconf(1) and the files say; texts are "" where there is nothing. */
struct gp_postfix_setup {
	const char *mail_version;
	const char *dns_support_level; /* smtp_dns_support_level */
	const char *host_lookup;       /* smtp_host_lookup */
	const char *security_level;    /* smtp_tls_security_level */
	const char *policy_maps;       /* smtp_tls_policy_maps */
	const char *ca_file, *ca_path; /* smtp_tls_CAfile, smtp_tls_CApath */
	bool ca_file_there;            /* it can be read */
	const char *dane_insecure_mx;  /* smtp_tls_dane_insecure_mx_policy */
	const char *queue_directory;
	bool chrooted;           /* the service smtp */
	const char *resolv_conf; /* the path of that which smtp sees */
	const char *resolver;    /* the nameserver in it, the worst one; "" when there is none */
	bool resolver_local;     /* it is on this machine */
	bool resolver_validates; /* it vouches (AD) for the zone of dns.self-test */
	/* of our configuration */
	const char *addresses;        /* policy.addresses, with blanks between them */
	bool dane_insecure_mx_wanted; /* policy.dane-insecure-mx */
	const char *stated_level;     /* policy.smtp-tls-security-level; "unknown": not set */
};

/* Append, for everything that is missing or wrong, a sentence and the line to write. Returns how
 * many. */
unsigned gp_postfix_check(const struct gp_postfix_setup *setup, struct gp_buf *out);

#endif
