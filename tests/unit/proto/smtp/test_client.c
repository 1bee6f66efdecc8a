/* SPDX-License-Identifier: MIT */
/* Conversations with a server, whole and byte by byte. */
#include "proto/smtp/client.h"

#include "base/err.h"
#include "table.h"

enum { STEPS_MAX = 10, LOG_MAX = 4096 };

/* Steps that are no bytes of the server. */
#define GOOD_TLS "\001good"
#define BAD_TLS  "\001bad"
#define QUIT     "\001quit"
#define HANG_UP  "\001end"

#define GREETING "220 mx.example.net ESMTP\r\n"
#define EHLO     "250-mx.example.net at your service\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"
#define GO_AHEAD "220 2.0.0 go ahead\r\n"

#define TO_TLS "EHLO c.example\nSTARTTLS\n<tls>\n"

static const struct row {
	const char *name;
	const char *steps[STEPS_MAX];
	const char *log;   /* what the client did */
	const char *reply; /* at the end; NULL: any */
} rows[] = {
	/* clang-format off */
	{ "all is well", { GREETING, EHLO, GO_AHEAD, GOOD_TLS, "250-mx.example.net\r\n250 REQUIRETLS\r\n", QUIT, "221 bye\r\n" },
	  TO_TLS "EHLO c.example\n<ready>\nQUIT\n<done>\n", NULL },
	{ "[3207r-4.1-2] TLS is not good enough: QUIT at once", { GREETING, EHLO, GO_AHEAD, BAD_TLS, "221 bye\r\n" }, TO_TLS "QUIT\n<done>\n", NULL },
	{ "the server hangs up instead of answering QUIT", { GREETING, EHLO, GO_AHEAD, BAD_TLS, HANG_UP }, TO_TLS "QUIT\n<done>\n", NULL },
	{ "any answer to QUIT will do", { GREETING, EHLO, GO_AHEAD, BAD_TLS, "500 what\r\n" }, TO_TLS "QUIT\n<done>\n", NULL },
	{ "nonsense in answer to QUIT will do, too", { GREETING, "250 mx\r\n", QUIT, "bye\n" },
	  "EHLO c.example\n<failed starttls-not-offered>\nQUIT\n<done>\n", NULL },
	{ "a greeting of several lines", { "220-mx.example.net\r\n220-no spam\r\n220 ESMTP\r\n" }, "EHLO c.example\n", NULL },
	{ "a code alone is a reply", { "220\r\n", "250-\r\n250 STARTTLS\r\n", "220\r\n" }, TO_TLS, NULL },
	{ "keywords in any case", { GREETING, "250-mx\r\n250 StartTLS\r\n" }, "EHLO c.example\nSTARTTLS\n", NULL },
	{ "a keyword with parameters", { GREETING, "250-mx\r\n250 STARTTLS now\r\n" }, "EHLO c.example\nSTARTTLS\n", NULL },

	{ "[8460-4.3.1-1] STARTTLS is not offered", { GREETING, "250-mx\r\n250 SIZE\r\n", QUIT, "221 bye\r\n" },
	  "EHLO c.example\n<failed starttls-not-offered>\nQUIT\n<done>\n", NULL },
	{ "the server's name is no keyword", { GREETING, "250 STARTTLS\r\n" }, "EHLO c.example\n<failed starttls-not-offered>\n", NULL },
	{ "a longer keyword is another", { GREETING, "250-mx\r\n250 STARTTLSX\r\n" }, "EHLO c.example\n<failed starttls-not-offered>\n", NULL },
	{ "[3207r-4-9] STARTTLS: 454", { GREETING, EHLO, "454 4.7.0 not now\r\n", QUIT, "221 bye\r\n" },
	  "EHLO c.example\nSTARTTLS\n<failed starttls-refused>\nQUIT\n<done>\n", NULL },
	{ "[3207r-4-10 8460-4.3.1-1] STARTTLS: 502", { GREETING, EHLO, "502-no\r\n502 5.5.1 unknown\r\n" },
	  "EHLO c.example\nSTARTTLS\n<failed starttls-refused>\n", "502 5.5.1 unknown" },
	{ "STARTTLS: 250", { GREETING, EHLO, "250 fine\r\n" }, "EHLO c.example\nSTARTTLS\n<failed starttls-refused>\n", "250 fine" },
	{ "the greeting: 554", { "554 5.7.1 go away\r\n", QUIT, "221 bye\r\n" }, "<failed refused>\nQUIT\n<done>\n", NULL },
	{ "the greeting: 250", { "250 hello\r\n" }, "<failed refused>\n", "250 hello" },
	{ "EHLO: 550", { GREETING, "550 5.7.1 you\r\n" }, "EHLO c.example\n<failed refused>\n", "550 5.7.1 you" },
	{ "EHLO inside TLS: 502", { GREETING, EHLO, GO_AHEAD, GOOD_TLS, "502 no\r\n" }, TO_TLS "EHLO c.example\n<failed refused>\n", "502 no" },
	{ "421 as the greeting", { "421 4.3.2 busy\r\n", QUIT }, "<failed closing>\n<done>\n", "421 4.3.2 busy" },
	{ "421 to EHLO", { GREETING, "421 busy\r\n" }, "EHLO c.example\n<failed closing>\n", NULL },
	{ "421 to STARTTLS", { GREETING, EHLO, "421 busy\r\n" }, "EHLO c.example\nSTARTTLS\n<failed closing>\n", NULL },
	{ "421 when all is ready", { GREETING, EHLO, GO_AHEAD, GOOD_TLS, "250 mx\r\n", "421 idle\r\n" }, TO_TLS "EHLO c.example\n<ready>\n<failed closing>\n", NULL },

	{ "[3207r-4.2-2 3207r-4.2-6] STARTTLS is not looked for inside TLS", { GREETING, EHLO, GO_AHEAD, GOOD_TLS, "250-mx\r\n250 STARTTLS\r\n" },
	  TO_TLS "EHLO c.example\n<ready>\n", NULL },
	{ "a reply that the engine has not asked for", { GREETING, EHLO, GO_AHEAD, GOOD_TLS, "250 mx\r\n", "250 more\r\n" }, TO_TLS "EHLO c.example\n<ready>\n<failed broken-reply>\n", NULL },

	{ "a line end of LF", { "220 mx\n" }, "<failed broken-reply>\n", "" },
	{ "a line end of CR CR LF", { "220 mx\r\r\n" }, "<failed broken-reply>\n", "" },
	{ "a CR within", { "220 m\rx\r\n" }, "<failed broken-reply>\n", "" },
	{ "an LF within", { "220-m\nx\r\n" }, "<failed broken-reply>\n", "" },
	{ "an escape sequence", { "220 \033[2J\r\n" }, "<failed broken-reply>\n", "" },
	{ "an empty line", { "\r\n" }, "<failed broken-reply>\n", "" },
	{ "two digits", { "22 mx\r\n" }, "<failed broken-reply>\n", "" },
	{ "four digits", { "2200 mx\r\n" }, "<failed broken-reply>\n", "" },
	{ "a code of 1xx", { "120 mx\r\n" }, "<failed broken-reply>\n", "" },
	{ "a code of 6xx", { "620 mx\r\n" }, "<failed broken-reply>\n", "" },
	{ "a code of x6x", { "260 mx\r\n" }, "<failed broken-reply>\n", "" },
	{ "no code", { "SSH-2.0-OpenSSH\r\n" }, "<failed broken-reply>\n", "" },
	{ "another mark", { "220+mx\r\n" }, "<failed broken-reply>\n", "" },
	{ "another code in the last line", { GREETING, "250-mx\r\n220 STARTTLS\r\n" }, "EHLO c.example\n<failed broken-reply>\n", NULL },
	{ "no QUIT to who speaks nonsense", { "220 mx\n", QUIT }, "<failed broken-reply>\n<done>\n", NULL },
	{ "text beyond ASCII", { "220 m\xc3\xbc\r\n" }, "EHLO c.example\n", "220 m??" },

	{ "the end before the greeting", { HANG_UP }, "<failed end-of-stream>\n", "" },
	{ "the end within a reply", { GREETING, "250-mx\r\n", HANG_UP, QUIT }, "EHLO c.example\n<failed end-of-stream>\n<done>\n", NULL },
	{ "the end after STARTTLS", { GREETING, EHLO, HANG_UP }, "EHLO c.example\nSTARTTLS\n<failed end-of-stream>\n", NULL },
	/* clang-format on */
};

static void note(char *log, const struct gp_smtp_client_action *action)
{
	size_t len = strlen(log);

	switch (action->type) {
	case GP_SMTP_SEND:
		assert_true(gp_str_ends_nocase(action->data, "\r\n"));
		snprintf(log + len, LOG_MAX - len, "%.*s\n", (int)action->data.len - 2,
			 action->data.p);
		break;
	case GP_SMTP_START_TLS:
		snprintf(log + len, LOG_MAX - len, "<tls>\n");
		break;
	case GP_SMTP_READY:
		snprintf(log + len, LOG_MAX - len, "<ready>\n");
		break;
	case GP_SMTP_FAILED:
		snprintf(log + len, LOG_MAX - len, "<failed %s>\n",
			 gp_smtp_client_fault_name(action->fault));
		break;
	case GP_SMTP_DONE:
		snprintf(log + len, LOG_MAX - len, "<done>\n");
		break;
	case GP_SMTP_STATE:
		snprintf(log + len, LOG_MAX - len, "<%.*s>\n", (int)action->data.len,
			 action->data.p);
		break;
	}
}

static void drain(struct gp_smtp_client *client, char *log)
{
	struct gp_smtp_client_action action;

	while (gp_smtp_client_next(client, &action))
		note(log, &action);
}

static int feed(struct gp_smtp_client *client, const char *bytes, size_t piece, char *log)
{
	size_t len = strlen(bytes), at = 0;
	int ret = GP_OK;

	for (; at < len && ret == GP_OK; at += piece) {
		ret = gp_smtp_client_feed(client, (const uint8_t *)bytes + at,
					  len - at < piece ? len - at : piece);
		drain(client, log);
	}
	return ret;
}

static void step(struct gp_smtp_client *client, const char *what, size_t piece, char *log)
{
	if (!strcmp(what, GOOD_TLS) || !strcmp(what, BAD_TLS))
		assert_int_equal(gp_smtp_client_tls_done(client, !strcmp(what, GOOD_TLS)), GP_OK);
	else if (!strcmp(what, QUIT))
		assert_int_equal(gp_smtp_client_quit(client), GP_OK);
	else if (!strcmp(what, HANG_UP))
		gp_smtp_client_end(client);
	else
		feed(client, what, piece, log);
	drain(client, log);
}

static void talk(const struct row *row, size_t piece)
{
	struct gp_smtp_client *client = gp_smtp_client_new("c.example");
	char log[LOG_MAX] = "";

	assert_non_null(client);
	for (size_t i = 0; i < STEPS_MAX && row->steps[i]; i++)
		step(client, row->steps[i], piece, log);
	assert_string_equal(log, row->log);
	if (row->reply)
		assert_string_equal(gp_smtp_client_reply(client), row->reply);
	gp_smtp_client_free(client);
}

static void run(void **state)
{
	talk(*state, LOG_MAX);
	talk(*state, 1);
	talk(*state, 3);
}

/* ---- bytes behind the answer to STARTTLS ---- */

static const struct injection_row {
	const char *name;
	const char *behind;
} injection_rows[] = {
	{ "[3207r-4.2-2] behind the 220: another reply", "250 mx\r\n" },
	{ "[3207r-4.2-2] behind the 220: one byte", "2" },
	{ "behind the 220: what looks like TLS", "\026\003\003" },
};

static void refuses_injection(void **state)
{
	const struct injection_row *row = *state;
	struct gp_smtp_client *client = gp_smtp_client_new("c.example");
	char log[LOG_MAX] = "", glued[256];

	snprintf(glued, sizeof(glued), "%s%s", GO_AHEAD, row->behind);
	step(client, GREETING, LOG_MAX, log);
	step(client, EHLO, LOG_MAX, log);
	step(client, glued, LOG_MAX, log);
	step(client, QUIT, LOG_MAX, log);
	assert_string_equal(log, "EHLO c.example\nSTARTTLS\n<failed starttls-injection>\n<done>\n");
	gp_smtp_client_free(client);
}

/* What comes when TLS has begun is for TLS. */
static void takes_nothing_during_the_handshake(void **state)
{
	struct gp_smtp_client *client = gp_smtp_client_new("c.example");
	char log[LOG_MAX] = "";

	(void)state;
	step(client, GREETING, 1, log);
	step(client, EHLO, 1, log);
	step(client, GO_AHEAD, 1, log);
	assert_int_equal(gp_smtp_client_feed(client, (const uint8_t *)"2", 1), GP_E_STATE);
	assert_int_equal(gp_smtp_client_quit(client), GP_E_STATE);
	assert_string_equal(log, TO_TLS);
	gp_smtp_client_free(client);
}

static void reports_states(void **state)
{
	struct gp_smtp_client *client = gp_smtp_client_new("c.example");
	char log[LOG_MAX] = "";

	(void)state;
	gp_smtp_client_report_states(client);
	step(client, GREETING, 1, log);
	step(client, EHLO, 1, log);
	step(client, GO_AHEAD, 1, log);
	step(client, GOOD_TLS, 1, log);
	step(client, "250 mx\r\n", 1, log);
	step(client, QUIT, 1, log);
	step(client, "221 bye\r\n", 1, log);
	assert_string_equal(log, "<greeting -> ehlo>\nEHLO c.example\n"
				 "<ehlo -> starttls>\nSTARTTLS\n"
				 "<starttls -> handshake>\n<tls>\n"
				 "<handshake -> ehlo-in-tls>\nEHLO c.example\n"
				 "<ehlo-in-tls -> ready>\n<ready>\n"
				 "<ready -> quit>\nQUIT\n"
				 "<quit -> end>\n<done>\n");
	gp_smtp_client_free(client);
}

/* All that one call can come to: nothing is lost. */
static void reports_states_of_one_call(void **state)
{
	struct gp_smtp_client *client = gp_smtp_client_new("c.example");
	char log[LOG_MAX] = "";

	(void)state;
	gp_smtp_client_report_states(client);
	step(client, GREETING EHLO GO_AHEAD "nonsense\r\n", LOG_MAX, log);
	assert_string_equal(log, "<greeting -> ehlo>\nEHLO c.example\n"
				 "<ehlo -> starttls>\nSTARTTLS\n"
				 "<starttls -> failed>\n<failed starttls-injection>\n");
	gp_smtp_client_free(client);
}

static void forgets_clear_text(void **state)
{
	struct gp_smtp_client *client = gp_smtp_client_new("c.example");
	char log[LOG_MAX] = "";

	(void)state;
	step(client, GREETING, 1, log);
	step(client, "250-clear.example\r\n250-REQUIRETLS\r\n250 STARTTLS\r\n", 1, log);
	assert_int_equal(gp_smtp_client_extensions(client),
			 GP_SMTP_OFFERS_STARTTLS | GP_SMTP_OFFERS_REQUIRETLS);
	assert_string_equal(gp_smtp_client_peer_name(client), "clear.example");
	step(client, GO_AHEAD, 1, log);
	assert_int_equal(gp_smtp_client_extensions(client), 0);
	assert_string_equal(gp_smtp_client_peer_name(client), "");
	step(client, GOOD_TLS, 1, log);
	step(client, "250-tls.example\r\n250 SIZE\r\n", 1, log);
	assert_int_equal(gp_smtp_client_extensions(client), 0);
	assert_string_equal(gp_smtp_client_peer_name(client), "tls.example");
	gp_smtp_client_free(client);
}

/* ---- limits ---- */

static void feed_long(const char *head, size_t len, const char *tail, const char *expected)
{
	for (size_t piece = 1; piece <= LOG_MAX; piece *= LOG_MAX) {
		struct gp_smtp_client *client = gp_smtp_client_new("c.example");
		char log[LOG_MAX] = "", line[2 * GP_SMTP_REPLY_LINE_MAX] = "";

		strcpy(line, head);
		memset(line + strlen(head), 'x', len - strlen(head) - strlen(tail));
		strcpy(line + len - strlen(tail), tail);
		feed(client, line, piece, log);
		assert_string_equal(log, expected);
		gp_smtp_client_free(client);
	}
}

static void limits_lines(void **state)
{
	(void)state;
	feed_long("220 ", GP_SMTP_REPLY_LINE_MAX, "\r\n", "EHLO c.example\n");
	feed_long("220 ", GP_SMTP_REPLY_LINE_MAX + 1, "\r\n", "<failed long-reply>\n");
	feed_long("220 ", GP_SMTP_REPLY_LINE_MAX + 1, "", "<failed long-reply>\n");
}

static void limits_replies(void **state)
{
	struct gp_smtp_client *client = gp_smtp_client_new("c.example");
	char log[LOG_MAX] = "";

	(void)state;
	for (int i = 0; i < GP_SMTP_REPLY_LINES_MAX; i++)
		feed(client, "220-more\r\n", LOG_MAX, log);
	assert_string_equal(log, "");
	feed(client, "220 most\r\n", LOG_MAX, log);
	assert_string_equal(log, "<failed long-reply>\n");
	gp_smtp_client_free(client);
}

static void cuts_texts(void **state)
{
	struct gp_smtp_client *client = gp_smtp_client_new("c.example");
	char log[LOG_MAX] = "", line[1024];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "554 ", 4);
	strcpy(line + sizeof(line) - 3, "\r\n");
	feed(client, line, LOG_MAX, log);
	assert_int_equal(strlen(gp_smtp_client_reply(client)), GP_SMTP_REPLY_TEXT_SIZE - 1);
	gp_smtp_client_free(client);
}

static void wants_a_name(void **state)
{
	static const char *const names[] = { "", "a b", "a\r\nRSET", "m\xc3\xbc", "a\x7f" };
	char endless[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_null(gp_smtp_client_new(names[i]));
	memset(endless, 'a', sizeof(endless));
	endless[sizeof(endless) - 1] = '\0';
	assert_null(gp_smtp_client_new(endless));
	gp_smtp_client_free(NULL);
}

static void wants_to_be_drained(void **state)
{
	struct gp_smtp_client *client = gp_smtp_client_new("c.example");
	struct gp_smtp_client_action action;

	(void)state;
	assert_int_equal(gp_smtp_client_tls_done(client, true), GP_E_STATE);
	assert_int_equal(gp_smtp_client_feed(client, (const uint8_t *)GREETING, strlen(GREETING)),
			 GP_OK);
	assert_int_equal(gp_smtp_client_feed(client, (const uint8_t *)EHLO, strlen(EHLO)),
			 GP_E_STATE);
	assert_true(gp_smtp_client_next(client, &action));
	assert_false(gp_smtp_client_next(client, &action));
	assert_int_equal(gp_smtp_client_feed(client, (const uint8_t *)EHLO, strlen(EHLO)), GP_OK);
	gp_smtp_client_free(client);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, injection_rows, refuses_injection);
	table_one(&table, "[3207r-4-6 3207r-4-8] nothing is said or heard during the handshake",
		  takes_nothing_during_the_handshake);
	table_one(&table, "each transition is reported", reports_states);
	table_one(&table, "each transition within one call is reported",
		  reports_states_of_one_call);
	table_one(&table, "[3207r-4.2-2 3207r-4.2-3] what was heard in cleartext is forgotten",
		  forgets_clear_text);
	table_one(&table, "a line has a limit", limits_lines);
	table_one(&table, "a reply has a limit", limits_replies);
	table_one(&table, "texts are cut", cuts_texts);
	table_one(&table, "our own name is one word", wants_a_name);
	table_one(&table, "actions must be drained", wants_to_be_drained);
	return table_run(&table);
}
