/* SPDX-License-Identifier: MIT */
#include "proto/sasl/external.h"

#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "proto/sasl/list.h"

enum { MESSAGE_MAX = 4096 };

const char gp_external_refused[] =
	"the backend refuses the login for a client certificate: see backend.login, and the master "
	"users or auth_ssl_username_from_cert of Dovecot";

int gp_external_judge(struct gp_str base64, const char *account)
{
	struct gp_buf message;
	int ret;

	gp_buf_init(&message, base64.len);
	ret = gp_base64_decode(base64, &message);
	/* an account is UTF-8 without NUL, so nothing else can be equal to it */
	if (ret == GP_OK && message.len &&
	    (message.len != strlen(account) || memcmp(message.data, account, message.len) != 0))
		ret = GP_E_NOT_FOUND;
	gp_buf_deinit(&message);
	return ret;
}

const char *gp_external_mechanism(const struct gp_external_login *login)
{
	return login->method == GP_EXTERNAL_AS_MASTER_USER ? "PLAIN" : GP_SASL_EXTERNAL;
}

/* PLAIN: authzid NUL authcid NUL passwd (RFC 4616 section 2). EXTERNAL: nothing, for the account
 * is in the PROXY header. */
int gp_external_message(const struct gp_external_login *login, const char *account,
			struct gp_buf *out)
{
	struct gp_buf message;
	int ret;

	if (login->method != GP_EXTERNAL_AS_MASTER_USER)
		return GP_OK;
	gp_buf_init(&message, MESSAGE_MAX);
	ret = gp_buf_append(&message, account, strlen(account) + 1);
	if (ret == GP_OK)
		ret = gp_buf_append(&message, login->user, strlen(login->user) + 1);
	if (ret == GP_OK)
		ret = gp_buf_append_str(&message, login->password);
	if (ret == GP_OK)
		ret = gp_base64_encode(message.data, message.len, out);
	gp_buf_deinit(&message);
	return ret;
}
