#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ManageSieve through gatepost to a real Dovecot Pigeonhole."""

import base64
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, pki  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import command, contains, equal, run, test  # noqa: E402
from wire import Backend, Client, context  # noqa: E402

SOURCE, GATE = lab.host(), lab.host()
PORTS = {"xclient": 4190, "proxy-v2": 5190, "none": 6190}
SCRIPTED = 7190
PASSWORD = base64.b64encode(b"\0alice\0secret").decode()


@cache
def dovecot():
	return Dovecot(lab, pki(), trusted="127.0.0.0/8")


@cache
def gate():
	leaf = pki().leaf("mail", [NAME])
	rows = [listener("sieve", f"{GATE}:{port}", leaf, dovecot().port("sieve-proxy" if kind == "proxy-v2" else "sieve"), kind)
		for kind, port in PORTS.items()]
	rows.append(listener("sieve", f"{GATE}:{SCRIPTED}", leaf, Backend(lab, forgetful).address))
	return Gate(lab, certificates=[certificate(leaf)], listeners=rows)


def forgetful(session):
	"""A server that knows UNAUTHENTICATE, as Pigeonhole does not; every login is good."""
	offer = b'"IMPLEMENTATION" "x"\r\n"SASL" "PLAIN"\r\n"UNAUTHENTICATE"\r\n"VERSION" "1.0"\r\nOK\r\n'
	session.send(offer)
	while verb := session.line().upper().split(b" ")[0]:
		session.send(offer if verb == b"CAPABILITY" else b'OK "%s"\r\n' % verb)


def answer(client):
	"""Lines up to OK, NO or BYE."""
	lines = [client.line()]
	while not client.over and not lines[-1].startswith((b"OK", b"NO", b"BYE")):
		lines.append(client.line())
	return lines


def ask(client, text):
	client.send(text + "\r\n")
	return answer(client)


def connect(kind, in_tls=True):
	gate()
	client = Client(f"{GATE}:{PORTS.get(kind, SCRIPTED)}", source=SOURCE)
	client.greeting = answer(client)
	if in_tls:
		equal(ask(client, "STARTTLS")[-1], b'OK "Begin TLS negotiation now"')
		client.start_tls(context(pki().root), NAME)
		client.capabilities = answer(client)
	return client


@test("[5804-1.7-1 5804-1.7-5] the clear greeting: SASL is empty, STARTTLS is there, VERSION, SIEVE and IMPLEMENTATION too")
def _():
	with connect("none", False) as client:
		lines = b"\n".join(client.greeting)
		for line in (b'"SASL" ""', b'"STARTTLS"', b'"VERSION" "1.0"', b'"SIEVE" ', b'"IMPLEMENTATION" '):
			contains(lines, line)


@test("[5804-1.3-1] a login in cleartext: ENCRYPT-NEEDED, and a log line without the password")
def _():
	gate()
	mark = gate().mark()
	with connect("none", False) as client:
		contains(ask(client, f'AUTHENTICATE "PLAIN" "{PASSWORD}"')[-1], b"NO (ENCRYPT-NEEDED)")
	event = gate().wait_for("cleartext-login-refused", mark, user="alice")
	equal(PASSWORD in event.text or "secret" in event.text, False)


@test("[5804-2.2-1 5804-2.2-2 5804-1.7-3] scripts are stored and listed within TLS, with facts told in each way")
def _():
	for kind in PORTS:
		with connect(kind) as client:
			lines = b"\n".join(client.capabilities)
			contains(lines, b"fileinto")
			for word in (b"STARTTLS", b"XCLIENT", b"UNAUTHENTICATE"):
				equal(word in lines, False)
			mark = dovecot().mark()
			contains(ask(client, f'AUTHENTICATE "PLAIN" "{PASSWORD}"')[-1], b"OK")
			contains(ask(client, 'PUTSCRIPT "mine" {6+}\r\nkeep;\n')[-1], b"OK")
			contains(b"\n".join(ask(client, "LISTSCRIPTS")), b'"mine"')
			contains(ask(client, "LOGOUT")[-1], b"OK")
			line = dovecot().wait_log("managesieve-login: Info: Login: user=<alice>", since=mark)
			equal(f"rip={SOURCE}," in line, kind != "none")


@test("a wrong password gets the backend's words and a log line; then the right one, as a literal")
def _():
	with connect("xclient") as client:
		mark = gate().mark()
		wrong = base64.b64encode(b"\0alice\0wrong").decode()
		contains(ask(client, f'AUTHENTICATE "PLAIN" "{wrong}"')[-1], b"NO")
		gate().wait_for("login-failed", mark, user="alice")
		contains(ask(client, f'AUTHENTICATE "PLAIN" {{{len(PASSWORD)}+}}\r\n{PASSWORD}')[-1], b"OK")
		gate().wait_for("login", mark, user="alice")


@test("[5804-2.1-1] \"*\" cancels a login with NO; after login a second one gets NO")
def _():
	for kind in PORTS:
		with connect(kind) as client:
			client.send('AUTHENTICATE "PLAIN"\r\n')
			challenge = client.line()
			if challenge != b'""':
				equal((challenge, client.line()), (b"{0}", b""))
			contains(ask(client, '"*"')[-1], b"NO")
			contains(ask(client, f'AUTHENTICATE "PLAIN" "{PASSWORD}"')[-1], b"OK")
			contains(ask(client, f'AUTHENTICATE "PLAIN" "{PASSWORD}"')[-1], b"NO")


@test("[5804-2.14.1-1] UNAUTHENTICATE is not offered before login; after it the backend's answer passes, and TLS stays")
def _():
	with connect("scripted") as client:
		equal(b"UNAUTHENTICATE" in b"\n".join(client.capabilities), False)
		contains(ask(client, f'AUTHENTICATE "PLAIN" "{PASSWORD}"')[-1], b"OK")
		contains(b"\n".join(ask(client, "CAPABILITY")), b"UNAUTHENTICATE")
		for verb in ("UNAUTHENTICATE", "NOOP", f'AUTHENTICATE "PLAIN" "{PASSWORD}"', "NOOP"):
			equal(ask(client, verb), [b'OK "%s"' % verb.split()[0].encode()])


@test("[NST-B-1 7457-2.2-1] commands glued to STARTTLS: closed, logged")
def _():
	gate()
	mark = gate().mark()
	with connect("none", False) as client:
		client.send(f'STARTTLS\r\nAUTHENTICATE "PLAIN" "{PASSWORD}"\r\n')
		answer(client)
		equal(client.rest(), b"")
	gate().wait_for("starttls-injection", mark)


@test("openssl s_client -starttls sieve gets through")
def _():
	gate()
	done = command("openssl", "s_client", "-connect", f"{GATE}:{PORTS['none']}", "-starttls", "sieve", "-CAfile",
		pki().root, "-verify_hostname", NAME, "-verify_return_error", "-servername", NAME, "-quiet",
		input=f'AUTHENTICATE "PLAIN" "{PASSWORD}"\r\nLOGOUT\r\n')
	contains(done.stdout, 'OK "Logged in."')


run(lab)
