/* SPDX-License-Identifier: MIT */
#ifndef GP_IDENTITY_HOST_H
#define GP_IDENTITY_HOST_H

#include "base/endpoint.h"
#include "base/str.h"
#include "identity/domain.h"

/* A host as the operator or a peer wrote it: an address first, a domain only when it is none
 * (section 3). */
struct gp_host {
	struct gp_endpoint address; /* GP_ENDPOINT_NONE: a domain */
	char name[GP_DOMAIN_SIZE];  /* A-labels in lower case, or the address as text */
};

/* "mail.example.org", one dot at the end is fine, U-labels become A-labels; "192.0.2.1";
 * "2001:db8::1" or "[2001:db8::1]". A name of one label only with `single_label`. GP_OK;
 * GP_E_SYNTAX, and *reason_out is a static sentence; GP_E_NOMEM. */
int gp_host_parse(struct gp_str text, bool single_label, struct gp_host *host_out,
		  const char **reason_out);

/* The name of a mail host or policy host, which is ASCII already: as above, without IDNA and
 * without addresses. GP_OK or GP_E_SYNTAX. */
int gp_host_of_mail(const char *name, struct gp_host *host_out, const char **reason_out);

#endif
