/* SPDX-License-Identifier: MIT */
#include "proto/smtp/xtext.h"

#include <stdbool.h>

#include "base/err.h"

/* xchar = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "=" */
static bool is_xchar(unsigned char byte)
{
	return byte >= '!' && byte <= '~' && byte != '+' && byte != '=';
}

/* hexchar = "+" and two hexadecimal digits in upper case */
int gp_xtext_append(const char *text, struct gp_buf *out)
{
	int ret = GP_OK;

	for (; *text && ret == GP_OK; text++) {
		unsigned char byte = (unsigned char)*text;

		ret = is_xchar(byte) ? gp_buf_append_byte(out, byte)
				     : gp_buf_appendf(out, "+%02X", byte);
	}
	return ret;
}
