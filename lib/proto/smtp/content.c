/* SPDX-License-Identifier: MIT */
#include "proto/smtp/content.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"

static const char left_out[] = "Require-TLS-ESMTP";

void gp_smtp_content_begin(struct gp_smtp_content *content, enum gp_smtp_framing framing,
			   enum gp_bare_newline bare_newline)
{
	*content = (struct gp_smtp_content){
		.framing = framing,
		.bare_newline = bare_newline,
		.line_begins = true,
		.after_crlf = true,
		.in_header = true,
	};
}

/* ---- one line ---- */

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

/* A backend may remove it: then what follows is what counts. */
static bool is_control(uint8_t byte)
{
	return (byte < ' ' && byte != '\t') || byte == 0x7f;
}

/* How much of the held line is the beginning of `left_out`, as the backend may see it: without the
 * stuffed dot and without control bytes. -1: it is another line. */
static int matched(const struct gp_smtp_content *c)
{
	size_t skip = c->framing == GP_SMTP_DOTS && c->held_len && c->held[0] == '.';
	int count = 0;

	for (size_t i = skip; i < c->held_len; i++) {
		if (is_control(c->held[i]))
			continue;
		if (count == (int)strlen(left_out) ||
		    tolower(c->held[i]) != tolower((unsigned char)left_out[count]))
			return -1;
		count++;
	}
	return count;
}

static bool may_be_left_out(const struct gp_smtp_content *c)
{
	return c->in_header && matched(c) >= 0;
}

static bool is_left_out(const struct gp_smtp_content *c, uint8_t next)
{
	return c->in_header && matched(c) == (int)strlen(left_out) &&
	       (next == ':' || is_blank(next));
}

static int release(struct gp_smtp_content *c, struct gp_buf *out)
{
	int ret = c->dropping ? GP_OK : gp_buf_append(out, c->held, c->held_len);

	c->held_len = 0;
	c->judging = false;
	return ret;
}

static void begin_line(struct gp_smtp_content *c)
{
	c->line_begins = false;
	c->judging = true;
	c->known = false;
}

/* `first` is the first byte of a line that a backend sees. */
static int know_line(struct gp_smtp_content *c, uint8_t first, struct gp_buf *out)
{
	c->known = true;
	if (!is_blank(first)) {
		c->dropping = false;
		return GP_OK;
	}
	if (!c->in_header || c->passed || c->dropping)
		return GP_OK;
	c->in_header = false;
	return gp_buf_append_str(out, "\r\n");
}

/* So many control bytes that there is no room to wait for what follows: the worst is taken. */
static int give_up(struct gp_smtp_content *c, struct gp_buf *out)
{
	int ret = c->known ? GP_OK : know_line(c, ' ', out);

	c->dropping |= may_be_left_out(c);
	return ret == GP_OK ? release(c, out) : ret;
}

/* The start of a line, up to where it is clear what it is. *taken_out: `byte` went with it. */
static int judge(struct gp_smtp_content *c, uint8_t byte, bool *taken_out, struct gp_buf *out)
{
	bool dot = c->framing == GP_SMTP_DOTS && !c->held_len && byte == '.';
	int ret = GP_OK;

	*taken_out = false;
	if (c->held_len == sizeof(c->held))
		return give_up(c, out);
	if (!c->known && !dot && !is_control(byte))
		ret = know_line(c, byte, out);
	if (ret == GP_OK && is_left_out(c, byte)) {
		c->dropping = true;
		return release(c, out);
	}
	c->held[c->held_len++] = byte;
	if (dot || (c->in_header && !c->known) || may_be_left_out(c)) {
		*taken_out = true;
		return ret;
	}
	c->held_len--;
	return ret == GP_OK ? release(c, out) : ret;
}

static bool is_lone_dot(const struct gp_smtp_content *c)
{
	return c->judging && c->framing == GP_SMTP_DOTS && c->held_len == 1 && c->held[0] == '.';
}

/* A line ends; `crlf`: in just CRLF. GP_OK: so does the message. */
static int end_line(struct gp_smtp_content *c, bool crlf, struct gp_buf *out)
{
	bool empty = c->line_begins;
	int ret = GP_OK;

	if (is_lone_dot(c)) {
		if (crlf && c->after_crlf)
			return gp_buf_append_str(out, ".\r\n");
		c->held[c->held_len++] = '.';
	}
	if (empty)
		c->in_header = c->dropping = false;
	if (c->judging)
		ret = release(c, out);
	c->passed |= !c->dropping;
	if (ret == GP_OK && !c->dropping)
		ret = gp_buf_append_str(out, "\r\n");
	c->line_begins = true;
	c->after_crlf = crlf;
	return ret == GP_OK ? GP_AGAIN : ret;
}

/* Bytes of a line without CR or LF. */
static int in_line(struct gp_smtp_content *c, const uint8_t *data, size_t len, struct gp_buf *out)
{
	size_t used = 0;
	int ret = GP_OK;

	if (len && c->line_begins)
		begin_line(c);
	while (ret == GP_OK && c->judging && used < len) {
		bool taken;

		ret = judge(c, data[used], &taken, out);
		used += taken;
	}
	if (ret == GP_OK && used < len && !c->dropping)
		ret = gp_buf_append(out, data + used, len - used);
	return ret;
}

/* ---- line ends ---- */

static size_t until_newline(const uint8_t *data, size_t len)
{
	size_t i = 0;

	while (i < len && data[i] != '\r' && data[i] != '\n')
		i++;
	return i;
}

static int bare_newline(struct gp_smtp_content *c, struct gp_buf *out)
{
	c->cr = c->bent = false;
	if (c->bare_newline == GP_BARE_NEWLINE_REJECT)
		return GP_E_SYNTAX;
	return end_line(c, false, out);
}

/* `byte` is a CR or LF. */
static int newline(struct gp_smtp_content *c, uint8_t byte, struct gp_buf *out)
{
	if (byte == '\r') {
		/* CR CR LF is one line end: two would tear a header apart */
		c->bent = c->cr;
		c->cr = true;
		return c->bent && c->bare_newline == GP_BARE_NEWLINE_REJECT ? GP_E_SYNTAX
									    : GP_AGAIN;
	}
	if (!c->cr || c->bent)
		return bare_newline(c, out);
	c->cr = false;
	return end_line(c, true, out);
}

int gp_smtp_content_feed(struct gp_smtp_content *c, const uint8_t *data, size_t len,
			 size_t *used_out, struct gp_buf *out)
{
	size_t used = 0;
	int ret = GP_AGAIN;

	while (ret == GP_AGAIN && used < len) {
		size_t run = until_newline(data + used, len - used);

		if (run && c->cr)
			ret = bare_newline(c, out);
		if (run && ret == GP_AGAIN) {
			ret = in_line(c, data + used, run, out);
			used += run;
			ret = ret == GP_OK ? GP_AGAIN : ret;
		} else if (ret == GP_AGAIN) {
			ret = newline(c, data[used++], out);
		}
	}
	*used_out = used;
	return ret;
}

int gp_smtp_content_end(struct gp_smtp_content *c, struct gp_buf *out)
{
	int ret = c->cr ? bare_newline(c, out) : GP_OK;

	if (ret < 0)
		return ret;
	return c->judging ? release(c, out) : GP_OK;
}
