#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""XMPP through gatepost with real servers behind it and real clients and servers before it."""

import base64
import os
import re
import signal
import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki, tls  # noqa: E402
import hello  # noqa: E402
from gate import Gate, certificate, gatepost, listener  # noqa: E402
from lab import command, contains, equal, run, test  # noqa: E402
from wire import Backend, Client, alert_of, context  # noqa: E402
from xmpp import USERS, Ejabberd, Prosody, Slixmpp, await_header  # noqa: E402

DOMAIN, OTHER = "example.test", "other.test"
STREAMS = "http://etherx.jabber.org/streams"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
END = b"</stream:stream>"
ROLES = {"xmpp-client": 5222, "xmpps-client": 5223, "xmpp-server": 5269, "xmpps-server": 5270}
CLIENTS = ("xmpp-client", "xmpps-client")
OTHERS = {"prosody": OTHER, "ejabberd": lab.host()}
ADDRESS = {(backend, role): lab.address(port) for backend in ("prosody", "ejabberd", "scripted", "dead")
	for role, port in ROLES.items()}


@cache
def peer(backend):
	"""The server of another domain; it finds ours at the edge before that backend."""
	return Prosody(lab, pki(), OTHERS[backend], {DOMAIN: ADDRESS[backend, "xmpp-server"]}, s2s_tls=True)


@cache
def prosody():
	return Prosody(lab, pki(), DOMAIN, {OTHERS["prosody"]: peer("prosody").s2s})


@cache
def ejabberd():
	return Ejabberd(lab, DOMAIN)


@cache
def scripted():
	return Backend(lab, xmpp_server)


def xmpp_server(session):
	"""A stream, PLAIN, success, and no more."""
	if not await_header(session):
		return
	kind = "server" if b"jabber:server" in session.heard else "client"
	session.send(f"<?xml version='1.0'?><stream:stream xmlns='jabber:{kind}' xmlns:stream='{STREAMS}' id='b' "
		f"from='{DOMAIN}' version='1.0'><stream:features><mechanisms xmlns='{SASL}'><mechanism>PLAIN</mechanism>"
		"</mechanisms></stream:features>")
	session.until(b"</auth>")
	session.send(f"<success xmlns='{SASL}'/>")
	session.rest()


@cache
def gate():
	leaf = pki().leaf("edge", [DOMAIN])
	targets = {"prosody": (prosody().c2s, prosody().s2s, None), "ejabberd": (ejabberd().c2s, ejabberd().s2s, "proxy-v2"),
		"scripted": (scripted().address, scripted().address, None), "dead": (lab.address(1), lab.address(1), None)}
	rows = [listener(role, ADDRESS[name, role], leaf, s2s if "server" in role else c2s, facts, domains=[DOMAIN])
		for name, (c2s, s2s, facts) in targets.items() for role in ROLES if s2s or "client" in role]
	return Gate(lab, certificates=[certificate(leaf)], listeners=rows)


# ---- raw streams ----


def header(role="xmpp-client", to=DOMAIN, more=""):
	kind, origin = ("server", f" from='{OTHER}'") if "server" in role else ("client", "")
	return (f"<?xml version='1.0'?><stream:stream xmlns='jabber:{kind}' xmlns:stream='{STREAMS}' to='{to}'{origin} "
		f"version='1.0'{more}>")


def opened(role, backend="scripted"):
	"""A client on a port with STARTTLS that has seen the features in cleartext."""
	gate()
	client = Client(ADDRESS[backend, role])
	client.send(header(role))
	client.greeting = client.until(b"</stream:features>")
	return client


def secured(role, backend="scripted", tls_context=None):
	"""A client inside TLS that has said nothing there."""
	if role.startswith("xmpps"):
		gate()
		client = Client(ADDRESS[backend, role])
		client.greeting = b""
	else:
		client = opened(role, backend)
		client.send(STARTTLS)
		equal(client.until(b"/>"), PROCEED)
	client.start_tls(tls_context or tls(), DOMAIN)
	return client


def stream_id(data):
	return re.search(rb" id='([^']+)'", data)[1]


def auth(name, password):
	return base64.b64encode(f"\0{name}\0{password}".encode()).decode()


def plain(name, password):
	return f"<auth xmlns='{SASL}' mechanism='PLAIN'>{auth(name, password)}</auth>"


# ---- real clients and servers ----


def logs_in(backend, role):
	mark = gate().mark()
	with Slixmpp(lab, "alice@" + DOMAIN, USERS["alice"], ADDRESS[backend, role], pki().root,
			role == "xmpps-client") as alice:
		contains(alice.wait("session"), "alice@" + DOMAIN)
		alice.say("alice@" + DOMAIN, "to myself")
		alice.wait_message("to myself")
	login = gate().wait_for("login", mark, user="alice")
	contains(login["listener"], role + "@")
	return gate().wait_for("session-end", mark, user="alice")


@test("[7590-3.1-1 6120-5.2-1 6120-13.6-1 6120-6.4.6-2] slixmpp logs in to Prosody by STARTTLS and talks")
def _():
	logs_in("prosody", "xmpp-client")


@test("[7590-3.6-1 7590-3.6-2 7590-3.6-5] slixmpp logs in to Prosody by direct TLS and talks; the log has its TLS")
def _():
	end = logs_in("prosody", "xmpps-client")
	equal(end["tls"], "TLSv1.3")
	contains(end["cipher"], "TLS_")
	contains(end["group"], "25519")


@test("slixmpp logs in to ejabberd both ways, and ejabberd learns the client's address by PROXY v2")
def _():
	for role in CLIENTS:
		mark = ejabberd().mark()
		end = logs_in("ejabberd", role)
		ejabberd().wait_log("Accepted proxied connection", end["client"], since=mark)


@test("a wrong password at both servers: refused, logged, and the name is known")
def _():
	for backend in ("prosody", "ejabberd"):
		mark = gate().mark()
		with Slixmpp(lab, "bob@" + DOMAIN, "wrong", ADDRESS[backend, "xmpp-client"], pki().root) as bob:
			bob.wait("ended")
		equal(gate().wait_for("login-failed", mark)["user"], "bob")


@test("[7590-3.4-4 XEP0368-3-10 6120-13.14-1] Prosody of another domain delivers by dialback over TLS to Prosody and to ejabberd")
def _():
	for backend, other in OTHERS.items():
		mark = gate().mark()
		with Slixmpp(lab, "bob@" + DOMAIN, USERS["bob"], ADDRESS[backend, "xmpp-client"], pki().root) as bob, \
				Slixmpp(lab, "alice@" + other, USERS["alice"], peer(backend).c2s) as alice:
			bob.wait("session")
			alice.wait("session")
			alice.say("bob@" + DOMAIN, "over the edge")
			contains(bob.wait_message("over the edge"), "alice@" + other)
			bob.say("alice@" + other, "and back")
			alice.wait_message("and back")
		peer(backend).stop()
		contains(server_session(mark, backend)["tls"], "TLSv1.")


def server_session(mark, backend):
	"""The end of the session of a server."""
	def accept(line):
		return "session-end" in line and f"listener=xmpp-server@{ADDRESS[backend, 'xmpp-server']} " in line
	line = gate().wait_line(accept, mark, "the end of the server's session")
	return gate().events("session-end", since=gate().lines.index(line))[0]


@test("[6120-5.4.3.1-2] openssl s_client finds its way by -starttls xmpp and xmpp-server, and on the TLS ports")
def _():
	for role in ROLES:
		gate()
		words = {"xmpp-client": ["-starttls", "xmpp", "-xmpphost", DOMAIN],
			"xmpp-server": ["-starttls", "xmpp-server", "-xmpphost", DOMAIN]}.get(role, ["-alpn", role.replace("xmpps", "xmpp")])
		done = command("openssl", "s_client", "-connect", ADDRESS["scripted", role], "-servername", DOMAIN, *words,
			"-CAfile", pki().root, "-verify_return_error", "-verify_hostname", DOMAIN, "-brief", check=False)
		contains(done.stderr, "Verification: OK")


# ---- STARTTLS on the wire ----


@test("[6120-5.4.3.1-1 7457-2.2-1 6120-5.3.3-1] bytes glued to <starttls/>: closed, logged, not heard by the backend")
def _():
	for role in ("xmpp-client", "xmpp-server"):
		for more in (header(role), plain("mallory", "x"), "\n", " "):
			calls, mark = scripted().count, gate().mark()
			client = opened(role)
			client.send(STARTTLS + more)
			said = client.until(b"/>") if client.ending() in ("cut", "reset") else b""
			equal(said in (b"", PROCEED), True)
			equal(bytes(client.unread), b"")
			event = gate().wait_for("starttls-injection", mark, client=client.name)
			equal(gate().wait_for("session-end", mark, sid=event["sid"])["end"], "starttls-injection")
			equal(scripted().count, calls)


@test("[6120-5.4.2.3-1 6120-5.4.3.1-7] <starttls/> and ClientHello cut into two segments around the seam: the handshake works")
def _():
	for cut in range(len(STARTTLS) - 3, len(STARTTLS) + 4):
		client = opened("xmpp-client")
		text = STARTTLS.encode() + client.hello(tls(), DOMAIN)
		client.sock.sendall(text[:cut])
		client.sock.sendall(text[cut:])
		equal(client.until(b"/>"), PROCEED)
		client.finish_tls()
		client.send(header())
		contains(client.until(b"</stream:features>"), b"<mechanism>PLAIN</mechanism>")


@test("[6120-4.3.3-2 6120-5.4.3.3-1 6120-5.3.1-2 7590-4-1] ids are new in each stream and session; nothing is offered in cleartext")
def _():
	clients = [opened("xmpp-client"), opened("xmpp-client"), opened("xmpp-server")]
	for client in clients:
		contains(client.greeting, b"<required/></starttls></stream:features>")
		equal(b"mechanism" in client.greeting, False)
	first = clients[0]
	first.send(STARTTLS)
	first.until(b"/>")
	first.start_tls(tls(), DOMAIN)
	first.send(header(to="foreign.test"))
	refused = first.until(END)
	contains(refused, b"<host-unknown")
	ids = [stream_id(data) for data in [client.greeting for client in clients] + [refused]]
	equal(len(set(ids)), 4)
	equal([len(one) for one in ids], [32] * 4)


@test("[6120-5.3.4-1 6120-13.8-4] a login in cleartext is refused, logged and remembered")
def _():
	mark, calls = gate().mark(), scripted().count
	client = opened("xmpp-client")
	client.send(plain("carol", "right or wrong"))
	contains(client.until(END), b"<policy-violation")
	equal(client.ending(), "cut")
	equal(gate().wait_for("cleartext-login-refused", mark)["user"], "carol")
	equal(scripted().count, calls)
	contains(gatepost(lab, "status", "cleartext-users", "-c", gate().config).stdout, "carol")


@test("[6120-4.9.3.6-1] a foreign domain: <host-unknown/> on every port, and no backend is called")
def _():
	calls = scripted().count
	for role in ROLES:
		client = opened(role) if role.startswith("xmpp-") else None
		if client:
			client = Client(ADDRESS["scripted", role])
		else:
			client = secured(role)
		client.send(header(role, to="foreign.test"))
		contains(client.until(END), b"<host-unknown")
		client.ending()
	equal(scripted().count, calls)


# ---- TLS on these ports ----


@test("[6120-5.4.3.1-4] without SNI the certificate is that of the 'to' in cleartext, else the default; tickets keep to it")
def _():
	names = ("one.test", "two.test")
	leaves = {name: pki().leaf(name, [name]) for name in ("default.test", *names)}
	address = lab.address(5222)
	Gate(lab, "many", certificates=list(map(certificate, leaves.values())), listeners=[
		listener("xmpp-client", address, leaves["default.test"], scripted().address, domains=[*names, "three.test"])])
	made = context(pki().root, check_hostname=False, maximum_version=ssl.TLSVersion.TLSv1_2)

	def shown(domain, session=None):
		client = Client(address)
		client.send(header(to=domain) + STARTTLS)
		contains(client.until(PROCEED), PROCEED)
		client.start_tls(made, None, session)
		return client.tls, ssl.DER_cert_to_PEM_cert(client.tls.getpeercert(True))

	def kept(name):
		with open(leaves[name].certificate, encoding="ascii") as file:
			return ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(file.read()))
	for name, wanted in (("one.test", "one.test"), ("TWO.test", "two.test"), ("three.test", "default.test")):
		equal(shown(name)[1], kept(wanted))
	first = shown("one.test")[0].session
	equal(shown("one.test", first)[0].session_reused, True)
	equal(shown("two.test", first)[0].session_reused, False)


@test("[XEP0368-3-9 XEP0368-3-10 9325-3.8-1 9325-3.2-1] ALPN: the port's own id is agreed to, a foreign one gets alert 120, none is fine")
def _():
	for role in ("xmpps-client", "xmpps-server", "xmpp-client"):
		own = role.replace("xmpps", "xmpp")
		for offered, selected in (([own], own), (["http/1.1", own], own), ([], None)):
			made = context(pki().root)
			if offered:
				made.set_alpn_protocols(offered)
			client = secured(role, tls_context=made)
			equal(client.tls.selected_alpn_protocol(), selected)
		made = context(pki().root)
		made.set_alpn_protocols(["xmpp-server" if own == "xmpp-client" else "xmpp-client", "imap"])
		try:
			secured(role, tls_context=made)
			raise AssertionError("a foreign ALPN was accepted")
		except ssl.SSLError as error:
			contains(str(error).upper().replace("_", " "), "NO APPLICATION PROTOCOL")


@test("[7590-3-1 6120-13.8-1 6120-13.9.5-1 XEP0368-6-1 6120-5.4.3.2-1] TLS below 1.2, SSL 2, RSA transport and CBC are refused on XMPP ports, too")
def _():
	hellos = [hello.client_hello(0x0301), hello.client_hello(0x0302), hello.sslv2_hello(),
		hello.client_hello(0x0303, (0x002F,)), hello.client_hello(0x0303, hello.CBC)]
	for role in ROLES:
		for data in hellos:
			if role.startswith("xmpps"):
				gate()
				client = Client(ADDRESS["scripted", role])
			else:
				client = opened(role)
				client.send(STARTTLS)
				client.until(b"/>")
			client.sock.sendall(data)
			client.ending()
			said = bytes(client.unread)
			equal(said == b"" or alert_of(said) in (40, 70), True)


@test("[7590-3.3-1] sessions are resumed on XMPP ports, by ticket, within one port only")
def _():
	made = context(pki().root, maximum_version=ssl.TLSVersion.TLSv1_2)
	first = secured("xmpps-client", tls_context=made)
	again = Client(ADDRESS["scripted", "xmpps-client"])
	again.start_tls(made, DOMAIN, session=first.tls.session)
	equal(again.tls.session_reused, True)
	other = Client(ADDRESS["scripted", "xmpps-server"])
	other.start_tls(made, DOMAIN, session=first.tls.session)
	equal(other.tls.session_reused, False)


@test("[6120-5.3.5-1 6120-5.3.5-2 6120-5.3.5-3] renegotiation is refused, and a client that tries it is disconnected without a stream error")
def _():
	keys, mark = lab.path("keys"), gate().mark()
	os.mkfifo(keys)
	os.chmod(keys, 0o666)
	client = lab.start("s_client", ["sh", "-c", f"exec openssl s_client -connect {ADDRESS['scripted', 'xmpps-client']} "
		f"-servername {DOMAIN} -tls1_2 -CAfile {pki().root} <{keys}"])
	with open(keys, "w", encoding="ascii") as file:
		file.write("R\n")
		file.flush()
		gate().wait_for("session-end", mark, reason="no renegotiation")
	client.wait()
	equal([line for line in client.lines if "<stream" in line], [])
	contains("\n".join(client.lines), "no renegotiation")


# ---- endings ----


@test("a backend that is not there: a stream error inside TLS, a line in the log")
def _():
	for role in CLIENTS:
		mark = gate().mark()
		client = secured(role, "dead")
		client.send(header(role))
		contains(client.until(END), b"<remote-connection-failed")
		equal(client.ending(), "close_notify")
		gate().wait_for("backend-failed", mark)


@test("a client that is slow to speak inside TLS is no fault of the backend")
def _():
	leaf = pki().leaf("slow", [DOMAIN])
	address = lab.address(5223)
	slow = Gate(lab, "slow", certificates=[certificate(leaf)], limits={"login_time": "1s"}, listeners=[
		listener("xmpps-client", address, leaf, {"address": scripted().address, "connect_time": "100ms"}, domains=[DOMAIN])])
	client = Client(address)
	client.start_tls(tls(), DOMAIN)
	contains(client.until(END), b"<connection-timeout")
	equal(client.ending(), "close_notify")
	client.close()
	equal(slow.wait_for("session-end")["end"], "deadline")
	equal(slow.events("backend-failed"), [])


@test("too many sessions: <resource-constraint/>, in cleartext and in TLS; we stop: <system-shutdown/>")
def _():
	leaf = pki().leaf("few", [DOMAIN])
	addresses = {role: lab.address(port) for role, port in ROLES.items()}
	few = Gate(lab, "few", server={"workers": 1}, certificates=[certificate(leaf)], limits={"sessions": 1}, listeners=[
		listener(role, addresses[role], leaf, scripted().address, domains=[DOMAIN]) for role in CLIENTS])
	only = Client(addresses["xmpp-client"])
	only.send(header())
	only.until(b"</stream:features>")
	for role in CLIENTS:
		client = Client(addresses[role])
		if role == "xmpps-client":
			client.start_tls(tls(), DOMAIN)
		contains(client.until(END), b"<resource-constraint")
		client.close()
	few.signal(signal.SIGTERM)
	contains(only.until(END), b"<system-shutdown")


@test("serve --check --connect opens a stream to each backend and says what is wrong")
def _():
	leaf = pki().leaf("checked", [DOMAIN])

	def check(target, role="xmpp-client", facts=None, domain=DOMAIN):
		checked = Gate(lab, "checked", mode="serve", before=["true"], wait=False, certificates=[certificate(leaf)],
			listeners=[listener(role, lab.address(5222), leaf, target, facts, domains=[domain])])
		done = gatepost(lab, "serve", "--check", "--connect", "-c", checked.config)
		return done.returncode, done.stdout

	for more in ((prosody().c2s,), (prosody().s2s, "xmpp-server"), (ejabberd().c2s, "xmpp-client", "proxy-v2")):
		status, text = check(*more)
		equal(status, 0)
		contains(text, "no errors")
	status, text = check(prosody().c2s, domain="foreign.test")
	equal(status != 0, True)
	contains(text, "refuses the stream")


run(lab)
