/* SPDX-License-Identifier: MIT */
#include "daemon/process/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "table.h"

struct row {
	const char *name;
	struct gp_control control;
};

static const struct row rows[] = {
	{ "SETUP", { .type = GP_CONTROL_SETUP, .number = { 1, UINT64_MAX, 7 } } },
	{ "DRAIN", { .type = GP_CONTROL_DRAIN, .number = { 60000 } } },
	{ "READY", { .type = GP_CONTROL_READY } },
	{ "SETUP_FAILED", { .type = GP_CONTROL_SETUP_FAILED, .text = "a sentence" } },
	{ "CLEARTEXT_LOGIN", { .type = GP_CONTROL_CLEARTEXT_LOGIN, .text = "alice\n192.0.2.1" } },
};

static void assert_same(const struct gp_control *a, const struct gp_control *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->number[0], b->number[0]);
	assert_int_equal(a->number[1], b->number[1]);
	assert_int_equal(a->number[2], b->number[2]);
	assert_string_equal(a->text, b->text);
}

static void round_trip(void **state)
{
	const struct row *row = *state;
	uint8_t data[GP_CONTROL_SIZE_MAX];
	struct gp_control back;
	size_t len = gp_control_encode(&row->control, data);

	assert_int_equal(gp_control_decode(data, len, &back), GP_OK);
	assert_same(&row->control, &back);
}

static void too_long_text_is_cut(void **state)
{
	struct gp_control control = { .type = GP_CONTROL_SETUP_FAILED }, back;
	uint8_t data[GP_CONTROL_SIZE_MAX];

	(void)state;
	memset(control.text, 'x', sizeof(control.text));
	assert_int_equal(gp_control_decode(data, gp_control_encode(&control, data), &back), GP_OK);
	assert_int_equal(strlen(back.text), GP_CONTROL_TEXT_MAX - 1);
}

static void others_are_refused(void **state)
{
	const struct gp_control control = { .type = GP_CONTROL_READY };
	uint8_t data[GP_CONTROL_SIZE_MAX];
	struct gp_control back;
	size_t len = gp_control_encode(&control, data);

	(void)state;
	for (size_t short_len = 0; short_len < len; short_len++)
		assert_int_equal(gp_control_decode(data, short_len, &back), GP_E_SYNTAX);
	data[0]++;
	assert_int_equal(gp_control_decode(data, len, &back), GP_E_SYNTAX);
	data[0]--;
	data[1] = GP_CONTROL_CLEARTEXT_LOGIN + 1;
	assert_int_equal(gp_control_decode(data, len, &back), GP_E_SYNTAX);
}

static void descriptors_travel(void **state)
{
	const struct gp_control control = { .type = GP_CONTROL_SETUP };
	struct gp_control back;
	int pair[2], ends[2], got[2];
	size_t count;
	char byte = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(gp_control_send(pair[0], &control, ends, 2), GP_OK);
	assert_int_equal(gp_control_receive(pair[1], &back, got, 2, &count), GP_OK);
	assert_int_equal(count, 2);
	assert_int_equal(write(got[1], "x", 1), 1);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(gp_control_receive(pair[1], &back, got, 2, &count), GP_AGAIN);
	close(pair[0]);
	assert_int_equal(gp_control_receive(pair[1], &back, got + 1, 0, &count), GP_E_NOT_FOUND);
	close(pair[1]);
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(got[i]);
	}
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, round_trip);
	table_one(&table, "a text that is too long is cut", too_long_text_is_cut);
	table_one(&table, "short, foreign and unknown messages are refused", others_are_refused);
	table_one(&table, "descriptors travel, and the end is seen", descriptors_travel);
	return table_run(&table);
}
