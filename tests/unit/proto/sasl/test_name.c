/* SPDX-License-Identifier: MIT */
#include "proto/sasl/name.h"

#include "table.h"

static const struct row {
	const char *name;
	const char *mechanism;
	const char *base64;
	const char *user;
} rows[] = {
	{ "PLAIN: no authorization identity", "PLAIN", "AGFsaWNlAHNlY3JldA==", "alice" },
	{ "PLAIN: in small letters", "plain", "AGFsaWNlAHNlY3JldA==", "alice" },
	{ "PLAIN: the name behind the authorization identity", "PLAIN",
	  "Ym9iAGFsaWNlAHNlY3JldA==", "alice" },
	{ "PLAIN: no NUL", "PLAIN", "YWxpY2U=", "" },
	{ "PLAIN: nothing", "PLAIN", "", "" },
	{ "PLAIN: the equals sign of an empty response", "PLAIN", "=", "" },
	{ "PLAIN: a cancelled exchange", "PLAIN", "*", "" },
	{ "PLAIN: broken base64", "PLAIN", "AGFsaWNlAHNlY3JldA", "" },
	{ "LOGIN: the first answer is the name", "LOGIN", "YWxpY2U=", "alice" },
	{ "EXTERNAL: the authorization identity", "EXTERNAL", "YWxpY2U=", "alice" },
	{ "SCRAM: the name", "SCRAM-SHA-256", "bixhPWJvYixuPWFsaWNlLHI9YWJj", "alice" },
	{ "SCRAM: without authorization identity", "SCRAM-SHA-1",
	  "biwsbj1hbGljZSxyPWFiYw==", "alice" },
	{ "OAUTHBEARER: the authorization identity", "OAUTHBEARER",
	  "bixhPWFsaWNlQGV4YW1wbGUub3JnLAFhdXRoPUJlYXJlciB4AQE=", "alice@example.org" },
	{ "XOAUTH2: the user", "XOAUTH2", "dXNlcj1hbGljZQFhdXRoPUJlYXJlciB4AQE=", "alice" },
	{ "an unknown mechanism hides it", "GSSAPI", "YWxpY2U=", "" },
	{ "a name that is too long is cut", "LOGIN",
	  "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3A=", "0123456789abcdefghijklm" },
};

static void run(void **state)
{
	const struct row *row = *state;
	char user[24] = "left over";

	gp_sasl_name(row->mechanism, gp_str_of(row->base64), user, sizeof(user));
	assert_string_equal(user, row->user);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
