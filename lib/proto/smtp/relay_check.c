/* SPDX-License-Identifier: MIT */
#include "proto/smtp/relay_check.h"

enum kind { HELLO, MAIL, RCPT, RESET, QUIT };

#define FOREIGN_NAME    "gatepost-check@example.invalid"
#define FOREIGN_LITERAL "gatepost-check@[203.0.113.1]"

/* Servers often refuse something before they look whether they may relay: the null sender, a domain
 * without DNS records (RFC 2606 section 2), a name in EHLO. So the EHLO and one of each pair of
 * addresses are address literals (RFC 5321 section 4.1.3) of RFC 5737's documentation network, for
 * which no DNS is asked. */
static const struct {
	enum kind kind;
	const char *command;
	const char *address;
} steps[] = {
	{ HELLO, "EHLO [192.0.2.1]\r\n", NULL },
	{ MAIL, "MAIL FROM:<>\r\n", NULL },
	{ RCPT, "RCPT TO:<" FOREIGN_NAME ">\r\n", FOREIGN_NAME },
	{ RCPT, "RCPT TO:<" FOREIGN_LITERAL ">\r\n", FOREIGN_LITERAL },
	{ RESET, "RSET\r\n", NULL },
	{ MAIL, "MAIL FROM:<gatepost-check@[192.0.2.1]>\r\n", NULL },
	{ RCPT, "RCPT TO:<" FOREIGN_NAME ">\r\n", FOREIGN_NAME },
	{ RCPT, "RCPT TO:<" FOREIGN_LITERAL ">\r\n", FOREIGN_LITERAL },
	{ RESET, "RSET\r\n", NULL },
	{ QUIT, "QUIT\r\n", NULL },
};

enum { STEPS = sizeof(steps) / sizeof(*steps), CLOSING = 421 };

const char *gp_smtp_relay_check_command(const struct gp_smtp_relay_check *check)
{
	return check->step < STEPS ? steps[check->step].command : NULL;
}

/* After a refused MAIL no RCPT can be; what was taken once needs no second look. */
static bool is_skipped(const struct gp_smtp_relay_check *check)
{
	switch (steps[check->step].kind) {
	case MAIL:
		return check->relayed;
	case RCPT:
		return check->relayed || !check->mail_taken;
	default:
		return false;
	}
}

void gp_smtp_relay_check_answer(struct gp_smtp_relay_check *check, unsigned code)
{
	bool taken = code >= 200 && code < 300;

	if (steps[check->step].kind == MAIL)
		check->mail_taken = taken;
	else if (steps[check->step].kind == RCPT && taken)
		check->relayed = steps[check->step].address;
	/* it is about to close (RFC 5321 section 3.8) */
	check->cut_off = code == CLOSING && steps[check->step].kind != QUIT;
	check->step = check->cut_off ? STEPS : check->step + 1;
	while (check->step < STEPS && is_skipped(check))
		check->step++;
}
