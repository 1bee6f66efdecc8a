/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_BASE64_H
#define GP_BASE_BASE64_H

#include "base/buf.h"
#include "base/str.h"

/* Standard alphabet with padding (RFC 4648 section 4). Strict: no blanks, no missing padding,
 * no stray bits. Appends to `out`. GP_OK, GP_E_SYNTAX, GP_E_LIMIT or GP_E_NOMEM. */
int gp_base64_decode(struct gp_str text, struct gp_buf *out);

/* Appends to `out`. GP_OK, GP_E_LIMIT or GP_E_NOMEM; `out` is then as before. */
int gp_base64_encode(const void *data, size_t len, struct gp_buf *out);

#endif
