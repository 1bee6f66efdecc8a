/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_JSON_H
#define GP_BASE_JSON_H

#include "base/buf.h"

/* Append `text` as a JSON string with its quotes. Control characters and bytes that are not
 * UTF-8 become \u00XX, so the result is always printable and valid. GP_OK or gp_buf errors. */
int gp_json_append_string(struct gp_buf *out, const char *text);

#endif
