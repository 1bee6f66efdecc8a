/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

size_t gp_utf8_length(const unsigned char *p)
{
	size_t len = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
		     : (p[0] & 0xf0) == 0xe0        ? 3
		     : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
						    : 0;

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	/* C1 controls: some terminals obey them */
	return len == 2 && p[0] == 0xc2 && p[1] < 0xa0 ? 0 : len;
}

void gp_utf8_copy_printable(const char *from, char *to, size_t size)
{
	const unsigned char *p = (const unsigned char *)from;
	size_t len = 0;

	while (*p) {
		size_t bytes = *p >= 0x80 ? gp_utf8_length(p) : 1;
		bool plain = bytes && *p >= ' ' && *p != 0x7f;

		if (!bytes)
			bytes = 1;
		if (len + bytes >= size)
			break;
		if (plain)
			memcpy(to + len, p, bytes);
		else
			to[len] = '?';
		len += plain ? bytes : 1;
		p += bytes;
	}
	to[len] = '\0';
}
