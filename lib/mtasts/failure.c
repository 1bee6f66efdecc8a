/* SPDX-License-Identifier: MIT */
#include "mtasts/failure.h"

#include <stddef.h>

const char *gp_mtasts_failure_type(enum gp_mtasts_failure failure)
{
	static const char *const types[] = {
		[GP_MTASTS_NO_FAILURE] = NULL,
		[GP_MTASTS_FETCH_ERROR] = "sts-policy-fetch-error",
		[GP_MTASTS_INVALID] = "sts-policy-invalid",
		[GP_MTASTS_WEBPKI_INVALID] = "sts-webpki-invalid",
	};

	return types[failure];
}
