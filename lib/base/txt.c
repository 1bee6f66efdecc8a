/* SPDX-License-Identifier: MIT */
#include "base/txt.h"

#include "base/err.h"

int gp_txt_join(struct gp_str rdata, struct gp_buf *out)
{
	if (!rdata.len)
		return GP_E_SYNTAX;
	while (rdata.len) {
		size_t len = (unsigned char)rdata.p[0];
		int ret;

		if (len >= rdata.len)
			return GP_E_SYNTAX;
		ret = gp_buf_append(out, rdata.p + 1, len);
		if (ret != GP_OK)
			return ret;
		rdata.p += 1 + len;
		rdata.len -= 1 + len;
	}
	return GP_OK;
}
