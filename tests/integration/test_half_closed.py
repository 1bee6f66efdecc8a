#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that close their side and still listen: what they sent whole is done and answered, what they sent in part never
is. Real Postfix, Dovecot and Prosody behind every role, and scripted backends where a byte matters."""

import base64
import contextlib
import socket
import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, leaf, pki, tls  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import contains, equal, eventually, run, test  # noqa: E402
from postfix import Postfix  # noqa: E402
from smtpserver import SmtpServer, login, reply  # noqa: E402
from smtpserver import command as smtp  # noqa: E402
from wire import Backend, Client, context, imap_server  # noqa: E402
from xmpp import Prosody  # noqa: E402

DOMAIN = "example.test"
MESSAGE = b"Subject: x\r\n\r\nhello\r\n"
PLAIN = base64.b64encode(b"\0alice\0secret").decode()
HOST = lab.host()
PORTS = {"imaps": 1993, "imap": 1143, "pop3s": 1995, "sieve": 4190, "submissions": 1465, "smtp": 1025, "scripted": 2025,
	"slow": 2993, "https": 1443, "xmpps-client": 5223}


@cache
def sink():
	"""Where Postfix sends on."""
	return SmtpServer(lab)


@cache
def server():
	return SmtpServer(lab)


@cache
def slow():
	"""IMAP that answers nothing but the login before the client has closed, and then much."""
	return Backend(lab, reads_to_the_end)


def reads_to_the_end(session):
	session.send(b"* OK hello\r\n")
	session.send(session.line().split()[0] + b" OK in\r\n")
	session.rest()
	session.send(b"* " + b"x" * 3000000 + b"\r\n")
	session.send(b"z OK done\r\n")


@cache
def web():
	return Backend(lab, lambda session: (session.until(b"\r\n\r\n"), session.rest(),
		session.send(b"HTTP/1.0 200 OK\r\n\r\n" + b"y" * 100000)))


@cache
def gate():
	dovecot = Dovecot(lab, pki(), trusted="127.0.0.0/8")
	dovecot.deliver("alice", MESSAGE)
	postfix = Postfix(lab, sink().address, sasl=dovecot.port("auth"), domains="example.net")
	prosody = Prosody(lab, pki(), DOMAIN)
	xmpp_leaf = pki().leaf("xmpp", [DOMAIN])
	behind = {"imaps": dovecot.port("imap-proxy"), "imap": dovecot.port("imap-proxy"), "pop3s": dovecot.port("pop3-proxy"),
		"sieve": dovecot.port("sieve-proxy"), "submissions": postfix.port("proxy"), "smtp": postfix.port("proxy")}
	rows = [listener(role, where(role), leaf(), address, "proxy-v2") for role, address in behind.items()]
	rows += [listener("smtp", where("scripted"), leaf(), server().address),
		listener("imaps", where("slow"), leaf(), slow().address), listener("https", where("https"), leaf(), web().address),
		listener("xmpps-client", where("xmpps-client"), xmpp_leaf, prosody.c2s, domains=[DOMAIN])]
	return Gate(lab, certificates=[certificate(leaf()), certificate(xmpp_leaf)], listeners=rows, server={"workers": 1})


def where(kind):
	return f"{HOST}:{PORTS[kind]}"


# ---- how a client ends ----


def fin(client):
	client.sock.shutdown(socket.SHUT_WR)


def both(client):
	client.say_goodbye()
	fin(client)


ENDS = {"close_notify": Client.say_goodbye, "FIN": fin, "close_notify and FIN": both}
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def ways():
	"""Each end in each version of TLS."""
	for version in VERSIONS:
		for end in ENDS.values():
			yield context(pki().root, minimum_version=version, maximum_version=version), end


def connect(kind, tls_context=None, name=NAME):
	gate()
	client = Client(where(kind))
	client.start_tls(tls_context or tls(), name)
	return client


def answers(client):
	"""All that comes, and that it ends in order."""
	equal(client.ending(), "close_notify")
	return bytes(client.unread)


def ready_for_content(kind, tls_context=None, in_tls=True):
	"""A client of SMTP that may send its message."""
	gate()
	if in_tls and kind == "submissions":
		client = connect(kind, tls_context)
		reply(client, b"220")
		login(client)
	else:
		client = Client(where(kind))
		reply(client, b"220")
		smtp(client, "EHLO client.example", b"250")
		if in_tls:
			smtp(client, "STARTTLS", b"220")
			client.start_tls(tls_context or tls(), NAME)
			smtp(client, "EHLO client.example", b"250")
	smtp(client, "MAIL FROM:<a@example.test>", b"250")
	smtp(client, "RCPT TO:<b@example.net>", b"250")
	return client


# ---- SMTP ----


@test("[5246-7.2.1-1] Postfix: a client that has closed behind its message gets the reply, however it closed, in TLS 1.2 and 1.3")
def _():
	for kind in ("submissions", "smtp"):
		for tls_context, end in ways():
			count = len(sink().mails)
			client = ready_for_content(kind, tls_context)
			smtp(client, "DATA", b"354")
			client.send(MESSAGE + b".\r\n")
			end(client)
			contains(answers(client), b"250 2.0.0 Ok: queued")
			client.close()
			contains(bytes(sink().wait_mail(count + 1).data), b"\r\n\r\nhello\r\n")


@test("Postfix: the same in cleartext, for DATA and for BDAT")
def _():
	for command in ("DATA", f"BDAT {len(MESSAGE)} LAST"):
		count = len(sink().mails)
		client = ready_for_content("smtp", in_tls=False)
		if command == "DATA":
			smtp(client, command, b"354")
			client.send(MESSAGE + b".\r\n")
		else:
			client.send(command.encode() + b"\r\n" + MESSAGE)
		fin(client)
		contains(client.rest(), b"250 2.0.0 Ok: ")
		client.close()
		sink().wait_mail(count + 1)


@test("Postfix: a whole session in one piece, and the end behind it: every command is answered, the mail arrives")
def _():
	session = (f"EHLO client.example\r\nAUTH PLAIN {PLAIN}\r\nMAIL FROM:<a@example.test>\r\nRCPT TO:<b@example.net>\r\n"
		"DATA\r\n").encode() + MESSAGE + b".\r\nQUIT\r\n"
	for tls_context, end in ways():
		count = len(sink().mails)
		client = connect("submissions", tls_context)
		reply(client, b"220")  # OpenSSL's client fails when it meets answers in the middle of its own end
		client.send(session)
		end(client)
		codes = [line[:3] for line in answers(client).splitlines() if line[3:4] == b" "]
		equal(codes, [b"250", b"235", b"250", b"250", b"354", b"250", b"221"])
		client.close()
		sink().wait_mail(count + 1)


@test("Postfix as an MX, in cleartext: the same, and the backend is called for it")
def _():
	gate()
	count = len(sink().mails)
	with Client(where("smtp")) as client:
		said = client.say_all(b"EHLO client.example\r\nMAIL FROM:<a@example.test>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n" + MESSAGE
			+ b".\r\nMAIL FROM:<c@exam")
	codes = [line[:3] for line in said.splitlines() if line[3:4] == b" "]
	equal(codes, [b"220", b"250", b"250", b"250", b"354", b"250"])
	sink().wait_mail(count + 1)


@test("[NST-D-3] a message or chunk that has not ended is never completed, and its client hears nothing good")
def _():
	for tls_context, end in ways():
		for command, part in (("DATA", b"Subject: half\r\n\r\nof it\r\n."), ("BDAT 100 LAST", b"Subject: half\r\n"),
				("DATA", b"Subject: half\r\n\r\nof it\r\n.\r")):
			mark, count = gate().mark(), len(server().mails)
			client = ready_for_content("scripted", tls_context)
			client.send(command + "\r\n")
			if command == "DATA":
				reply(client, b"354")
			client.send(part)
			end(client)
			equal(answers(client), b"")
			client.close()
			ended = gate().wait_for("session-end", mark, client=client.name)
			equal(ended["end"], "truncated" if end is fin else "client-closed")
			session = server().sessions[-1]
			eventually(lambda session=session: session.over or session.failure, "the end at the backend")
			equal(len(server().mails), count)


# ---- what costs no connection ----


def leave_at_once(client, tls_context, text):
	"""Finish the handshake, say this and close, all in one segment."""
	client.sock.sendall(client.hello(tls_context, NAME))
	while True:
		client.into.write(client.sock.recv(65536))
		with contextlib.suppress(ssl.SSLWantReadError):
			client.tls_next.do_handshake()
			break
	client.tls = client.tls_next
	if text:
		client.tls.write(text)
	with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLError):
		client.tls.unwrap()
	client.sock.sendall(client.out_of.read())


@test("a client that is gone when its handshake ends, without a whole command, costs no connection to a backend")
def _():
	for kind, backend in (("slow", slow()), ("https", web())):
		gate()
		count, mark = backend.count, gate().mark()
		for text in (b"",) if kind == "https" else (b"", b"a NOOP"):
			with Client(where(kind)) as client:
				leave_at_once(client, tls(), text)
				client.rest()
			gate().wait_for("session-end", mark, client=client.name, end="client-closed")
		equal(backend.count, count)


@test("... with a whole one it gets its answer")
def _():
	gate()
	with Client(where("imaps")) as client:
		leave_at_once(client, tls(), b"a NOOP\r\nb NOO")
		said = client.rest()
		contains(said, b"* OK")
		contains(said, b"a OK")
		equal(b"b " in said, False)


# ---- the other roles ----


SESSIONS = {
	"imaps": (b"a CAPABILITY\r\nb LOGIN alice secret\r\nc SELECT INBOX\r\nd FETCH 1 BODY[]\r\n", b"d OK"),
	"pop3s": (b"CAPA\r\nUSER alice\r\nPASS secret\r\nRETR 1\r\n", b"\r\n.\r\n"),
	"xmpps-client": (f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
		f"to='{DOMAIN}' version='1.0'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{PLAIN}</auth><iq".encode(),
		b"<success"),
	"https": (b"GET / HTTP/1.0\r\n\r\n", b"y" * 100000)}


@test("Dovecot, Prosody and a web server: what came whole is answered; the session then ends in order")
def _():
	for kind, (session, last) in SESSIONS.items():
		for tls_context, end in ways():
			client = connect(kind, tls_context, DOMAIN if kind == "xmpps-client" else NAME)
			if kind in ("imaps", "pop3s"):
				contains(client.line(), b"OK")
			client.send(session)
			end(client)
			contains(answers(client), last)
			client.close()


@test("ManageSieve behind STARTTLS, the same")
def _():
	for tls_context, end in ways():
		gate()
		client = Client(where("sieve"))
		client.until(b"OK \"ready\"\r\n")
		client.send("STARTTLS\r\n")
		client.line()
		client.start_tls(tls_context, NAME)
		client.until(b"OK \"Dovecot")
		client.line()
		client.send(f'CAPABILITY\r\nAUTHENTICATE "PLAIN" "{PLAIN}"\r\nLISTSCRIPTS\r\n')
		end(client)
		contains(answers(client), b"OK \"Listscripts completed.\"")
		client.close()


@test("after login the backend sees the end, and what it says then flows to its end")
def _():
	for tls_context, end in ways():
		client = connect("slow", tls_context)
		contains(client.line(), b"* OK")
		contains(client.imap("LOGIN alice secret")[-1], b"OK")
		client.send("z FETCH 1:* BODY[]\r\n")
		end(client)
		said = answers(client)
		equal((len(said), said[-11:]), (3000000 + 4 + 11, b"z OK done\r\n"))
		client.close()


@test("in cleartext a command that came whole is answered, and nothing else is")
def _():
	gate()
	with Client(where("imap")) as client:
		said = client.say_all(b"a NOOP\r\nb CAPABILITY\r\nc NOO")
		contains(said, b"b OK")
		equal(b"c " in said, False)


run(lab)
