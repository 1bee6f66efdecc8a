/* SPDX-License-Identifier: MIT */
/* What a stranger asks of a server, and what the answers mean. */
#include "proto/smtp/relay_check.h"

#include "table.h"

/* `answers` are given in turn, the last one again and again; `said` are the first letters of the
 * commands, R for RCPT and S for RSET. */
static const struct row {
	const char *name;
	unsigned answers[10];
	const char *said;
	const char *relayed;
	bool cut_off;
} rows[] = {
	{ "all is refused", { 554 }, "EMSMSQ", NULL, false },
	{ "MAIL is fine, RCPT is not",
	  { 250, 250, 554, 454, 250, 250, 554, 554, 250, 221 },
	  "EMRRSMRRSQ",
	  NULL,
	  false },
	{ "an open relay, at the first address",
	  { 250, 250, 250, 250, 221 },
	  "EMRSSQ",
	  "gatepost-check@example.invalid",
	  false },
	{ "251 is as good as 250",
	  { 250, 250, 251, 250, 221 },
	  "EMRSSQ",
	  "gatepost-check@example.invalid",
	  false },
	{ "a domain without DNS records is refused, an address literal is not",
	  { 250, 250, 450, 250, 250, 221 },
	  "EMRRSSQ",
	  "gatepost-check@[203.0.113.1]",
	  false },
	{ "the null sender is refused, another is not",
	  { 250, 550, 250, 250, 550, 250, 250, 221 },
	  "EMSMRRSQ",
	  "gatepost-check@[203.0.113.1]",
	  false },
	{ "the connection is closed with 421", { 250, 250, 421 }, "EMR", NULL, true },
	{ "QUIT is answered with 421", { 250, 554, 250, 554, 250, 421 }, "EMSMSQ", NULL, false },
	{ "no EHLO, and yet a relay",
	  { 502, 250, 250, 250 },
	  "EMRSSQ",
	  "gatepost-check@example.invalid",
	  false },
};

static char letter_of(const char *command)
{
	return !strncmp(command, "RSET", 4) ? 'S' : command[0];
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_smtp_relay_check check = { .step = 0 };
	char said[16] = "";
	const char *command;
	size_t answers = 0;

	for (size_t i = 0; (command = gp_smtp_relay_check_command(&check)); i++) {
		assert_true(i < sizeof(said) - 1);
		assert_string_equal(command + strlen(command) - 2, "\r\n");
		assert_null(strstr(command, "DATA"));
		said[i] = letter_of(command);
		gp_smtp_relay_check_answer(&check, row->answers[answers]);
		if (answers + 1 < 10 && row->answers[answers + 1])
			answers++;
	}
	assert_string_equal(said, row->said);
	if (row->relayed)
		assert_string_equal(check.relayed, row->relayed);
	else
		assert_null(check.relayed);
	assert_int_equal(check.cut_off, row->cut_off);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
