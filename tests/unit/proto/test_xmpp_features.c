/* SPDX-License-Identifier: MIT */
#include "proto/xmpp_features.h"

#include <string.h>

#include "base/err.h"
#include "table.h"

#define OPEN                                                                             \
	"<stream:stream xmlns='jabber:client' xmlns:stream='" XMPP_NS_STREAM "' to='a' " \
	"version='1.0'>"
#define FEATURES(text) "<stream:features>" text "</stream:features>"
#define SASL(text)     "<mechanisms xmlns='" XMPP_NS_SASL "'>" text "</mechanisms>"
#define M(name)        "<mechanism>" name "</mechanism>"
#define STARTTLS       "<starttls xmlns='" XMPP_NS_TLS "'/>"
#define DIALBACK       "<dialback xmlns='urn:xmpp:features:dialback'/>"
#define BINDING                                             \
	"<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>" \
	"<channel-binding type='tls-exporter'/></sasl-channel-binding>"
#define SASL2 "<authentication xmlns='urn:xmpp:sasl:2'>" M("PLAIN") "</authentication>"
#define CAPS  "<c xmlns='http://jabber.org/protocol/caps' node='n'/>"

static const struct row {
	const char *name;
	bool for_client;
	const char *text;
	const char *wanted;
	bool plus_removed, no_mechanisms;
} rows[] = {
	{ "plain mechanisms pass", true, FEATURES(SASL(M("PLAIN") M("SCRAM-SHA-1"))),
	  FEATURES(SASL(M("PLAIN") M("SCRAM-SHA-1"))), false, false },
	{ "[6120-5.4.3.3-3] STARTTLS goes", true, FEATURES(STARTTLS SASL(M("PLAIN"))),
	  FEATURES(SASL(M("PLAIN"))), false, false },
	{ "-PLUS and its twin go, EXTERNAL goes", true,
	  FEATURES(SASL(M("SCRAM-SHA-1-PLUS") M("SCRAM-SHA-1") M("EXTERNAL") M("SCRAM-SHA-256"))),
	  FEATURES(SASL(M("SCRAM-SHA-256"))), true, false },
	{ "an empty list goes", true, FEATURES(CAPS SASL(M("EXTERNAL")) CAPS), FEATURES(CAPS CAPS),
	  false, true },
	{ "[XEP0440-4-1] channel binding goes", true, FEATURES(BINDING SASL(M("PLAIN"))),
	  FEATURES(SASL(M("PLAIN"))), false, false },
	{ "SASL2 goes", true, FEATURES(SASL2 SASL(M("PLAIN"))), FEATURES(SASL(M("PLAIN"))), false,
	  false },
	{ "clients see nothing unknown", true, FEATURES(DIALBACK SASL(M("PLAIN")) "<x/>"),
	  FEATURES(SASL(M("PLAIN"))), false, false },
	{ "servers see what is unknown", false, FEATURES(STARTTLS DIALBACK BINDING SASL2 "<x/>"),
	  FEATURES(DIALBACK "<x/>"), false, true },
	{ "servers see no EXTERNAL", false, FEATURES(SASL(M("EXTERNAL")) DIALBACK),
	  FEATURES(DIALBACK), false, true },
	{ "a mechanism that is no name goes", true, FEATURES(SASL(M("PL AIN") M(" ") M("PLAIN"))),
	  FEATURES(SASL(M("PLAIN"))), false, false },
	{ "texts and children are left as they are", true,
	  FEATURES("\n " SASL("<x a='1'>&amp;</x>" M("PLAIN")) "\n"),
	  FEATURES("\n " SASL("<x a='1'>&amp;</x>" M("PLAIN")) "\n"), false, false },
	{ "no features at all", true, FEATURES(""), FEATURES(""), false, true },
	{ "an empty element", true, "<stream:features/>", "<stream:features/>", false, true },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct xmpp_features_verdict verdict;
	struct xmpp_reader r;
	enum xmpp_found found;
	struct gp_buf out;

	xmpp_reader_init(&r, 2048, 1);
	gp_buf_init(&out, 2048);
	xmpp_read(&r, (const uint8_t *)OPEN, strlen(OPEN), &found);
	assert_int_equal(found, XMPP_HEADER);
	xmpp_read(&r, (const uint8_t *)row->text, strlen(row->text), &found);
	assert_int_equal(found, XMPP_ELEMENT);
	assert_int_equal(xmpp_features_write(&r, row->for_client, &out, &verdict), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), row->wanted);
	assert_int_equal(verdict.plus_removed, row->plus_removed);
	assert_int_equal(verdict.no_mechanisms, row->no_mechanisms);
	gp_buf_deinit(&out);
	xmpp_reader_deinit(&r);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
