/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_XMPP_NAME_H
#define GP_PROTO_XMPP_NAME_H

#define XMPP_NS_STREAM   "http://etherx.jabber.org/streams"
#define XMPP_NS_CLIENT   "jabber:client"
#define XMPP_NS_SERVER   "jabber:server"
#define XMPP_NS_DIALBACK "jabber:server:dialback"
#define XMPP_NS_ERRORS   "urn:ietf:params:xml:ns:xmpp-streams"
#define XMPP_NS_TLS      "urn:ietf:params:xml:ns:xmpp-tls"
#define XMPP_NS_SASL     "urn:ietf:params:xml:ns:xmpp-sasl"

/* The elements that an edge knows; namespace and local name together. */
enum xmpp_name {
	XMPP_OTHER,
	XMPP_STREAM,
	XMPP_FEATURES,
	XMPP_STREAM_ERROR,
	XMPP_STARTTLS,
	XMPP_MECHANISMS,
	XMPP_MECHANISM,
	XMPP_AUTH,
	XMPP_CHALLENGE,
	XMPP_RESPONSE,
	XMPP_ABORT,
	XMPP_ABORTED,
	XMPP_SUCCESS,
	XMPP_FAILURE,
	XMPP_DIALBACK,        /* <db:result/> and <db:verify/> (XEP-0220) */
	XMPP_DIALBACK_OFFER,  /* the stream feature (XEP-0220) */
	XMPP_CHANNEL_BINDING, /* XEP-0440 */
	XMPP_SASL2,           /* XEP-0388 */
	XMPP_CAPS,            /* XEP-0115: only says something of the server */
	XMPP_LIMITS,          /* XEP-0478, likewise */
	XMPP_ROSTER_VERSIONS, /* RFC 6121 section 2.6, likewise */
	XMPP_NAMES
};

/* Of a name as expat writes it: "namespace local", or "local" without namespace. */
enum xmpp_name gp_xmpp_name_of(const char *expanded);

#endif
