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
		return "a limit of gatepost was reached";
	case GP_E_SYNTAX:
		return "the data is malformed";
	case GP_E_STATE:
		return "internal error: wrong state";
	case GP_E_IO:
		return "the operating system reported an error";
	case GP_E_TLS:
		return "a TLS operation failed";
	case GP_E_CONF:
		return "the configuration is wrong";
	case GP_E_NOT_FOUND:
		return "not found";
	case GP_E_CUT:
		return "the connection was cut off";
	default:
		return "unknown error";
	}
}
