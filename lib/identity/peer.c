/* SPDX-License-Identifier: MIT */
#include "identity/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static bool has_controls(struct gp_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < ' ' || c == 0x7f)
			return true;
	}
	return false;
}

int gp_peer_certificate_add(struct gp_peer_certificate *peer, enum gp_identity_kind kind,
			    struct gp_str text)
{
	struct gp_identity_name *larger;
	char *copy;

	if (!text.len || has_controls(text))
		return GP_OK;
	larger = reallocarray(peer->names, peer->name_count + 1, sizeof(*larger));
	if (!larger)
		return GP_E_NOMEM;
	peer->names = larger;
	copy = strndup(text.p, text.len);
	if (!copy)
		return GP_E_NOMEM;
	larger[peer->name_count++] = (struct gp_identity_name){ kind, copy };
	return GP_OK;
}

int gp_peer_certificate_exclude(struct gp_peer_certificate *peer, struct gp_str subtree)
{
	char **larger = reallocarray(peer->excluded_dns, peer->excluded_dns_count + 1,
				     sizeof(*larger));
	char *copy;

	if (!larger)
		return GP_E_NOMEM;
	peer->excluded_dns = larger;
	copy = has_controls(subtree) ? strdup("") : strndup(subtree.p, subtree.len);
	if (!copy)
		return GP_E_NOMEM;
	larger[peer->excluded_dns_count++] = copy;
	return GP_OK;
}

void gp_peer_certificate_free(struct gp_peer_certificate *peer)
{
	if (!peer)
		return;
	for (size_t i = 0; i < peer->name_count; i++)
		free(peer->names[i].text);
	free(peer->names);
	for (size_t i = 0; i < peer->excluded_dns_count; i++)
		free(peer->excluded_dns[i]);
	free(peer->excluded_dns);
	free(peer);
}

void gp_sha256_format(const uint8_t digest[static GP_SHA256_BYTES], char out[static GP_SHA256_TEXT])
{
	for (size_t i = 0; i < GP_SHA256_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int gp_sha256_parse(const char *text, uint8_t digest_out[static GP_SHA256_BYTES])
{
	for (size_t i = 0; i < GP_SHA256_BYTES; i++) {
		int high, low;

		if (i && *text == ':')
			text++;
		high = hex_value(text[0]);
		low = high < 0 ? -1 : hex_value(text[1]);
		if (low < 0)
			return GP_E_SYNTAX;
		digest_out[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return *text ? GP_E_SYNTAX : GP_OK;
}
