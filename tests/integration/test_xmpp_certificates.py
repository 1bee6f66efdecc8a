#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""XMPP servers and clients whose certificates the edge takes for a login: s2s-auth and client-certificates."""

import base64
import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki  # noqa: E402
from gate import Gate, certificate, gatepost, listener  # noqa: E402
from lab import contains, equal, run, test  # noqa: E402
from wire import Backend, Client, context  # noqa: E402
from xmpp import USERS, Prosody, Slixmpp, await_header  # noqa: E402

DOMAIN, OTHER, THIRD = "example.test", "other.test", "third.test"
STREAMS = "http://etherx.jabber.org/streams"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
FEATURES, END = b"</stream:features>", b"</stream:stream>"
EXTERNAL = b"<mechanism>EXTERNAL</mechanism>"
VERSIONS = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
XMPP_ADDR = "otherName:1.3.6.1.5.5.7.8.5;UTF8:{}"
SRV_NAME = "otherName:1.3.6.1.5.5.7.8.7;IA5STRING:{}"
MODES = "dialback", "external", "require"
# of the gate before Prosody, and of that before a backend of our own
REAL = {mode: lab.address(5269) for mode in (*MODES, "distrustful")}
PLAYED = {mode: lab.address(5270) for mode in MODES}
REAL_DIRECT = lab.address(5270)
CLIENTS = {"xmpp-client": lab.address(5222), "xmpps-client": lab.address(5223)}


@cache
def peer():
	"""The server of another domain; it finds ours at the edge."""
	return Prosody(lab, pki(), OTHER, {DOMAIN: REAL["external"]}, s2s_tls=True)


@cache
def distrusted():
	return Prosody(lab, pki(), THIRD, {DOMAIN: REAL["distrustful"]}, s2s_tls=True)


@cache
def prosody():
	return Prosody(lab, pki(), DOMAIN, {OTHER: peer().s2s, THIRD: distrusted().s2s})


def xmpp_server(session):
	"""Features without anything, and silence."""
	if not await_header(session):
		return
	session.send(f"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='{STREAMS}' id='b' from='{DOMAIN}' "
		"version='1.0'><stream:features/>")
	session.rest()


@cache
def scripted():
	return Backend(lab, xmpp_server)


@cache
def trusting():
	return Backend(lab, xmpp_server)


def s2s(role, address, mode, backend, trusted, authority):
	more = {"s2s-ca": authority, "s2s-auth": mode} if mode != "dialback" else {}
	if mode != "dialback":
		backend = {"address": backend, "trusted-address": trusted}
	return listener(role, address, "edge", backend, domains=[DOMAIN], **more)


def staff(role, address, backend, trusted):
	return listener(role, address, "edge", {"address": backend, "trusted-address": trusted, "login": "trusted-address"},
		domains=[DOMAIN], **{"client-certificates": "staff"})


@cache
def gate():
	leaf = pki().leaf("edge", [DOMAIN])
	rows = [s2s("xmpp-server", REAL[mode], mode, prosody().s2s, prosody().trusted_s2s, pki().root) for mode in MODES]
	rows += [s2s("xmpp-server", REAL["distrustful"], "external", prosody().s2s, prosody().trusted_s2s, pki().other_root)]
	rows += [s2s("xmpps-server", REAL_DIRECT, "require", prosody().s2s, prosody().trusted_s2s, pki().root)]
	rows += [s2s("xmpps-server", PLAYED[mode], mode, scripted().address, trusting().address, pki().root) for mode in MODES]
	rows += [staff(role, CLIENTS[role], prosody().c2s, prosody().trusted_c2s) for role in ("xmpp-client", "xmpps-client")]
	return Gate(lab, certificates=[certificate(leaf)], listeners=rows, client_certificates=[block()])


def block():
	return {"name": "staff", "ca": pki().root, "addresses": "xmpp"}


def header(origin=OTHER, kind="server"):
	origin = f" from='{origin}'" if origin else ""
	return (f"<?xml version='1.0'?><stream:stream xmlns='jabber:{kind}' xmlns:stream='{STREAMS}' to='{DOMAIN}'{origin} "
		"version='1.0'>")


def server(address, leaf=None, origin=OTHER, version=None):
	"""A server that has opened its stream inside TLS; .features is what it got."""
	gate()
	made = context(pki().root, **({"maximum_version": version} if version else {}))
	if leaf:
		made.load_cert_chain(leaf.chain, leaf.key)
	client = Client(address)
	client.start_tls(made, DOMAIN)
	client.send(header(origin))
	return client


def external(text):
	return f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{text}</auth>"


# ---- servers ----


@cache
def shown(kind):
	"""The certificates that a server may show."""
	names = {"dns": [OTHER], "srv": [SRV_NAME.format("_xmpp-server." + OTHER)], "xmpp": [XMPP_ADDR.format(OTHER)],
		"wildcard": ["*.test"], "foreign": ["foreign.test"], "of-clients": [SRV_NAME.format("_xmpp-client." + OTHER)]}
	more = {"self-signed": {"signer": None}, "untrusted": {"signer": "other"}, "expired": {"signer": "root", "expired": True},
		"for-mail": {"usage": "emailProtection"}, "for-clients": {"usage": "clientAuth"}}
	return pki().leaf("peer-" + kind, names.get(kind, [OTHER]), **more.get(kind, {}))


PROVING = "dns", "srv", "xmpp", "wildcard", "for-clients"
PROVING_NOTHING = {"foreign": "the certificate does not contain " + OTHER, "of-clients": "the certificate does not contain " + OTHER,
	"self-signed": "self", "untrusted": "unable to get", "expired": "expired", "for-mail": "purpose"}


@test("[XEP0178-3-1 6120-13.8-5 6120-5.4.3.1-3] Prosody of another domain proves itself by its certificate: EXTERNAL, no dialback, "
	"and Prosody behind takes it")
def _():
	gate()
	mark, at_peer = gate().mark(), peer().mark()
	with Slixmpp(lab, "bob@" + DOMAIN, USERS["bob"], CLIENTS["xmpp-client"], pki().root) as bob, \
			Slixmpp(lab, "alice@" + OTHER, USERS["alice"], peer().c2s) as alice:
		bob.wait("session")
		alice.wait("session")
		alice.say("bob@" + DOMAIN, "proved")
		contains(bob.wait_message("proved"), "alice@" + OTHER)
		bob.say("alice@" + OTHER, "and back")
		alice.wait_message("and back")
	peer().wait_log("SASL EXTERNAL with", DOMAIN, "succeeded", since=at_peer)
	contains(gate().wait_for("login", mark, user=OTHER)["listener"], "xmpp-server@" + REAL["external"])
	peer().stop()
	end = gate().wait_for("session-end", mark, user=OTHER)
	equal(end["backend"], prosody().trusted_s2s)
	equal(len(end["certificate"]), 64)


@test("[6120-6.3.4-2 6120-13.7.2.1-2 XEP0178-3-5] DNS-ID, SRV-ID and XmppAddr that name the 'from' prove it: EXTERNAL, then the "
	"trusted address")
def _():
	for mode in ("external", "require"):
		for kind in PROVING:
			calls, untrusted = trusting().count, scripted().count
			client = server(PLAYED[mode], shown(kind))
			contains(client.until(FEATURES), EXTERNAL)
			client.send(external("="))
			contains(client.until(b"/>"), b"<success")
			client.send(header())
			contains(client.until(b"<stream:features/>"), b"id='b'")
			equal(trusting().count - calls, 1)
			equal(scripted().count, untrusted)
			client.close()


@test("[6120-5.4.3.1-6 6120-4.7.1-3 XEP0178-3-2] a certificate that proves something else, or nothing: with external no EXTERNAL "
	"and the way of dialback; the log says why")
def _():
	for kind, reason in PROVING_NOTHING.items():
		calls, trusted, mark = scripted().count, trusting().count, gate().mark()
		client = server(PLAYED["external"], shown(kind))
		equal(EXTERNAL in client.until(b"<stream:features/>"), False)
		contains(gate().wait_for("certificate-ignored", mark)["reason"], reason)
		equal((scripted().count - calls, trusting().count - trusted), (1, 0))
		client.close()


@test("[7590-3.4-3 6120-13.7.2-2] with require such a server, and one without certificate, gets <not-authorized/> and no backend")
def _():
	calls = scripted().count, trusting().count
	for kind in (*PROVING_NOTHING, None):
		client = server(PLAYED["require"], kind and shown(kind))
		contains(client.until(END), b"<not-authorized")
		equal(client.ending(), "close_notify")
	equal((scripted().count, trusting().count), calls)


@test("with dialback a certificate is asked for, makes no difference, and is in the log")
def _():
	calls, mark = trusting().count, gate().mark()
	client = server(PLAYED["dialback"], shown("dns"))
	equal(EXTERNAL in client.until(b"<stream:features/>"), False)
	client.close()
	end = gate().wait_for("session-end", mark, listener="xmpps-server@" + PLAYED["dialback"])
	equal(len(end["certificate"]), 64)
	equal(trusting().count, calls)


@test("a server is asked for its certificate in every connection: there are no tickets, in either version")
def _():
	for version in VERSIONS:
		client = server(PLAYED["external"], shown("dns"), version=version)
		client.until(FEATURES)
		session = client.tls.session
		equal(session is not None and session.has_ticket, False)
		client.close()


@test("[6120-13.6-3] what a server has proved in one connection counts in no other")
def _():
	first = server(PLAYED["external"], shown("dns"))
	first.until(FEATURES)
	first.send(external("="))
	contains(first.until(b"/>"), b"<success")
	first.send(header())
	first.until(b"<stream:features/>")
	calls = trusting().count
	equal(EXTERNAL in server(PLAYED["external"]).until(b"<stream:features/>"), False)
	contains(server(PLAYED["require"]).until(END), b"<not-authorized")
	equal(trusting().count, calls)


@test("[6120-6.3.8-2 6120-6.3.8-3] the identity that a server asks for is its domain or nothing; another is <invalid-authzid/>")
def _():
	def asked(text):
		client = server(PLAYED["require"], shown("dns"))
		client.until(FEATURES)
		client.send(external(base64.b64encode(text.encode()).decode()))
		return client.until(b"/>") if text == OTHER else client.until(b"</failure>")
	contains(asked(OTHER), b"<success")
	for text in ("foreign.test", "alice@" + OTHER):
		contains(asked(text), b"<invalid-authzid")


@test("Prosody whose authority is not trusted proves itself by dialback over TLS, at the ordinary port")
def _():
	gate()
	mark = gate().mark()
	with Slixmpp(lab, "bob@" + DOMAIN, USERS["bob"], CLIENTS["xmpp-client"], pki().root) as bob, \
			Slixmpp(lab, "alice@" + THIRD, USERS["alice"], distrusted().c2s) as alice:
		bob.wait("session")
		alice.wait("session")
		alice.say("bob@" + DOMAIN, "by dialback")
		contains(bob.wait_message("by dialback"), "alice@" + THIRD)
	contains(gate().wait_for("certificate-ignored", mark)["reason"], "unable to get")
	distrusted().stop()
	equal(gate().wait_for("session-end", mark, listener="xmpp-server@" + REAL["distrustful"])["backend"], prosody().s2s)


# ---- clients ----


@cache
def badge(jid, **more):
	return pki().leaf("badge-" + jid.replace("@", "-"), [XMPP_ADDR.format(jid)], usage="clientAuth", **more)


@test("[6120-13.7.2.2-1 XEP0178-2-3] slixmpp logs in to Prosody with its certificate alone, by STARTTLS and direct TLS")
def _():
	for role in ("xmpp-client", "xmpps-client"):
		mark = gate().mark()
		with Slixmpp(lab, "alice@" + DOMAIN, "wrong password", CLIENTS[role], pki().root, role == "xmpps-client",
				badge("alice@" + DOMAIN)) as alice:
			contains(alice.wait("session"), "alice@" + DOMAIN)
			alice.say("alice@" + DOMAIN, "to myself")
			alice.wait_message("to myself")
		end = gate().wait_for("session-end", mark, user="alice@" + DOMAIN)
		equal(end["backend"], prosody().trusted_c2s)


def client_of(leaf, address=CLIENTS["xmpps-client"]):
	gate()
	made = context(pki().root)
	if leaf:
		made.load_cert_chain(leaf.chain, leaf.key)
	client = Client(address)
	client.start_tls(made, DOMAIN)
	client.send(header(None, "client"))
	client.features = client.until(FEATURES)
	return client


@test("[6120-6.3.4-3] EXTERNAL is the first of the mechanisms where the certificate maps to an account, and is not there else")
def _():
	contains(client_of(badge("alice@" + DOMAIN)).features, SASL.encode() + b"'>" + EXTERNAL + b"<mechanism>")
	for leaf in (None, badge("alice@" + OTHER), badge("bob@" + DOMAIN, signer="other")):
		client = client_of(leaf)
		equal(EXTERNAL in client.features, False)
		client.send(external("="))
		contains(client.until(b"</failure>"), b"<invalid-mechanism")


@test("another identity than the certificate's is refused; an account that Prosody does not know, too")
def _():
	client = client_of(badge("alice@" + DOMAIN))
	client.send(external(base64.b64encode(f"bob@{DOMAIN}".encode()).decode()))
	contains(client.until(b"</failure>"), b"<invalid-authzid")
	client.send(external(base64.b64encode(f"alice@{DOMAIN}".encode()).decode()))
	contains(client.until(b"/>"), b"<success")
	client = client_of(badge("nobody@" + DOMAIN))
	client.send(external("="))
	contains(client.until(b"</failure>"), b"<not-authorized")


@test("only the edge is believed: Prosody takes EXTERNAL and unproved servers on its other ports no more than before")
def _():
	prosody()
	client = Client(prosody().c2s)
	client.send(header(None, "client"))
	equal(EXTERNAL in client.until(FEATURES), False)
	client.send(external(base64.b64encode(f"alice@{DOMAIN}".encode()).decode()))
	contains(client.until(b"</failure>"), b"<invalid-mechanism")
	mark, client = prosody().mark(), Client(prosody().s2s)
	client.send(header())
	client.until(FEATURES)
	client.send(f"<message from='alice@{OTHER}' to='bob@{DOMAIN}'><body>forged</body></message>")
	prosody().wait_log("Unhandled s2sin_unauthed stanza: message", since=mark)


@test("a trusted address that does not offer EXTERNAL: the log names the module, and passwords work")
def _():
	address = lab.address(5223)
	simple = Gate(lab, "no-module", certificates=[certificate(pki().leaf("edge", [DOMAIN]))], client_certificates=[block()],
		listeners=[staff("xmpps-client", address, prosody().trusted_c2s, prosody().c2s)])
	client = client_of(badge("alice@" + DOMAIN), address)
	contains(client.features, b"<mechanism>PLAIN</mechanism>")
	contains(simple.wait_for("backend-setup")["reason"], "trusted-address does not offer EXTERNAL")


@test("a server that is proved cannot add another domain to its stream by dialback; Prosody offers none there")
def _():
	client = server(REAL_DIRECT, shown("dns"))
	client.until(FEATURES)
	client.send(external("="))
	client.until(b"/>")
	client.send(header().replace(" to=", " xmlns:db='jabber:server:dialback' to="))
	features = client.until(FEATURES) if b"<stream:features/>" not in client.until(b"<stream:features") else b""
	equal(b"dialback" in features, False)
	client.send(f"<db:result from='{THIRD}' to='{DOMAIN}'>0123</db:result>")
	contains(client.until(b"</db:result>"), b"policy-violation")


@test("serve --check --connect looks at trusted addresses, too")
def _():
	def check(backend, trusted, make=staff):
		row = make("xmpp-client", lab.address(5222), backend, trusted)
		checked = Gate(lab, "checked", before=["true"], wait=False, certificates=[certificate(pki().leaf("edge", [DOMAIN]))],
			listeners=[row], client_certificates=[block()])
		done = gatepost(lab, "serve", "--check", "--connect", "-c", checked.config)
		return done.returncode, done.stdout

	contains(check(prosody().c2s, prosody().trusted_c2s)[1], "no errors")
	status, text = check(prosody().trusted_c2s, prosody().c2s)
	equal(status, 69)
	contains(text, "backend " + prosody().c2s + ": backend.trusted-address does not offer EXTERNAL")
	contains(check(prosody().c2s, lab.address(1))[1], "refused")

	def servers(_, address, backend, trusted):
		return s2s("xmpps-server", address, "require", backend, trusted, pki().root)
	contains(check(prosody().s2s, prosody().trusted_s2s, servers)[1], "no errors")
	status, text = check(prosody().trusted_s2s, prosody().s2s, servers)
	equal(status, 69)
	contains(text, "backend " + prosody().s2s + ": the server at backend.trusted-address asks for dialback")


run(lab)
