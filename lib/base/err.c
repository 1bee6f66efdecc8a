/* SPDX-License-Identifier: MIT */
#include "base/err.h"

const char *gp_err_name(int err)
{
	switch (err) {
	case GP_AGAIN:
		return "again";
	case GP_OK:
		return "ok";
	case GP_E_NOMEM:
		return "out of memory";
	case GP_E_LIMIT:
		return "limit reached";
	case GP_E_SYNTAX:
		return "syntax error";
	case GP_E_STATE:
		return "wrong state";
	case GP_E_IO:
		return "system error";
	case GP_E_TLS:
		return "tls error";
	case GP_E_CONF:
		return "configuration error";
	case GP_E_NOT_FOUND:
		return "not found";
	default:
		return "unknown error";
	}
}
