/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "base/err.h"
#include "table.h"

static void grows_in_steps(void **state)
{
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, 10000);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(gp_buf_append_byte(&buf, (uint8_t)(i % 251)), GP_OK);
	assert_int_equal(buf.len, 10000);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(buf.data[i], i % 251);
	gp_buf_deinit(&buf);
}

static void owns_nothing_when_empty(void **state)
{
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, 16);
	assert_null(buf.data);
	assert_int_equal(gp_buf_append(&buf, "", 0), GP_OK);
	assert_int_equal(gp_buf_append(&buf, NULL, 0), GP_OK);
	assert_int_equal(buf.len, 0);
	gp_buf_consume(&buf, 0);
	gp_buf_reset(&buf);
	gp_buf_deinit(&buf);
	gp_buf_deinit(&buf);
}

static void stops_at_its_ceiling(void **state)
{
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, 8);
	assert_int_equal(gp_buf_append_str(&buf, "12345678"), GP_OK);
	assert_int_equal(gp_buf_append_byte(&buf, '9'), GP_E_LIMIT);
	assert_int_equal(gp_buf_append_str(&buf, "9"), GP_E_LIMIT);
	assert_int_equal(gp_buf_appendf(&buf, "%d", 9), GP_E_LIMIT);
	assert_int_equal(buf.len, 8);
	assert_int_equal(buf.cap, 8);
	assert_memory_equal(buf.data, "12345678", 8);
	gp_buf_deinit(&buf);
	assert_int_equal(gp_buf_append_str(&buf, "123456789"), GP_E_LIMIT);
	assert_int_equal(buf.len, 0);
	gp_buf_deinit(&buf);
}

static void survives_absurd_lengths(void **state)
{
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, 64);
	assert_int_equal(gp_buf_append_str(&buf, "abc"), GP_OK);
	assert_int_equal(gp_buf_append(&buf, "x", SIZE_MAX), GP_E_LIMIT);
	assert_int_equal(gp_buf_append(&buf, "x", SIZE_MAX - 2), GP_E_LIMIT);
	assert_int_equal(buf.len, 3);
	gp_buf_deinit(&buf);
}

static void wipes_what_it_forgets(void **state)
{
	static const uint8_t zero[16];
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, 64);
	assert_int_equal(gp_buf_append_str(&buf, "password12345678"), GP_OK);
	gp_buf_reset(&buf);
	assert_int_equal(buf.len, 0);
	assert_memory_equal(buf.data, zero, 16);
	gp_buf_deinit(&buf);
}

static void consumes_from_the_front(void **state)
{
	static const uint8_t zero[6];
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, 64);
	assert_int_equal(gp_buf_append_str(&buf, "secretrest"), GP_OK);
	gp_buf_consume(&buf, 6);
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.data, "rest", 4);
	assert_memory_equal(buf.data + 4, zero, 6);
	gp_buf_consume(&buf, 4);
	assert_int_equal(buf.len, 0);
	gp_buf_deinit(&buf);
}

static void becomes_a_c_string(void **state)
{
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, 128);
	assert_string_equal(gp_buf_cstr(&buf), "");
	for (int i = 0; i < 128; i++)
		assert_int_equal(gp_buf_append_byte(&buf, 'x'), GP_OK);
	/* full to its capacity and its ceiling: the NUL needs room all the same */
	assert_int_equal(strlen(gp_buf_cstr(&buf)), 128);
	assert_int_equal(buf.len, 128);
	gp_buf_deinit(&buf);
}

static void formats(void **state)
{
	struct gp_buf buf;

	(void)state;
	gp_buf_init(&buf, 64);
	assert_int_equal(gp_buf_appendf(&buf, "%s-%04u", "ab", 7U), GP_OK);
	assert_string_equal(gp_buf_cstr(&buf), "ab-0007");
	gp_buf_deinit(&buf);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "a buffer grows in steps and keeps its contents", grows_in_steps);
	table_one(&table, "an empty buffer owns no memory", owns_nothing_when_empty);
	table_one(&table, "a buffer stops at its ceiling unchanged", stops_at_its_ceiling);
	table_one(&table, "lengths near SIZE_MAX do not wrap around", survives_absurd_lengths);
	table_one(&table, "a reset buffer holds no trace of a password", wipes_what_it_forgets);
	table_one(&table, "bytes consumed from the front are wiped", consumes_from_the_front);
	table_one(&table, "the NUL of a C string does not count", becomes_a_c_string);
	table_one(&table, "formatted text is appended", formats);
	return table_run(&table);
}
