/* SPDX-License-Identifier: MIT */
#include "proto/xmpp/escape.h"

#include "base/err.h"

/* Blanks other than the space would be read back as spaces (XML 1.0 section 3.3.3). */
static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\'':
		return "&apos;";
	case '"':
		return "&quot;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

int gp_xmpp_escape(struct gp_buf *out, struct gp_str text)
{
	int ret = GP_OK;

	for (size_t i = 0; ret == GP_OK && i < text.len; i++) {
		const char *entity = entity_of(text.p[i]);

		ret = entity ? gp_buf_append_str(out, entity)
			     : gp_buf_append_byte(out, (uint8_t)text.p[i]);
	}
	return ret;
}
