/* SPDX-License-Identifier: MIT */
#include "proto/xmpp/name.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *expanded;
	enum xmpp_name name;
} names[] = {
	{ XMPP_NS_STREAM " stream", XMPP_STREAM },
	{ XMPP_NS_STREAM " features", XMPP_FEATURES },
	{ XMPP_NS_STREAM " error", XMPP_STREAM_ERROR },
	{ XMPP_NS_TLS " starttls", XMPP_STARTTLS },
	{ XMPP_NS_SASL " mechanisms", XMPP_MECHANISMS },
	{ XMPP_NS_SASL " mechanism", XMPP_MECHANISM },
	{ XMPP_NS_SASL " auth", XMPP_AUTH },
	{ XMPP_NS_SASL " challenge", XMPP_CHALLENGE },
	{ XMPP_NS_SASL " response", XMPP_RESPONSE },
	{ XMPP_NS_SASL " abort", XMPP_ABORT },
	{ XMPP_NS_SASL " aborted", XMPP_ABORTED },
	{ XMPP_NS_SASL " success", XMPP_SUCCESS },
	{ XMPP_NS_SASL " failure", XMPP_FAILURE },
	{ XMPP_NS_DIALBACK " result", XMPP_DIALBACK },
	{ XMPP_NS_DIALBACK " verify", XMPP_DIALBACK },
	{ "urn:xmpp:features:dialback dialback", XMPP_DIALBACK_OFFER },
	{ "urn:xmpp:sasl-cb:0 sasl-channel-binding", XMPP_CHANNEL_BINDING },
	{ "urn:xmpp:sasl:2 authentication", XMPP_SASL2 },
	{ "http://jabber.org/protocol/caps c", XMPP_CAPS },
	{ "urn:xmpp:stream-limits:0 limits", XMPP_LIMITS },
	{ "urn:xmpp:features:rosterver ver", XMPP_ROSTER_VERSIONS },
};

enum xmpp_name gp_xmpp_name_of(const char *expanded)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(expanded, names[i].expanded))
			return names[i].name;
	}
	return XMPP_OTHER;
}
