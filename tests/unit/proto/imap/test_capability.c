/* SPDX-License-Identifier: MIT */
#include "proto/imap/capability.h"

#include "base/err.h"
#include "table.h"

static const struct row {
	const char *name;
	const char *line;
	const char *rewritten; /* NULL: holds no capabilities */
	bool login_disabled;
	bool channel_binding;
} rows[] = {
	{ "[9051-6.2.1-4] STARTTLS goes from the untagged response",
	  "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN", "* CAPABILITY IMAP4rev1 AUTH=PLAIN", false,
	  false },
	{ "[9051-6.2.1-4] STARTTLS goes from the greeting",
	  "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready", "* OK [CAPABILITY IMAP4rev1] ready", false,
	  false },
	{ "STARTTLS goes from a tagged reply", "a7 OK [CAPABILITY STARTTLS IMAP4rev1] done",
	  "a7 OK [CAPABILITY IMAP4rev1] done", false, false },
	{ "words in small letters are known", "* capability imap4rev1 starttls auth=external",
	  "* capability imap4rev1", false, false },
	{ "words that only look alike stay", "* CAPABILITY STARTTLSX XSTARTTLS UNAUTHENTICATE2",
	  "* CAPABILITY STARTTLSX XSTARTTLS UNAUTHENTICATE2", false, false },
	{ "UNAUTHENTICATE goes", "* CAPABILITY IMAP4rev1 UNAUTHENTICATE ID",
	  "* CAPABILITY IMAP4rev1 ID", false, false },
	{ "EXTERNAL goes", "* CAPABILITY AUTH=PLAIN AUTH=EXTERNAL SASL-IR",
	  "* CAPABILITY AUTH=PLAIN SASL-IR", false, false },
	{ "a -PLUS mechanism goes with its twin",
	  "* CAPABILITY AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=SCRAM-SHA-256-PLUS",
	  "* CAPABILITY AUTH=PLAIN", false, true },
	{ "another mechanism of the family stays",
	  "* CAPABILITY AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256",
	  "* CAPABILITY AUTH=SCRAM-SHA-1", false, true },
	{ "a twin in other letters", "* CAPABILITY AUTH=scram-sha-1 AUTH=SCRAM-SHA-1-plus IDLE",
	  "* CAPABILITY IDLE", false, true },
	{ "LOGINDISABLED is found and stays", "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] x",
	  "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] x", true, false },
	{ "runs of blanks become one", "* CAPABILITY  IMAP4rev1   STARTTLS  ID ",
	  "* CAPABILITY IMAP4rev1 ID", false, false },
	{ "nothing is left", "* CAPABILITY STARTTLS", "* CAPABILITY ", false, false },
	{ "a NO may carry capabilities", "a NO [CAPABILITY STARTTLS ID] x",
	  "a NO [CAPABILITY ID] x", false, false },
	{ "BYE may carry capabilities", "* BYE [CAPABILITY STARTTLS ID] x",
	  "* BYE [CAPABILITY ID] x", false, false },
	{ "text after the code stays as it is", "* OK [CAPABILITY ID] use STARTTLS [STARTTLS]",
	  "* OK [CAPABILITY ID] use STARTTLS [STARTTLS]", false, false },
	{ "another code", "* OK [ALERT] STARTTLS", NULL, false, false },
	{ "the code never ends", "* OK [CAPABILITY STARTTLS", NULL, false, false },
	{ "another untagged response", "* LIST () \"/\" CAPABILITY", NULL, false, false },
	{ "the word alone", "* CAPABILITY", "* CAPABILITY", false, false },
	{ "an empty line", "", NULL, false, false },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_str line = gp_str_of(row->line);
	struct gp_imap_capability_findings findings = { 0 };
	struct gp_buf out;
	int ret;

	gp_buf_init(&out, 512);
	ret = gp_imap_capabilities_rewrite(line, false, &out, &findings);
	assert_int_equal(gp_imap_has_capabilities(line), row->rewritten != NULL);
	if (!row->rewritten) {
		assert_int_equal(ret, GP_E_SYNTAX);
		return;
	}
	assert_int_equal(ret, GP_OK);
	assert_memory_equal(out.data + out.len - 2, "\r\n", 2);
	out.len -= 2;
	assert_string_equal(gp_buf_cstr(&out), row->rewritten);
	assert_int_equal(findings.login_disabled, row->login_disabled);
	assert_int_equal(findings.channel_binding, row->channel_binding);
	gp_buf_deinit(&out);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
