/* SPDX-License-Identifier: MIT */
#include "mtasts/failure.h"

#include <stddef.h>

static const struct {
	const char *type;
	const char *text;
} failures[] = {
	[GP_MTASTS_NO_FAILURE] = { NULL, NULL },
	[GP_MTASTS_FETCH_ERROR] = { "sts-policy-fetch-error",
				    "the policy could not be fetched (RFC 8461 section 3.3)" },
	[GP_MTASTS_INVALID] = { "sts-policy-invalid",
				"the policy is not valid (RFC 8461 section 3.2)" },
	[GP_MTASTS_WEBPKI_INVALID] = { "sts-webpki-invalid",
				       "the policy host's certificate is not valid "
				       "(RFC 8461 section 3.3)" },
};

const char *gp_mtasts_failure_type(enum gp_mtasts_failure failure)
{
	return failures[failure].type;
}

const char *gp_mtasts_failure_text(enum gp_mtasts_failure failure)
{
	return failures[failure].text;
}
