#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""STARTTLS and STLS on real sockets: what stands around the verb must never become a command inside TLS.

The backends are scripted and remember every byte, so that "the backend heard nothing" is a fact and not a guess.
"""

import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, pki, tls  # noqa: E402
import hello  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import contains, equal, run, test  # noqa: E402
from wire import Backend, Client, alert_of, by_starttls, imap_server, implicit, pop3_server  # noqa: E402

IMAP, POP3, IMAPS, POP3S = lab.address(1143), lab.address(1110), lab.address(1993), lab.address(1995)
# address, the verb with its line end, what agrees to it, and commands that somebody may inject
PROTOCOLS = (
	(IMAP, b"a STARTTLS\r\n", b"a OK", (b"b NOOP\r\n", b"b CAPABILITY\r\n", b"b LOGIN mallory x\r\n", b"b LOGOUT\r\n")),
	(POP3, b"STLS\r\n", b"+OK", (b"CAPA\r\n", b"USER mallory\r\nPASS x\r\n", b"QUIT\r\n", b"NOOP\r\n")),
)


@cache
def backends():
	return Backend(lab, imap_server), Backend(lab, pop3_server)


@cache
def gate():
	leaf = pki().leaf("mail", [NAME])
	imap, pop3 = backends()
	return Gate(lab, certificates=[certificate(leaf)], listeners=[
		listener("imap", IMAP, leaf, imap.address), listener("pop3", POP3, leaf, pop3.address),
		listener("imaps", IMAPS, leaf, imap.address), listener("pop3s", POP3S, leaf, pop3.address)])


def greeted(address, **more):
	gate()
	client = Client(address, **more)
	client.line()
	return client


def upgraded(address):
	"""A client that came into TLS as it should."""
	gate()
	return by_starttls(address, tls(), NAME)


def dialled():
	return [backend.count for backend in backends()]


def expect_injection(mark, address, client):
	"""The session ended without a word inside TLS, and the log knows why."""
	client.close()
	event = gate().wait_for("starttls-injection", mark, client=client.name)
	contains(event["listener"], "@" + address)
	end = gate().wait_for("session-end", mark, sid=event["sid"])
	equal(end["end"], "starttls-injection")


def inject(address, pieces, agreement):
	"""Send the pieces one by one; returns the client and all that the server ever said, which is clear text."""
	client = greeted(address)
	try:
		for piece in pieces:
			client.sock.sendall(piece)
		said = client.rest()
	except (ConnectionResetError, BrokenPipeError):
		said = b""
	equal(said.count(b"\r\n") <= 1, True)
	equal(said == b"" or said.startswith(agreement), True)
	return client


@test("[NST-B-1 NST-B-2 NST-B-3 9051-6.2.1-3] a command glued to the verb: closed, logged, counted, not heard by the backend")
def _():
	before, calls = gate().counter("starttls-injections"), dialled()
	for address, verb, agreement, commands in PROTOCOLS:
		for command in commands:
			mark = gate().mark()
			expect_injection(mark, address, inject(address, [verb + command], agreement))
	equal(gate().counter("starttls-injections"), before + 8)
	equal(dialled(), calls)


@test("[NST-B-1 NST-B-3] the same, cut into two segments at each byte")
def _():
	calls = dialled()
	for address, verb, agreement, commands in PROTOCOLS:
		text = verb + commands[0]
		for cut in range(1, len(text)):
			mark = gate().mark()
			expect_injection(mark, address, inject(address, [text[:cut], text[cut:]], agreement))
	equal(dialled(), calls)


@test("[NST-B-1] the same with lines that end in LF alone")
def _():
	calls = dialled()
	for address, verb, agreement, commands in PROTOCOLS:
		mark = gate().mark()
		text = (verb + commands[0]).replace(b"\r\n", b"\n")
		expect_injection(mark, address, inject(address, [text], agreement))
	equal(dialled(), calls)


@test("[NST-B-1 NST-B-2] bytes that come after the go-ahead and are no TLS: closed and logged")
def _():
	calls = dialled()
	for address, verb, agreement, commands in PROTOCOLS:
		mark = gate().mark()
		client = greeted(address)
		client.send(verb)
		contains(client.line(), agreement)
		client.send(commands[0])
		client.ending()
		equal(bytes(client.unread), b"")
		expect_injection(mark, address, client)
	equal(dialled(), calls)


@test("[NST-B-1] a command between the verb and a real ClientHello: no handshake")
def _():
	calls = dialled()
	for address, verb, agreement, commands in PROTOCOLS:
		mark = gate().mark()
		client = greeted(address)
		client.sock.sendall(verb + commands[0] + client.hello(tls(), NAME))
		try:
			said = client.rest()
		except ConnectionResetError:
			said = b""
		equal(b"\x16\x03" in said, False)
		expect_injection(mark, address, client)
	equal(dialled(), calls)


@test("[9051-6.2.1-3] the ClientHello in one segment with the verb: the handshake works")
def _():
	for address, verb, agreement, _ in PROTOCOLS:
		client = greeted(address)
		client.sock.sendall(verb + client.hello(tls(), NAME))
		contains(client.line(), agreement)
		client.finish_tls()
		expect_fresh(client, address)


@test("[9051-6.2.1-3] verb and ClientHello cut into two segments at each byte around the seam")
def _():
	for address, verb, agreement, _ in PROTOCOLS:
		for cut in range(1, len(verb) + 8):
			client = greeted(address)
			text = verb + client.hello(tls(), NAME)
			client.sock.sendall(text[:cut])
			client.sock.sendall(text[cut:])
			contains(client.line(), agreement)
			client.finish_tls()
			expect_fresh(client, address)


def expect_fresh(client, address):
	"""Inside TLS, before login: the next command is the first one that the backend hears."""
	if address in (IMAP, IMAPS):
		lines = client.imap("CAPABILITY")
		equal(len(lines), 2)
		contains(lines[0], b"* CAPABILITY")
		contains(lines[1], b" OK")
	else:
		status, text = client.pop_list("CAPA")
		contains(status, b"+OK")
		contains(text, b"UIDL")


@test("[2595-3.1-1 2595-4-2] the server says nothing between its go-ahead and the handshake, and none after it")
def _():
	for address, verb, agreement, _ in PROTOCOLS:
		client = greeted(address)
		client.send(verb)
		contains(client.line(), agreement)
		equal(bytes(client.unread), b"")
		client.start_tls(tls(), NAME)
		equal(bytes(client.unread), b"")
		expect_fresh(client, address)


@test("[9051-6.2.1-1 9051-6.2.1-2 2595-4-4] inside TLS the verb is refused: BAD, -ERR")
def _():
	for opened in (upgraded(IMAP), imaps_client()):
		contains(opened.imap("STARTTLS")[-1], b" BAD ")
		contains(opened.imap("NOOP")[-1], b" OK")
	for opened in (upgraded(POP3), pop3s_client()):
		contains(opened.pop("STLS"), b"-ERR")
		contains(opened.pop_list("CAPA")[0], b"+OK")


def imaps_client():
	gate()
	client = implicit(IMAPS, tls(), NAME)
	contains(client.line(), b"* OK")
	return client


def pop3s_client():
	gate()
	client = implicit(POP3S, tls(), NAME)
	contains(client.line(), b"+OK")
	return client


@test("[9051-6.2.1-4 2595-4-1] the verb is offered in cleartext only; inside TLS there is PLAIN instead")
def _():
	client = greeted(IMAP)
	contains(client.imap("CAPABILITY")[0], b" STARTTLS")
	for client in (upgraded(IMAP), imaps_client()):
		line = client.imap("CAPABILITY")[0]
		contains(line, b"AUTH=PLAIN")
		equal(b"STARTTLS" in line or b"LOGINDISABLED" in line, False)
	client = greeted(POP3)
	contains(client.pop_list("CAPA")[1], b"STLS\r\n")
	for client in (upgraded(POP3), pop3s_client()):
		text = client.pop_list("CAPA")[1]
		contains(text, b"SASL PLAIN")
		equal(b"STLS" in text, False)


@test("[NST-S-1] names, halves of logins and ID given in cleartext are forgotten inside TLS")
def _():
	client = greeted(POP3)
	client.pop("USER alice")
	contains(client.pop("STLS"), b"+OK")
	client.start_tls(tls(), NAME)
	client.pop("NOOP")
	client.pop_list("CAPA")
	equal(b"alice" in backends()[1].sessions[-1].heard, False)
	client = greeted(IMAP)
	client.imap('ID ("name" "sneaky")')
	client.imap("AUTHENTICATE PLAIN")
	contains(client.imap("STARTTLS")[-1], b"OK")
	client.start_tls(tls(), NAME)
	client.imap("NOOP")
	equal(b"sneaky" in backends()[0].sessions[-1].heard, False)


@test("[NST-S-2 2595-3.1-3 2595-4-3] after login the verb goes to the backend as any other, and TLS does not begin anew")
def _():
	client = upgraded(IMAP)
	contains(client.imap("LOGIN alice secret")[-1], b"OK")
	contains(client.imap("STARTTLS")[-1], b"OK done")
	contains(client.imap("NOOP")[-1], b"OK done")
	contains(backends()[0].sessions[-1].heard, b"STARTTLS")


@test("[NST-B-3] the backend is dialled after the handshake, not before, and hears only what was said in TLS")
def _():
	calls = dialled()
	client = greeted(IMAP)
	client.imap("CAPABILITY")
	client.imap("NOOP")
	contains(client.imap("STARTTLS")[-1], b"OK")
	equal(dialled(), calls)
	client.start_tls(tls(), NAME)
	contains(client.imap("NOOP")[-1], b"OK")
	equal(dialled(), [calls[0] + 1, calls[1]])
	equal(backends()[0].sessions[-1].heard, b"t4 NOOP\r\n")


@test("[NST-X-3] the chain of attacks: an attacker's login injected in cleartext does not swallow the victim's")
def _():
	calls = dialled()
	chain = b"a STARTTLS\r\nb LOGIN mallory x\r\nc APPEND INBOX {500}\r\n"
	inject(IMAP, [chain], b"a OK")
	inject(POP3, [b"STLS\r\nUSER mallory\r\nPASS x\r\n"], b"+OK")
	equal(dialled(), calls)
	client = greeted(IMAP)
	client.imap("LOGIN mallory x")
	contains(client.imap("STARTTLS")[-1], b"OK")
	client.start_tls(tls(), NAME)
	contains(client.imap("LOGIN alice secret")[-1], b"OK")
	equal(b"mallory" in backends()[0].sessions[-1].heard, False)


@test("[NST-X-1] HTTP inside TLS: closed at the verb, nothing reflected, nothing for the backend")
def _():
	for address in (IMAPS, POP3S):
		for verb in (b"GET", b"POST"):
			gate()
			client = implicit(address, tls(), NAME)
			client.line()
			client.send(verb + b" /<b>reflected HTTP/1.1\r\nHost: mail\r\n\r\n")
			client.ending()
			equal(b"reflected" in client.unread, False)
	for backend in backends():
		equal(any(b"reflected" in session.heard for session in backend.sessions), False)


@test("STARTTLS with arguments is refused, and the session goes on in cleartext")
def _():
	client = greeted(IMAP)
	contains(client.imap("STARTTLS now")[-1], b" BAD ")
	contains(client.imap("STARTTLS")[-1], b" OK ")
	client.start_tls(tls(), NAME)
	expect_fresh(client, IMAP)
	client = greeted(POP3)
	contains(client.pop("STLS now"), b"-ERR")
	contains(client.pop("STLS"), b"+OK")
	client.start_tls(tls(), NAME)
	expect_fresh(client, POP3)


@test("[2595-2.5-1 9051-11.1-5] a handshake that fails behind the go-ahead ends the session; nothing goes on in cleartext")
def _():
	calls = dialled()
	for address, verb, agreement, _ in PROTOCOLS:
		mark = gate().mark()
		client = greeted(address)
		client.send(verb)
		contains(client.line(), agreement)
		client.send(b"\x16\x03\x01\x00\x05NOOP\r\nNOOP\r\n")
		said = client.rest()
		equal(alert_of(said) is not None, True)
		client.close()
		gate().wait_for("tls-failed", mark, client=client.name)
		equal(gate().wait_for("session-end", mark, client=client.name)["end"], "tls-failed")
	equal(dialled(), calls)


@test("[8996-5-2 8996-4-3 9325-3.1.1-1] old hellos behind STARTTLS are refused as on a TLS port")
def _():
	for address, verb, agreement, _ in PROTOCOLS:
		for version in (0x0301, 0x0302):
			equal(alert_of(behind_verb(address, verb, agreement, hello.client_hello(version))), 70)
		mark = gate().mark()
		said = behind_verb(address, verb, agreement, hello.sslv2_hello())
		equal(said, b"")
		gate().wait_for("starttls-injection", mark)


def behind_verb(address, verb, agreement, bytes):
	with greeted(address) as client:
		client.send(verb)
		contains(client.line(), agreement)
		client.send(bytes)
		return client.rest()


run(lab)
