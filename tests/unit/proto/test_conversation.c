/* SPDX-License-Identifier: MIT */
#include "proto/conversation.h"

#include "base/err.h"
#include "table.h"

static const struct http_row {
	const char *name;
	const char *line;
	bool http;
} http_rows[] = {
	{ "http: GET", "GET / HTTP/1.1", true },
	{ "http: POST", "POST /x HTTP/1.0", true },
	{ "http: in small letters", "get / HTTP/1.1", true },
	{ "http: an absolute target", "CONNECT mail.example.org:993 HTTP/1.1", true },
	{ "http: a tag that is called GET", "GET LOGIN alice secret", false },
	{ "http: a command", "a1 NOOP", false },
	{ "http: the word alone", "GET", false },
	{ "http: a verb further behind", "x GET / HTTP/1.1", false },
	{ "http: nothing", "", false },
};

static void run_http(void **state)
{
	const struct http_row *row = *state;

	assert_int_equal(gp_line_is_http(gp_str_of(row->line)), row->http);
}

static const struct gp_edge_config config = { .line_max = 64, .literal_max = 64 };

static void wants_its_actions_taken(void **state)
{
	struct gp_conversation c;
	struct gp_action action;

	(void)state;
	gp_conversation_init(&c, &config);
	assert_int_equal(gp_conversation_begin(&c), GP_OK);
	gp_push_send(&c, GP_CLIENT, "abc", 3);
	gp_push_send(&c, GP_CLIENT, "", 0);
	gp_push_report(&c, GP_REPORT_PROTOCOL, "because");
	assert_int_equal(gp_conversation_begin(&c), GP_E_STATE);
	assert_true(gp_conversation_next(&c, &action));
	assert_int_equal(action.type, GP_ACT_SEND);
	assert_int_equal(action.len, 3);
	assert_memory_equal(action.data, "abc", 3);
	assert_int_equal(gp_conversation_begin(&c), GP_E_STATE);
	assert_true(gp_conversation_next(&c, &action));
	assert_int_equal(action.type, GP_ACT_REPORT);
	assert_string_equal(action.text, "because");
	assert_false(gp_conversation_next(&c, &action));
	assert_int_equal(gp_conversation_begin(&c), GP_OK);
	gp_conversation_deinit(&c);
}

static void keeps_no_large_output(void **state)
{
	static const struct gp_edge_config larger = { .line_max = 4096 };
	static const char text[4096];
	struct gp_conversation c;
	struct gp_action action;

	(void)state;
	gp_conversation_init(&c, &larger);
	gp_push_send(&c, GP_CLIENT, text, sizeof(text));
	assert_true(gp_conversation_next(&c, &action));
	assert_true(c.out.cap >= sizeof(text));
	assert_false(gp_conversation_next(&c, &action));
	assert_int_equal(c.out.cap, 0);
	gp_conversation_deinit(&c);
}

static void keeps_its_first_error(void **state)
{
	struct gp_conversation c;

	(void)state;
	gp_conversation_init(&c, &config);
	for (int i = 0; i <= GP_CONVERSATION_ACTIONS; i++)
		gp_push(&c, GP_ACT_DIAL);
	assert_int_equal(c.error, GP_E_STATE);
	assert_int_equal(gp_conversation_begin(&c), GP_E_STATE);
	gp_conversation_deinit(&c);
}

static int read_some(struct gp_conversation *c, const char *text, size_t *used)
{
	struct gp_event event = { .type = GP_EV_BYTES,
				  .side = GP_CLIENT,
				  .data = (const uint8_t *)text,
				  .len = strlen(text) };

	*used = 0;
	return gp_conversation_read_line(c, &event, used);
}

static void reads_lines(void **state)
{
	struct gp_conversation c;
	size_t used;

	(void)state;
	gp_conversation_init(&c, &config);
	assert_int_equal(read_some(&c, "", &used), GP_AGAIN);
	assert_int_equal(used, 0);
	assert_int_equal(read_some(&c, "one\r", &used), GP_AGAIN);
	assert_int_equal(used, 4);
	assert_int_equal(read_some(&c, "\ntwo", &used), GP_OK);
	assert_int_equal(used, 1);
	assert_string_equal(gp_buf_cstr(&c.line[GP_CLIENT]), "one\r\n");
	gp_buf_reset(&c.line[GP_CLIENT]);
	assert_int_equal(read_some(&c,
				   "0123456789012345678901234567890123456789012345678901234567890"
				   "1\r\n",
				   &used),
			 GP_OK);
	assert_int_equal(used, 64);
	gp_buf_reset(&c.line[GP_CLIENT]);
	assert_int_equal(read_some(&c,
				   "0123456789012345678901234567890123456789012345678901234567890"
				   "12\r\n",
				   &used),
			 GP_E_LIMIT);
	assert_int_equal(used, 0);
	gp_conversation_deinit(&c);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, http_rows, run_http);
	table_one(&table, "actions must be taken before the next feed", wants_its_actions_taken);
	table_one(&table, "large output is not kept", keeps_no_large_output);
	table_one(&table, "the first error sticks", keeps_its_first_error);
	table_one(&table, "lines are read up to their limit", reads_lines);
	return table_run(&table);
}
