/* SPDX-License-Identifier: MIT */
#include "identity/account.h"

#include "base/err.h"
#include "table.h"

enum { NAMES_MAX = 4 };

static const struct row {
	const char *name;
	struct {
		enum gp_identity_kind kind;
		const char *text;
	} names[NAMES_MAX];
	enum gp_account_names by;
	enum gp_account_form form;
	bool usable, verified;
	uint8_t key;         /* first byte of its SPKI's digest; 7 is listed as bob's */
	const char *account; /* NULL: none */
} rows[] = {
	{ "account: a listed key", { { 0 } }, GP_ACCOUNT_BY_NONE, 0, true, false, 7, "bob" },
	{ "account: a listed key comes before addresses",
	  { { GP_IDENTITY_MAIL, "alice@a.example" } },
	  GP_ACCOUNT_BY_MAIL,
	  0,
	  true,
	  true,
	  7,
	  "bob" },
	{ "account: a listed key of a certificate that has expired or is weak",
	  { { GP_IDENTITY_MAIL, "alice@a.example" } },
	  GP_ACCOUNT_BY_MAIL,
	  0,
	  false,
	  false,
	  7,
	  NULL },
	{ "account: another key", { { 0 } }, GP_ACCOUNT_BY_NONE, 0, true, true, 8, NULL },
	{ "account: a mail address",
	  { { GP_IDENTITY_MAIL, "alice@a.example" } },
	  GP_ACCOUNT_BY_MAIL,
	  0,
	  true,
	  true,
	  1,
	  "alice@a.example" },
	{ "account: its local part",
	  { { GP_IDENTITY_MAIL, "alice@a.example" } },
	  GP_ACCOUNT_BY_MAIL,
	  GP_ACCOUNT_LOCAL_PART,
	  true,
	  true,
	  1,
	  "alice" },
	{ "account: an internationalized mail address",
	  { { GP_IDENTITY_MAIL_UTF8, "j\xc3\xbcrgen@a.example" } },
	  GP_ACCOUNT_BY_MAIL,
	  0,
	  true,
	  true,
	  1,
	  "j\xc3\xbcrgen@a.example" },
	{ "account: a mail address for which no CA has signed",
	  { { GP_IDENTITY_MAIL, "alice@a.example" } },
	  GP_ACCOUNT_BY_MAIL,
	  0,
	  true,
	  false,
	  1,
	  NULL },
	{ "account: a mail address where addresses do not count",
	  { { GP_IDENTITY_MAIL, "alice@a.example" } },
	  GP_ACCOUNT_BY_NONE,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: a mail address where only XMPP counts",
	  { { GP_IDENTITY_MAIL, "alice@a.example" } },
	  GP_ACCOUNT_BY_XMPP,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: an XMPP address",
	  { { GP_IDENTITY_XMPP, "alice@a.example" } },
	  GP_ACCOUNT_BY_XMPP,
	  0,
	  true,
	  true,
	  1,
	  "alice@a.example" },
	{ "account: an XMPP address with a resource",
	  { { GP_IDENTITY_XMPP, "alice@a.example/phone" } },
	  GP_ACCOUNT_BY_XMPP,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: an XMPP address of a domain",
	  { { GP_IDENTITY_XMPP, "a.example" } },
	  GP_ACCOUNT_BY_ANY,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: an XMPP address where only mail counts",
	  { { GP_IDENTITY_XMPP, "alice@a.example" } },
	  GP_ACCOUNT_BY_MAIL,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: the same address twice",
	  { { GP_IDENTITY_XMPP, "alice@a.example" }, { GP_IDENTITY_MAIL, "alice@a.example" } },
	  GP_ACCOUNT_BY_ANY,
	  0,
	  true,
	  true,
	  1,
	  "alice@a.example" },
	{ "[6120-13.7.2.2-2 XEP0178-2-4] account: two addresses map to no account",
	  { { GP_IDENTITY_MAIL, "alice@a.example" }, { GP_IDENTITY_MAIL, "bob@a.example" } },
	  GP_ACCOUNT_BY_ANY,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: two domains with one local part",
	  { { GP_IDENTITY_MAIL, "alice@a.example" }, { GP_IDENTITY_MAIL, "alice@b.example" } },
	  GP_ACCOUNT_BY_ANY,
	  GP_ACCOUNT_LOCAL_PART,
	  true,
	  true,
	  1,
	  "alice" },
	{ "account: DNS names do not count",
	  { { GP_IDENTITY_DNS, "alice@a.example" }, { GP_IDENTITY_SRV, "bob@a.example" } },
	  GP_ACCOUNT_BY_ANY,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: no local part",
	  { { GP_IDENTITY_MAIL, "@a.example" } },
	  GP_ACCOUNT_BY_ANY,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: no domain",
	  { { GP_IDENTITY_MAIL, "alice@" } },
	  GP_ACCOUNT_BY_ANY,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: a blank",
	  { { GP_IDENTITY_MAIL, "al ice@a.example" } },
	  GP_ACCOUNT_BY_ANY,
	  0,
	  true,
	  true,
	  1,
	  NULL },
	{ "account: broken UTF-8",
	  { { GP_IDENTITY_MAIL_UTF8, "al\xc3@a.example" } },
	  GP_ACCOUNT_BY_ANY,
	  0,
	  true,
	  true,
	  1,
	  NULL },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_account_key key = { .spki_sha256 = { 7 }, .account = (char[]){ "bob" } };
	const struct gp_account_rules rules = { &key, 1, row->by, row->form };
	struct gp_identity_name names[NAMES_MAX];
	struct gp_peer_certificate peer = { .spki_sha256 = { row->key },
					    .usable = row->usable,
					    .verified = row->verified,
					    .names = names };
	char account[GP_ACCOUNT_SIZE];
	const char *reason = NULL;

	for (; peer.name_count < NAMES_MAX && row->names[peer.name_count].text; peer.name_count++) {
		names[peer.name_count].kind = row->names[peer.name_count].kind;
		names[peer.name_count].text = (char *)(uintptr_t)row->names[peer.name_count].text;
	}
	if (row->account) {
		assert_int_equal(gp_account_find(&rules, &peer, account, &reason), GP_OK);
		assert_string_equal(account, row->account);
	} else {
		assert_int_equal(gp_account_find(&rules, &peer, account, &reason), GP_E_NOT_FOUND);
		assert_non_null(reason);
	}
}

static const struct digest_row {
	const char *name;
	const char *text;
	int ret;
} digest_rows[] = {
	{ "digest: plain", "00010203040506070809000102030405060708090001020304050607080900ff",
	  GP_OK },
	{ "digest: capitals and colons",
	  "00:01:02:03:04:05:06:07:08:09:00:01:02:03:04:05:06:07:08:09:00:01:02:03:04:05:06:07:08:"
	  "09:00:FF",
	  GP_OK },
	{ "digest: short", "000102030405060708090001020304050607080900010203040506070809000",
	  GP_E_SYNTAX },
	{ "digest: long", "00010203040506070809000102030405060708090001020304050607080900ff0",
	  GP_E_SYNTAX },
	{ "digest: nothing", "", GP_E_SYNTAX },
	{ "digest: no digit", "0g010203040506070809000102030405060708090001020304050607080900ff",
	  GP_E_SYNTAX },
};

static void run_digest(void **state)
{
	const struct digest_row *row = *state;
	uint8_t digest[GP_SHA256_BYTES];
	char text[GP_SHA256_TEXT];

	assert_int_equal(gp_sha256_parse(row->text, digest), row->ret);
	if (row->ret != GP_OK)
		return;
	gp_sha256_format(digest, text);
	assert_string_equal(text, digest_rows[0].text);
}

static void leaves_out_control_characters(void **state)
{
	struct gp_peer_certificate *peer = calloc(1, sizeof(*peer));

	(void)state;
	assert_int_equal(gp_peer_certificate_add(peer, GP_IDENTITY_MAIL,
						 (struct gp_str){ "a\0b", 3 }),
			 GP_OK);
	assert_int_equal(gp_peer_certificate_add(peer, GP_IDENTITY_MAIL, gp_str_of("a\nb")), GP_OK);
	assert_int_equal(gp_peer_certificate_add(peer, GP_IDENTITY_MAIL, gp_str_of("")), GP_OK);
	assert_int_equal(peer->name_count, 0);
	assert_int_equal(gp_peer_certificate_add(peer, GP_IDENTITY_MAIL, gp_str_of("a@b")), GP_OK);
	assert_int_equal(peer->name_count, 1);
	gp_peer_certificate_free(peer);
}

static void knows_accounts(void **state)
{
	char long_one[300];

	(void)state;
	memset(long_one, 'a', sizeof(long_one));
	long_one[GP_ACCOUNT_SIZE] = '\0';
	assert_false(gp_account_valid(long_one));
	long_one[GP_ACCOUNT_SIZE - 1] = '\0';
	assert_true(gp_account_valid(long_one));
	assert_false(gp_account_valid(""));
	assert_false(gp_account_valid("a b"));
	assert_false(gp_account_valid("a\r"));
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, digest_rows, run_digest);
	table_one(&table, "[9525-6.3-9] names with control characters are left out",
		  leaves_out_control_characters);
	table_one(&table, "what may stand for an account", knows_accounts);
	return table_run(&table);
}
