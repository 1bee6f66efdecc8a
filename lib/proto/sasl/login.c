/* SPDX-License-Identifier: MIT */
#include "proto/sasl/login.h"

#include "base/err.h"
#include "proto/sasl/external.h"
#include "proto/sasl/name.h"

void gp_login_name_set(struct gp_conversation *c, struct gp_str name)
{
	gp_str_copy(name, c->login_name, sizeof(c->login_name));
}

void gp_login_mechanism_set(struct gp_conversation *c, struct gp_str mechanism)
{
	c->login_name[0] = '\0';
	gp_str_copy(mechanism, c->sasl_mechanism, sizeof(c->sasl_mechanism));
}

void gp_login_name_from_sasl(struct gp_conversation *c, struct gp_str base64)
{
	if (!c->sasl_mechanism[0])
		return;
	gp_sasl_name(c->sasl_mechanism, base64, c->login_name, sizeof(c->login_name));
	c->sasl_mechanism[0] = '\0';
}

enum gp_external_wish gp_external_take(struct gp_edge_life *life, struct gp_str base64,
				       const char *account)
{
	switch (gp_external_judge(base64, account)) {
	case GP_OK:
		return GP_EXTERNAL_OWN;
	case GP_E_NOT_FOUND:
		gp_push_report(&life->c, GP_REPORT_LOGIN_FAILED, life->c.login_name);
		return GP_EXTERNAL_OTHER;
	case GP_E_SYNTAX:
		return GP_EXTERNAL_NO_TEXT;
	default:
		gp_conversation_fail(&life->c, GP_E_NOMEM);
		return GP_EXTERNAL_FAILED;
	}
}

/* Without an initial response, which not every backend takes and POP3 limits to 255 bytes. */
void gp_external_begin(struct gp_edge_life *life, const char *prefix)
{
	gp_login_name_set(&life->c, gp_str_of(life->account));
	gp_push_sendf(&life->c, GP_BACKEND, "%s %s\r\n", prefix,
		      gp_external_mechanism(life->c.config.external));
}

void gp_external_answer(struct gp_edge_life *life)
{
	struct gp_buf message;
	int ret;

	gp_buf_init(&message, life->c.config.line_max);
	ret = gp_external_message(life->c.config.external, life->account, &message);
	if (ret == GP_OK)
		gp_push_send_line(&life->c, GP_BACKEND, gp_str_from(message.data, message.len));
	gp_conversation_fail(&life->c, ret);
	gp_buf_deinit(&message);
}
