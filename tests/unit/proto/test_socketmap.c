/* SPDX-License-Identifier: MIT */
#include "proto/socketmap.h"

#include "base/err.h"
#include "table.h"

/* ---- requests ---- */

static const struct row {
	const char *name;
	const char *input;
	int ret;
	size_t used;
	const char *map, *key;
} rows[] = {
	{ "a request", "17:QUERY example.org,", GP_OK, 21, "QUERY", "example.org" },
	{ "two in one segment: the first", "7:QUERY a,7:QUERY b,", GP_OK, 10, "QUERY", "a" },
	{ "a key with blanks: cut at the first", "11:QUERY a b c,", GP_OK, 15, "QUERY", "a b c" },
	{ "an empty key", "6:QUERY ,", GP_OK, 9, "QUERY", "" },
	{ "no key at all", "5:QUERY,", GP_OK, 8, "QUERY", "" },
	{ "a comma in the key", "9:QUERY a,b,", GP_OK, 12, "QUERY", "a,b" },
	{ "nothing yet", "", GP_AGAIN, 0, NULL, NULL },
	{ "the beginning of a length", "1", GP_AGAIN, 0, NULL, NULL },
	{ "a length without payload", "17:", GP_AGAIN, 0, NULL, NULL },
	{ "a payload without its comma", "7:QUERY a", GP_AGAIN, 0, NULL, NULL },
	{ "something else than a comma", "7:QUERY a;", GP_E_SYNTAX, 0, NULL, NULL },
	{ "no map", "0:,", GP_E_SYNTAX, 0, NULL, NULL },
	{ "an empty map", "2: a,", GP_E_SYNTAX, 0, NULL, NULL },
	{ "no length", ":QUERY a,", GP_E_SYNTAX, 0, NULL, NULL },
	{ "a leading zero", "07:QUERY a,", GP_E_SYNTAX, 0, NULL, NULL },
	{ "a leading zero, cut off", "00", GP_E_SYNTAX, 0, NULL, NULL },
	{ "a sign", "+7:QUERY a,", GP_E_SYNTAX, 0, NULL, NULL },
	{ "a blank before the length", " 7:QUERY a,", GP_E_SYNTAX, 0, NULL, NULL },
	{ "a line end between requests", "\n7:QUERY a,", GP_E_SYNTAX, 0, NULL, NULL },
	{ "a web browser", "GET / HTTP/1.1\r\n", GP_E_SYNTAX, 0, NULL, NULL },
	{ "longer than Postfix would send", "10001:", GP_E_LIMIT, 0, NULL, NULL },
	{ "an endless length", "99999999999999999999", GP_E_LIMIT, 0, NULL, NULL },
};

static void read_request(void **state)
{
	const struct row *row = *state;
	struct gp_socketmap_request request;
	size_t used;

	assert_int_equal(gp_socketmap_request_parse(gp_str_of(row->input), &request, &used),
			 row->ret);
	if (row->ret != GP_OK)
		return;
	assert_int_equal(used, row->used);
	assert_true(gp_str_equal(request.map, row->map));
	assert_true(gp_str_equal(request.key, row->key));
}

static void read_in_pieces(void **state)
{
	const struct row *row = *state;
	struct gp_socketmap_request request;
	struct gp_str piece = { row->input, 0 };
	size_t used, len = strlen(row->input);
	int ret = GP_AGAIN;

	for (; ret == GP_AGAIN && piece.len <= len; piece.len++)
		ret = gp_socketmap_request_parse(piece, &request, &used);
	assert_int_equal(ret, row->ret);
}

/* ---- replies ---- */

static const struct reply_row {
	const char *name;
	enum gp_socketmap_word word;
	const char *text;
	const char *wire;
} reply_rows[] = {
	{ "found", GP_SOCKETMAP_OK, "dane-only", "12:OK dane-only," },
	{ "not found has its blank, too", GP_SOCKETMAP_NOTFOUND, "", "9:NOTFOUND ," },
	{ "later", GP_SOCKETMAP_TEMP, "DNS", "8:TEMP DNS," },
	{ "too late", GP_SOCKETMAP_TIMEOUT, "", "8:TIMEOUT ," },
	{ "never", GP_SOCKETMAP_PERM, "no such map", "16:PERM no such map," },
};

static void write_and_read_reply(void **state)
{
	const struct reply_row *row = *state;
	struct gp_socketmap_reply reply;
	struct gp_buf out;
	size_t used;

	gp_buf_init(&out, GP_SOCKETMAP_FRAME_MAX);
	assert_int_equal(gp_socketmap_reply_format(row->word, gp_str_of(row->text), &out), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), row->wire);
	assert_int_equal(gp_socketmap_reply_parse(gp_str_from(out.data, out.len), &reply, &used),
			 GP_OK);
	assert_int_equal(used, out.len);
	assert_int_equal(reply.word, row->word);
	assert_true(gp_str_equal(reply.text, row->text));
	gp_buf_deinit(&out);
}

static void too_long(void **state)
{
	static char text[GP_SOCKETMAP_REPLY_MAX];
	struct gp_buf out;

	(void)state;
	memset(text, 'x', sizeof(text));
	gp_buf_init(&out, GP_SOCKETMAP_FRAME_MAX);
	assert_int_equal(gp_socketmap_reply_format(GP_SOCKETMAP_OK,
						   (struct gp_str){ text, sizeof(text) }, &out),
			 GP_OK);
	assert_string_equal(gp_buf_cstr(&out), "27:TEMP the answer is too long,");
	gp_buf_deinit(&out);
}

static void longest(void **state)
{
	static char text[GP_SOCKETMAP_REPLY_MAX - 3];
	struct gp_socketmap_reply reply;
	struct gp_buf out;
	size_t used;

	(void)state;
	memset(text, 'x', sizeof(text));
	gp_buf_init(&out, GP_SOCKETMAP_FRAME_MAX);
	assert_int_equal(gp_socketmap_reply_format(GP_SOCKETMAP_OK,
						   (struct gp_str){ text, sizeof(text) }, &out),
			 GP_OK);
	assert_int_equal(gp_socketmap_reply_parse(gp_str_from(out.data, out.len), &reply, &used),
			 GP_OK);
	assert_int_equal(reply.word, GP_SOCKETMAP_OK);
	assert_int_equal(reply.text.len, sizeof(text));
	gp_buf_deinit(&out);
}

static void unknown_word(void **state)
{
	struct gp_socketmap_reply reply;
	size_t used;

	(void)state;
	assert_int_equal(gp_socketmap_reply_parse(gp_str_of("9:PERHAPS x,"), &reply, &used), GP_OK);
	assert_int_equal(reply.word, GP_SOCKETMAP_TEMP);
}

static void format_request(void **state)
{
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 100);
	assert_int_equal(gp_socketmap_request_format("JSON", "example.org", &out), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), "16:JSON example.org,");
	gp_buf_deinit(&out);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, read_request);
	table_one(&table, "a request is written", format_request);
	TABLE_ROWS(&table, reply_rows, write_and_read_reply);
	table_one(&table, "a reply that Postfix would not take", too_long);
	table_one(&table, "the longest reply", longest);
	table_one(&table, "an unknown word is a TEMP", unknown_word);
	TABLE_ROWS(&table, rows, read_in_pieces);
	return table_run(&table);
}
