/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_BUF_H
#define GP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing byte buffer that is born with a ceiling. It owns no memory until something is
 * put in, and every byte it lets go of is wiped first, because line buffers hold passwords. */
struct gp_buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t ceiling;
};

/* `ceiling` is the largest length in bytes that the buffer will ever hold. */
void gp_buf_init(struct gp_buf *buf, size_t ceiling);

/* Wipe and free the memory; the ceiling stays, so the buffer can be used again. */
void gp_buf_deinit(struct gp_buf *buf);

/* Wipe the contents, keep the memory. */
void gp_buf_reset(struct gp_buf *buf);

/* Each returns GP_OK, GP_E_LIMIT when the ceiling would be passed, or GP_E_NOMEM. The
 * contents are unchanged on error. */
int gp_buf_append(struct gp_buf *buf, const void *data, size_t len);
int gp_buf_append_str(struct gp_buf *buf, const char *str);
int gp_buf_append_byte(struct gp_buf *buf, uint8_t byte);
int gp_buf_appendf(struct gp_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Drop `len` bytes from the front; `len` is at most buf->len. */
void gp_buf_consume(struct gp_buf *buf, size_t len);

/* Let the buffer end in a NUL that does not count in its length and return it as a C string,
 * valid until the next change. NULL when there is no memory for the NUL. */
const char *gp_buf_cstr(struct gp_buf *buf);

#endif
