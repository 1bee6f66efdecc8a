/* SPDX-License-Identifier: MIT */
#include "proto/xmpp/stream.h"

#include <string.h>

#include "base/err.h"
#include "table.h"

#define STREAM "<stream:stream xmlns:stream='" XMPP_NS_STREAM "' xmlns='jabber:client' "

static const struct row {
	const char *name;
	const char *text;
	const char *fault;
} rows[] = {
	{ "a good header", STREAM "to='a.test' version='1.0'>", NULL },
	{ "with an address", STREAM "to='a.test' from='b@a.test/c' version='1.0'>", NULL },
	{ "a minor version above ours", STREAM "to='a.test' version='1.12'>", NULL },
	{ "a major version above ours", STREAM "to='a.test' version='02.0'>", NULL },
	{ "no version", STREAM "to='a.test'>", "unsupported-version" },
	{ "a version below ours", STREAM "to='a.test' version='0.99'>", "unsupported-version" },
	{ "a version that is none", STREAM "to='a.test' version='one'>", "unsupported-version" },
	{ "a blank in an address", STREAM "to='a. test' version='1.0'>", "improper-addressing" },
	{ "a line end in an address", STREAM "from='a&#10;b' version='1.0'>",
	  "improper-addressing" },
	{ "a quote in an address", STREAM "from='a&quot;b' version='1.0'>", "improper-addressing" },
	{ "no stream", "<a to='a.test'>", "bad-format" },
	{ "no stream of ours", "<stream to='a.test'>", "invalid-namespace" },
	{ "without the prefix", "<stream xmlns='" XMPP_NS_STREAM "' version='1.0'>",
	  "invalid-namespace" },
	{ "for servers",
	  "<stream:stream xmlns:stream='" XMPP_NS_STREAM "' xmlns='jabber:server' version='1.0'>",
	  "invalid-namespace" },
	{ "behind another prefix",
	  "<x:stream xmlns:x='" XMPP_NS_STREAM "' xmlns='jabber:client' version='1.0'>",
	  "bad-namespace-prefix" },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct xmpp_reader r;
	enum xmpp_found found;
	const char *fault;

	gp_xmpp_reader_init(&r, 2048, 1);
	gp_xmpp_read(&r, (const uint8_t *)row->text, strlen(row->text), &found);
	assert_int_equal(found, XMPP_HEADER);
	fault = gp_xmpp_header_fault(&r.header, XMPP_CONTENT_CLIENT);
	assert_int_equal(!fault, !row->fault);
	if (fault)
		assert_string_equal(fault, row->fault);
	gp_xmpp_reader_deinit(&r);
}

static void writes_one_line_of_errors(void **state)
{
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 512);
	assert_int_equal(gp_xmpp_write_error(&out, "host-unknown"), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), "<stream:error><host-unknown xmlns='" XMPP_NS_ERRORS
					       "'/></stream:error></stream:stream>");
	gp_buf_deinit(&out);
}

static void says_when_it_does_not_fit(void **state)
{
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 64);
	assert_int_equal(gp_xmpp_write_response(&out, XMPP_CONTENT_CLIENT, NULL, "a.test", "1"),
			 GP_E_LIMIT);
	gp_buf_deinit(&out);
}

static void knows_the_domains(void **state)
{
	static const char *const domains[] = { "a.test", "b.test", NULL };
	const struct gp_xmpp_edge_config config = { .domains = domains };

	(void)state;
	assert_ptr_equal(gp_xmpp_served_domain(&config, gp_str_of("B.Test")), domains[1]);
	assert_null(gp_xmpp_served_domain(&config, gp_str_of("c.test")));
	assert_null(gp_xmpp_served_domain(&config, gp_str_of("a.test.")));
	assert_null(gp_xmpp_served_domain(&config, gp_str_of("")));
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "a stream error", writes_one_line_of_errors);
	table_one(&table, "a header beyond the ceiling", says_when_it_does_not_fit);
	table_one(&table, "served domains", knows_the_domains);
	return table_run(&table);
}
