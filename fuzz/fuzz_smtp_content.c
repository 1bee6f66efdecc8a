/* SPDX-License-Identifier: MIT */
/* The bytes of a message, in pieces of any size: what comes out does not depend on them, has no
 * line end but CRLF, ends at the first lone dot, and has no Require-TLS-ESMTP in its header. */
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/str.h"
#include "fuzz.h"
#include "proto/smtp/content.h"

enum { OUT_MAX = 1 << 20 };

struct result {
	struct gp_buf out;
	int ret;
	size_t used;
};

static struct result run(const uint8_t *data, size_t len, uint8_t mode, size_t piece)
{
	struct result result = { .ret = GP_AGAIN };
	struct gp_smtp_content content;

	gp_buf_init(&result.out, OUT_MAX);
	gp_smtp_content_begin(&content, mode & 1 ? GP_SMTP_COUNTED : GP_SMTP_DOTS,
			      mode & 2 ? GP_BARE_NEWLINE_NORMALIZE : GP_BARE_NEWLINE_REJECT);
	while (result.ret == GP_AGAIN && result.used < len) {
		size_t offered = len - result.used < piece ? len - result.used : piece, used;
		size_t before = result.out.len;

		result.ret = gp_smtp_content_feed(&content, data + result.used, offered, &used,
						  &result.out);
		MUST(used <= offered && (result.ret != GP_AGAIN || used == offered));
		MUST(result.out.len - before <= 2 * offered + GP_SMTP_HELD_MAX);
		result.used += used;
	}
	if (result.ret == GP_AGAIN && mode & 1)
		result.ret = gp_smtp_content_end(&content, &result.out);
	return result;
}

static bool is_lone_dot(struct gp_str line)
{
	return gp_str_equal(line, ".\r");
}

/* As a backend sees it that takes off the stuffed dot and removes control bytes; `out` has room for
 * the name of the field and one byte. */
static size_t seen(struct gp_str line, bool dots, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = dots && line.len && line.p[0] == '.'; i < line.len && len < size; i++) {
		unsigned char byte = (unsigned char)line.p[i];

		if ((byte >= ' ' || byte == '\t') && byte != 0x7f)
			out[len++] = line.p[i];
	}
	return len;
}

static bool is_left_out(struct gp_str line, bool dots)
{
	static const char name[] = "Require-TLS-ESMTP:";
	char out[sizeof(name) - 1];

	return gp_str_starts_nocase((struct gp_str){ out, seen(line, dots, out, sizeof(out)) },
				    name);
}

static bool begins_with_blank(struct gp_str line, bool dots)
{
	char first;

	return seen(line, dots, &first, 1) && (first == ' ' || first == '\t');
}

static void check(const struct result *result, bool dots)
{
	struct gp_str rest = gp_str_from(result->out.data, result->out.len);
	bool in_header = true, first = true;

	for (size_t i = 0; i < rest.len; i++) {
		MUST(rest.p[i] != '\n' || (i && rest.p[i - 1] == '\r'));
		MUST(rest.p[i] != '\r' || i + 1 == rest.len || rest.p[i + 1] == '\n');
	}
	while (rest.len) {
		struct gp_str line = gp_str_split(&rest, '\n');

		MUST(!dots || !is_lone_dot(line) || (!rest.len && result->ret == GP_OK));
		in_header &= !gp_str_equal(line, "\r");
		MUST(!in_header || !is_left_out(line, dots));
		/* it would be folded into the Received field before it */
		MUST(!first || !begins_with_blank(line, dots));
		first = false;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64 };
	struct result whole, cut;

	if (!len)
		return 0;
	whole = run(data + 1, len - 1, data[0], SIZE_MAX);
	check(&whole, !(data[0] & 1));
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		cut = run(data + 1, len - 1, data[0], pieces[i]);
		MUST(cut.ret == whole.ret && cut.used == whole.used);
		MUST(cut.out.len == whole.out.len);
		MUST(!cut.out.len || !memcmp(cut.out.data, whole.out.data, cut.out.len));
		gp_buf_deinit(&cut.out);
	}
	gp_buf_deinit(&whole.out);
	return 0;
}
