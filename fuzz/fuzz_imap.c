/* SPDX-License-Identifier: MIT */
/* The IMAP edge between a client and a backend that say anything. What reaches the backend is
 * read again here, by a reader that knows nothing of lib/: each command must be one that may come
 * before login, in a form that leaves no doubt where it ends. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "edge_run.h"
#include "fuzz.h"

enum { STREAM_MAX = 1 << 26, WORD_MAX = 16 };

/* Before AUTHENTICATE nothing is free-form. */
static struct {
	struct gp_buf stream; /* to the backend, not understood yet */
	bool weak;            /* an exchange, or a literal of the backend, hides what is what */
	bool facts_due;
	bool awaits_go_ahead;
	bool begun; /* the stream is within a LOGIN, behind a literal */
	unsigned strings;
	uint64_t literal_left;
	uint64_t literal_next;
} watch;

static void reset(void)
{
	gp_buf_deinit(&watch.stream);
	memset(&watch, 0, sizeof(watch));
	gp_buf_init(&watch.stream, STREAM_MAX);
}

static void facts(void)
{
	watch.facts_due = true;
}

static bool same(const uint8_t *p, size_t len, const char *word)
{
	return len == strlen(word) && !strncasecmp((const char *)p, word, len);
}

/* ---- to the client ---- */

static void check_capabilities(const uint8_t *data, size_t len)
{
	static const char head[] = "* CAPABILITY ";
	const uint8_t *end = data + len - 2; /* CRLF */

	if (len < sizeof(head) + 1 || strncasecmp((const char *)data, head, sizeof(head) - 1) != 0)
		return;
	while (data < end) {
		size_t word = 0;

		while (data + word < end && data[word] != ' ')
			word++;
		MUST(!same(data, word, "STARTTLS"));
		MUST(!same(data, word, "UNAUTHENTICATE"));
		MUST(edge_run_has_account || !same(data, word, "AUTH=EXTERNAL"));
		data += word + 1;
	}
}

static void to_client(const uint8_t *data, size_t len, bool in_tls)
{
	if (!in_tls) {
		static const char *const never[] = { "PREAUTH", "AUTH=" };
		const uint8_t *end = memchr(data, '\n', len);

		MUST(end != NULL);
		/* behind a tag: that is the client's own and may be called anything */
		for (size_t i = 0; data[0] == '*' && i < 2; i++)
			MUST(!memmem(data, (size_t)(end - data), never[i], strlen(never[i])));
		return;
	}
	if (memchr(data, '{', len))
		watch.weak = true;
	if (watch.weak)
		return;
	check_capabilities(data, len);
	if (watch.awaits_go_ahead && data[0] == '+') {
		watch.awaits_go_ahead = false;
		watch.literal_left = watch.literal_next;
	} else if (watch.awaits_go_ahead && data[0] != '*') {
		/* refused in place of the go-ahead */
		watch.awaits_go_ahead = watch.begun = false;
	}
}

/* ---- to the backend ---- */

struct text {
	const uint8_t *p;
	size_t len;
};

static bool take(struct text *text, uint8_t byte)
{
	if (!text->len || text->p[0] != byte)
		return false;
	text->p++;
	text->len--;
	return true;
}

static bool is_atom(uint8_t byte)
{
	return byte > ' ' && byte != 0x7f && !strchr("(){%*\"\\", byte);
}

static struct text take_atom(struct text *text)
{
	struct text atom = { text->p, 0 };

	while (atom.len < text->len && is_atom(atom.p[atom.len]))
		atom.len++;
	text->p += atom.len;
	text->len -= atom.len;
	return atom;
}

/* The contents are of no interest, but for their first two bytes. */
static void take_quoted(struct text *text, uint8_t first[2])
{
	size_t count = 0;

	MUST(take(text, '"'));
	while (!take(text, '"')) {
		take(text, '\\');
		MUST(text->len);
		if (count < 2)
			first[count] = text->p[0];
		count++;
		text->p++;
		text->len--;
	}
}

static void check_id(struct text text)
{
	uint8_t first[2];

	if (same(text.p, text.len, "NIL"))
		return;
	MUST(take(&text, '('));
	do {
		memset(first, 0, sizeof(first));
		take_quoted(&text, first);
		MUST((first[0] | 0x20) != 'x' || first[1] != '-');
		MUST(take(&text, ' '));
		if (text.len >= 3 && same(text.p, 3, "NIL")) {
			text.p += 3;
			text.len -= 3;
		} else {
			take_quoted(&text, first);
		}
	} while (take(&text, ' '));
	MUST(take(&text, ')'));
	MUST(!text.len);
}

/* {N} or {N+}, and nothing behind it */
static void take_literal(struct text *text)
{
	uint64_t number = 0;
	unsigned digits = 0;
	bool waits;

	MUST(take(text, '{'));
	while (text->len && text->p[0] >= '0' && text->p[0] <= '9') {
		number = number * 10 + (uint64_t)(text->p[0] - '0');
		digits++;
		text->p++;
		text->len--;
		MUST(number <= UINT32_MAX);
	}
	waits = !take(text, '+');
	MUST(digits && take(text, '}') && !text->len);
	watch.begun = true;
	watch.awaits_go_ahead = waits;
	watch.literal_next = number;
	watch.literal_left = waits ? 0 : number;
}

/* *(SP string) up to the end of a line of LOGIN */
static void check_login(struct text text)
{
	uint8_t first[2];

	watch.begun = false;
	while (text.len) {
		MUST(take(&text, ' '));
		MUST(text.len && ++watch.strings <= 2);
		if (text.p[0] == '{')
			take_literal(&text);
		else if (text.p[0] == '"')
			take_quoted(&text, first);
		else
			MUST(take_atom(&text).len);
	}
	MUST(watch.begun || watch.strings == 2);
}

static void check_mechanism(struct text text)
{
	struct text mechanism;

	while (take(&text, ' '))
		continue;
	mechanism = take_atom(&text);
	MUST(mechanism.len);
	MUST(!same(mechanism.p, mechanism.len, "EXTERNAL"));
	MUST(mechanism.len < 5 || !same(mechanism.p + mechanism.len - 5, 5, "-PLUS"));
	watch.weak = true;
}

static void check_command(struct text text)
{
	struct text tag = take_atom(&text), verb;

	MUST(tag.len && !memchr(tag.p, '+', tag.len));
	MUST(take(&text, ' '));
	verb = take_atom(&text);
	watch.strings = 0;
	if (same(verb.p, verb.len, "LOGIN")) {
		check_login(text);
	} else if (same(verb.p, verb.len, "AUTHENTICATE")) {
		check_mechanism(text);
	} else if (same(verb.p, verb.len, "ID")) {
		MUST(take(&text, ' '));
		if (!watch.facts_due)
			check_id(text);
		watch.facts_due = false;
	} else {
		MUST(same(verb.p, verb.len, "CAPABILITY") || same(verb.p, verb.len, "NOOP") ||
		     same(verb.p, verb.len, "LOGOUT"));
		MUST(!text.len);
	}
}

static void check_line(struct text line)
{
	for (size_t i = 0; i < line.len; i++)
		MUST(line.p[i] >= ' ' && line.p[i] != 0x7f);
	if (watch.begun)
		check_login(line);
	else
		check_command(line);
}

static void to_backend(const uint8_t *data, size_t len)
{
	if (watch.weak)
		return;
	MUST(!watch.awaits_go_ahead);
	MUST(gp_buf_append(&watch.stream, data, len) == GP_OK);
	while (watch.stream.len && !watch.weak) {
		size_t taken;
		uint8_t *end;

		if (watch.literal_left) {
			taken = watch.literal_left < watch.stream.len ? (size_t)watch.literal_left
								      : watch.stream.len;
			watch.literal_left -= taken;
			gp_buf_consume(&watch.stream, taken);
			continue;
		}
		/* the engine sends whole lines */
		end = memmem(watch.stream.data, watch.stream.len, "\r\n", 2);
		MUST(end != NULL);
		taken = (size_t)(end - watch.stream.data);
		check_line((struct text){ watch.stream.data, taken });
		gp_buf_consume(&watch.stream, taken + 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct edge_watch hooks = { reset, to_client, to_backend, facts };

	edge_run(&gp_imap_edge, &hooks, data, len);
	reset();
	return 0;
}
