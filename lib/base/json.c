/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/err.h"
#include "base/utf8.h"

static int append_char(struct gp_buf *out, const unsigned char *p, size_t *len_out)
{
	size_t utf8;

	*len_out = 1;
	if (*p == '"' || *p == '\\')
		return gp_buf_append(out, (char[]){ '\\', (char)*p }, 2);
	if (*p >= 0x20 && *p < 0x7f)
		return gp_buf_append_byte(out, *p);
	utf8 = gp_utf8_length(p);
	if (!utf8)
		return gp_buf_appendf(out, "\\u%04x", *p);
	*len_out = utf8;
	return gp_buf_append(out, p, utf8);
}

int gp_json_append_string(struct gp_buf *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	int ret = gp_buf_append_byte(out, '"');
	size_t len;

	while (ret == GP_OK && *p) {
		ret = append_char(out, p, &len);
		p += len;
	}
	return ret == GP_OK ? gp_buf_append_byte(out, '"') : ret;
}
