/* SPDX-License-Identifier: MIT */
/* What of a message reaches the backend, behind the Received field of the edge. */
#include "proto/smtp/content.h"

#include "base/err.h"
#include "base/str.h"
#include "table.h"

#define TEXT(text)                       \
	{                                \
		(text), sizeof(text) - 1 \
	}

static const struct row {
	const char *name;
	struct gp_str in; /* of DATA; without the dot it goes by BDAT, too */
	struct gp_str out;
} rows[] = {
	{ "a header and a body", TEXT("A: b\r\n c\r\n\r\n d\r\n"),
	  TEXT("A: b\r\n c\r\n\r\n d\r\n") },
	{ "a body alone", TEXT("\r\n d\r\n"), TEXT("\r\n d\r\n") },
	/* nothing is folded into the field before it */
	{ "the first line begins with a blank", TEXT(" evil\r\nA: b\r\n"),
	  TEXT("\r\n evil\r\nA: b\r\n") },
	{ "... with a TAB", TEXT("\tevil\r\n"), TEXT("\r\n\tevil\r\n") },
	{ "... with a blank behind NUL", TEXT("\0 evil\r\n"), TEXT("\r\n\0 evil\r\n") },
	{ "... behind control bytes", TEXT("\1\x7f\x1b\tevil\r\n"),
	  TEXT("\r\n\1\x7f\x1b\tevil\r\n") },
	{ "... behind many of them",
	  TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0 evil\r\n"),
	  TEXT("\r\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0 "
	       "evil\r\n") },
	{ "... and nothing else", TEXT(" \r\nA: b\r\n"), TEXT("\r\n \r\nA: b\r\n") },
	{ "a later line is folded", TEXT("A: b\r\n evil\r\n"), TEXT("A: b\r\n evil\r\n") },
	{ "control bytes before a name", TEXT("\0A: b\r\n c\r\n"), TEXT("\0A: b\r\n c\r\n") },
	/* the field that is left out */
	{ "the field", TEXT("Require-TLS-ESMTP: x\r\nA: b\r\n"), TEXT("A: b\r\n") },
	{ "... in other letters", TEXT("rEQUIRE-tls-esmtp :x\r\nA: b\r\n"), TEXT("A: b\r\n") },
	{ "... folded", TEXT("Require-TLS-ESMTP: x\r\n y\r\n\tz\r\nA: b\r\n"), TEXT("A: b\r\n") },
	{ "... later", TEXT("A: b\r\nRequire-TLS-ESMTP: x\r\n y\r\nC: d\r\n"),
	  TEXT("A: b\r\nC: d\r\n") },
	{ "... with NUL in its name", TEXT("Requ\0ire-TLS-ESMTP: x\r\nA: b\r\n"),
	  TEXT("A: b\r\n") },
	{ "... before its name", TEXT("\0\0Require-TLS-ESMTP: x\r\nA: b\r\n"), TEXT("A: b\r\n") },
	{ "... behind its name", TEXT("Require-TLS-ESMTP\1: x\r\nA: b\r\n"), TEXT("A: b\r\n") },
	{ "... with more of them than are waited for",
	  TEXT("R\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1equire-TLS-ESMTP: "
	       "x\r\nA: b\r\n"),
	  TEXT("A: b\r\n") },
	{ "... before a first line that begins with a blank behind control bytes",
	  TEXT("Require-TLS-ESMTP: x\r\n\0 y\r\nA: b\r\n"), TEXT("A: b\r\n") },
	{ "a name that only begins like it", TEXT("Require-TLS-ESMTPX: x\r\n"),
	  TEXT("Require-TLS-ESMTPX: x\r\n") },
	{ "a name that begins otherwise, with a control byte", TEXT("Requ\1x: y\r\n"),
	  TEXT("Requ\1x: y\r\n") },
	{ "the same in the body", TEXT("\r\nRequire-TLS-ESMTP: x\r\n"),
	  TEXT("\r\nRequire-TLS-ESMTP: x\r\n") },
	{ "the same behind a first line that begins with a blank",
	  TEXT(" \r\nRequire-TLS-ESMTP: x\r\n"), TEXT("\r\n \r\nRequire-TLS-ESMTP: x\r\n") },
};

/* What only dots can do. */
static const struct row dot_rows[] = {
	{ "a stuffed blank is a blank", TEXT(". evil\r\n.\r\n"), TEXT("\r\n. evil\r\n.\r\n") },
	{ "... behind a control byte", TEXT(".\1 evil\r\n.\r\n"), TEXT("\r\n.\1 evil\r\n.\r\n") },
	{ "a stuffed field is the field", TEXT(".Require-TLS-ESMTP: x\r\nA: b\r\n.\r\n"),
	  TEXT("A: b\r\n.\r\n") },
	{ "a dot behind a control byte ends nothing", TEXT("\0.\r\nA: b\r\n.\r\n"),
	  TEXT("\0.\r\nA: b\r\n.\r\n") },
	{ "an empty message", TEXT(".\r\n"), TEXT(".\r\n") },
};

/* What is normalized in a counted message: the rest of it can be anything. */
static const struct row counted_rows[] = {
	{ "LF dot LF", TEXT("a\n.\nb"), TEXT("a\r\n.\r\nb") },
	{ "LF dot CRLF", TEXT("a\n.\r\nb"), TEXT("a\r\n.\r\nb") },
	{ "CRLF dot LF", TEXT("a\r\n.\nb"), TEXT("a\r\n.\r\nb") },
	{ "CR dot CR", TEXT("a\r.\rb"), TEXT("a\r\n.\r\nb") },
	{ "CR CR LF is one line end", TEXT("a\r\r\nb"), TEXT("a\r\nb") },
	{ "CR at the end", TEXT("a: b\r"), TEXT("a: b\r\n") },
	{ "LF at the end", TEXT("a: b\n"), TEXT("a: b\r\n") },
	{ "an end within a name", TEXT("a: b\nRequire-TLS"), TEXT("a: b\r\nRequire-TLS") },
	{ "a field behind a bare LF", TEXT("a: b\nRequire-TLS-ESMTP: no\n\nc\r"),
	  TEXT("a: b\r\n\r\nc\r\n") },
	{ "a field behind a bare CR", TEXT("a: b\rRequire-TLS-ESMTP: no\r"), TEXT("a: b\r\n") },
};

static void feed(const struct row *row, enum gp_smtp_framing framing,
		 enum gp_bare_newline bare_newline, size_t piece)
{
	struct gp_smtp_content content;
	struct gp_buf out;
	size_t used = 0, taken;
	int ret = GP_AGAIN;

	gp_buf_init(&out, 10000);
	gp_smtp_content_begin(&content, framing, bare_newline);
	while (ret == GP_AGAIN && used < row->in.len) {
		size_t len = row->in.len - used < piece ? row->in.len - used : piece;

		ret = gp_smtp_content_feed(&content, (const uint8_t *)row->in.p + used, len, &taken,
					   &out);
		used += taken;
	}
	if (ret == GP_AGAIN && framing == GP_SMTP_COUNTED)
		ret = gp_smtp_content_end(&content, &out);
	assert_true(ret == GP_OK || ret == GP_AGAIN);
	assert_int_equal(used, row->in.len);
	assert_int_equal(out.len, row->out.len);
	assert_memory_equal(out.data, row->out.p, out.len);
	gp_buf_deinit(&out);
}

static void run(void **state)
{
	for (size_t piece = 1; piece < 50; piece++) {
		feed(*state, GP_SMTP_DOTS, GP_BARE_NEWLINE_REJECT, piece);
		feed(*state, GP_SMTP_COUNTED, GP_BARE_NEWLINE_REJECT, piece);
	}
}

static void run_dots(void **state)
{
	for (size_t piece = 1; piece < 50; piece++)
		feed(*state, GP_SMTP_DOTS, GP_BARE_NEWLINE_REJECT, piece);
}

static void run_counted(void **state)
{
	for (size_t piece = 1; piece < 50; piece++)
		feed(*state, GP_SMTP_COUNTED, GP_BARE_NEWLINE_NORMALIZE, piece);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, dot_rows, run_dots);
	TABLE_ROWS(&table, counted_rows, run_counted);
	return table_run(&table);
}
