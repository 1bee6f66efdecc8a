/* SPDX-License-Identifier: MIT */
#include "identity/account.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

bool gp_account_valid(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (!*p || strlen(text) >= GP_ACCOUNT_SIZE)
		return false;
	while (*p) {
		size_t len = *p > ' ' && *p < 0x7f ? 1 : gp_utf8_length(p);

		if (!len)
			return false;
		p += len;
	}
	return true;
}

static bool counts(enum gp_account_names names, enum gp_identity_kind kind)
{
	bool mail = kind == GP_IDENTITY_MAIL || kind == GP_IDENTITY_MAIL_UTF8;
	bool xmpp = kind == GP_IDENTITY_XMPP;

	return (mail && (names == GP_ACCOUNT_BY_MAIL || names == GP_ACCOUNT_BY_ANY)) ||
	       (xmpp && (names == GP_ACCOUNT_BY_XMPP || names == GP_ACCOUNT_BY_ANY));
}

/* local-part "@" domain; an XMPP address may go on with "/" and a resource, which is no account */
static bool read_address(const char *text, enum gp_account_form form,
			 char account_out[static GP_ACCOUNT_SIZE])
{
	const char *at = strrchr(text, '@');

	if (!gp_account_valid(text) || !at || at == text || !at[1] || strchr(at, '/'))
		return false;
	strcpy(account_out, text);
	if (form == GP_ACCOUNT_LOCAL_PART)
		account_out[at - text] = '\0';
	return true;
}

static int find_by_name(const struct gp_account_rules *rules,
			const struct gp_peer_certificate *peer,
			char account_out[static GP_ACCOUNT_SIZE], const char **reason_out)
{
	char other[GP_ACCOUNT_SIZE];

	account_out[0] = '\0';
	for (size_t i = 0; i < peer->name_count; i++) {
		const struct gp_identity_name *name = &peer->names[i];

		if (!counts(rules->names, name->kind) ||
		    !read_address(name->text, rules->form, other))
			continue;
		if (account_out[0] && strcmp(account_out, other) != 0) {
			*reason_out =
				"the addresses in the certificate belong to different accounts";
			return GP_E_NOT_FOUND;
		}
		strcpy(account_out, other);
	}
	*reason_out =
		"no address in the certificate is an account (see client-certificates.addresses)";
	return account_out[0] ? GP_OK : GP_E_NOT_FOUND;
}

int gp_account_find(const struct gp_account_rules *rules, const struct gp_peer_certificate *peer,
		    char account_out[static GP_ACCOUNT_SIZE], const char **reason_out)
{
	for (size_t i = 0; i < rules->key_count && peer->usable; i++) {
		const struct gp_account_key *key = &rules->keys[i];

		if (memcmp(key->spki_sha256, peer->spki_sha256, sizeof(key->spki_sha256)) != 0)
			continue;
		strcpy(account_out, key->account);
		return GP_OK;
	}
	*reason_out = peer->fault ? peer->fault : "the key is not in client-certificates.keys";
	if (!peer->verified || rules->names == GP_ACCOUNT_BY_NONE)
		return GP_E_NOT_FOUND;
	return find_by_name(rules, peer, account_out, reason_out);
}
