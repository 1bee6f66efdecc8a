/* SPDX-License-Identifier: MIT */
#include "proto/xmpp/features.h"

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
	enum xmpp_audience audience;
	const char *text;
	const char *wanted;
	bool plus_removed, no_mechanisms, external_kept;
} rows[] = {
	{ "plain mechanisms pass", XMPP_FOR_CLIENT, FEATURES(SASL(M("PLAIN") M("SCRAM-SHA-1"))),
	  FEATURES(SASL(M("PLAIN") M("SCRAM-SHA-1"))), false, false, false },
	{ "[6120-5.4.3.3-3] STARTTLS goes", XMPP_FOR_CLIENT, FEATURES(STARTTLS SASL(M("PLAIN"))),
	  FEATURES(SASL(M("PLAIN"))), false, false, false },
	{ "-PLUS and its twin go, EXTERNAL goes", XMPP_FOR_CLIENT,
	  FEATURES(SASL(M("SCRAM-SHA-1-PLUS") M("SCRAM-SHA-1") M("EXTERNAL") M("SCRAM-SHA-256"))),
	  FEATURES(SASL(M("SCRAM-SHA-256"))), true, false, false },
	{ "an empty list goes", XMPP_FOR_CLIENT, FEATURES(CAPS SASL(M("EXTERNAL")) CAPS),
	  FEATURES(CAPS CAPS), false, true, false },
	{ "[XEP0440-4-1] channel binding goes", XMPP_FOR_CLIENT, FEATURES(BINDING SASL(M("PLAIN"))),
	  FEATURES(SASL(M("PLAIN"))), false, false, false },
	{ "SASL2 goes", XMPP_FOR_CLIENT, FEATURES(SASL2 SASL(M("PLAIN"))),
	  FEATURES(SASL(M("PLAIN"))), false, false, false },
	{ "clients see nothing unknown", XMPP_FOR_CLIENT,
	  FEATURES(DIALBACK SASL(M("PLAIN")) "<x/>"), FEATURES(SASL(M("PLAIN"))), false, false,
	  false },
	{ "servers see what is unknown", XMPP_FOR_OTHERS,
	  FEATURES(STARTTLS DIALBACK BINDING SASL2 "<x/>"), FEATURES(DIALBACK "<x/>"), false, true,
	  false },
	{ "servers see no EXTERNAL", XMPP_FOR_OTHERS, FEATURES(SASL(M("EXTERNAL")) DIALBACK),
	  FEATURES(DIALBACK), false, true, false },
	{ "[6120-6.3.4-3] EXTERNAL comes first where the certificate is known",
	  XMPP_FOR_CLIENT_PROVED, FEATURES(SASL(M("PLAIN") M("X") M("EXTERNAL") M("Y")) CAPS),
	  FEATURES(SASL(M("EXTERNAL") M("PLAIN") M("X") M("Y")) CAPS), false, false, true },
	{ "EXTERNAL is first already", XMPP_FOR_CLIENT_PROVED,
	  FEATURES(SASL(" " M("EXTERNAL") " " M("PLAIN"))),
	  FEATURES(SASL(" " M("EXTERNAL") " " M("PLAIN"))), false, false, true },
	{ "EXTERNAL alone", XMPP_FOR_CLIENT_PROVED, FEATURES(SASL(M("EXTERNAL"))),
	  FEATURES(SASL(M("EXTERNAL"))), false, false, true },
	{ "EXTERNAL behind what goes", XMPP_FOR_CLIENT_PROVED,
	  FEATURES(STARTTLS SASL(M("A-PLUS") M("A") M("EXTERNAL") M("EXTERNAL"))),
	  FEATURES(SASL(M("EXTERNAL"))), true, false, true },
	{ "no EXTERNAL where the certificate is known", XMPP_FOR_CLIENT_PROVED,
	  FEATURES(SASL(M("PLAIN") M("external"))), FEATURES(SASL(M("PLAIN"))), false, false,
	  false },
	{ "a mechanism that is no name goes", XMPP_FOR_CLIENT,
	  FEATURES(SASL(M("PL AIN") M(" ") M("PLAIN"))), FEATURES(SASL(M("PLAIN"))), false, false,
	  false },
	{ "texts and children are left as they are", XMPP_FOR_CLIENT,
	  FEATURES("\n " SASL("<x a='1'>&amp;</x>" M("PLAIN")) "\n"),
	  FEATURES("\n " SASL("<x a='1'>&amp;</x>" M("PLAIN")) "\n"), false, false, false },
	{ "no features at all", XMPP_FOR_CLIENT, FEATURES(""), FEATURES(""), false, true, false },
	{ "an empty element", XMPP_FOR_CLIENT, "<stream:features/>", "<stream:features/>", false,
	  true, false },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct xmpp_features_verdict verdict;
	struct xmpp_reader r;
	enum xmpp_found found;
	struct gp_buf out;

	gp_xmpp_reader_init(&r, 2048, 1);
	gp_buf_init(&out, 2048);
	gp_xmpp_read(&r, (const uint8_t *)OPEN, strlen(OPEN), &found);
	assert_int_equal(found, XMPP_HEADER);
	gp_xmpp_read(&r, (const uint8_t *)row->text, strlen(row->text), &found);
	assert_int_equal(found, XMPP_ELEMENT);
	assert_int_equal(gp_xmpp_features_write(&r, row->audience, &out, &verdict), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), row->wanted);
	assert_int_equal(verdict.plus_removed, row->plus_removed);
	assert_int_equal(verdict.no_mechanisms, row->no_mechanisms);
	assert_int_equal(verdict.external_kept, row->external_kept);
	gp_buf_deinit(&out);
	gp_xmpp_reader_deinit(&r);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
