/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { FIRST_CAPACITY = 128 };

void gp_buf_init(struct gp_buf *buf, size_t ceiling)
{
	*buf = (struct gp_buf){ .ceiling = ceiling };
}

static void release(struct gp_buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->cap);
	free(buf->data);
}

void gp_buf_deinit(struct gp_buf *buf)
{
	release(buf);
	gp_buf_init(buf, buf->ceiling);
}

void gp_buf_reset(struct gp_buf *buf)
{
	if (buf->len)
		explicit_bzero(buf->data, buf->len);
	buf->len = 0;
}

/* realloc() would leave an unwiped copy behind. */
static int move_to(struct gp_buf *buf, size_t cap)
{
	uint8_t *data = malloc(cap);

	if (!data)
		return GP_E_NOMEM;
	if (buf->len)
		memcpy(data, buf->data, buf->len);
	release(buf);
	buf->data = data;
	buf->cap = cap;
	return GP_OK;
}

static int reserve(struct gp_buf *buf, size_t more)
{
	size_t need = buf->len + more;
	size_t cap = buf->cap ? buf->cap : FIRST_CAPACITY;

	if (more > buf->ceiling || need > buf->ceiling)
		return GP_E_LIMIT;
	if (need <= buf->cap)
		return GP_OK;
	while (cap < need)
		cap *= 2;
	if (cap > buf->ceiling)
		cap = buf->ceiling;
	return move_to(buf, cap);
}

int gp_buf_append(struct gp_buf *buf, const void *data, size_t len)
{
	int ret = reserve(buf, len);

	if (ret != GP_OK)
		return ret;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	return GP_OK;
}

int gp_buf_append_str(struct gp_buf *buf, const char *str)
{
	return gp_buf_append(buf, str, strlen(str));
}

int gp_buf_append_byte(struct gp_buf *buf, uint8_t byte)
{
	return gp_buf_append(buf, &byte, 1);
}

int gp_buf_appendf(struct gp_buf *buf, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len, ret;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return GP_E_NOMEM;
	ret = gp_buf_append(buf, text, (size_t)len);
	explicit_bzero(text, (size_t)len);
	free(text);
	return ret;
}

void gp_buf_consume(struct gp_buf *buf, size_t len)
{
	size_t rest = buf->len - len;

	if (!len)
		return;
	memmove(buf->data, buf->data + len, rest);
	explicit_bzero(buf->data + rest, len);
	buf->len = rest;
}

const char *gp_buf_cstr(struct gp_buf *buf)
{
	if (buf->len == buf->cap) {
		size_t cap = buf->cap ? buf->cap * 2 : FIRST_CAPACITY;

		if (move_to(buf, cap) != GP_OK)
			return NULL;
	}
	buf->data[buf->len] = 0;
	return (const char *)buf->data;
}
