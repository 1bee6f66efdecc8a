#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients and backends that send byte by byte, in every phase of every role. A step ends at its time limit, however many
bytes come meanwhile. Content of a message, and what passes after login, must only keep coming. All rows run at once."""

import base64
import itertools
import socket
import sys
import threading
import time
from collections import namedtuple
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, leaf, pki, tls  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import Gone, equal, run, test  # noqa: E402
from smtpserver import SmtpServer, login, reply  # noqa: E402
from smtpserver import command as smtp  # noqa: E402
from wire import Backend, Client  # noqa: E402

DOMAIN = "example.test"
LIMIT_S, PAUSE_S = 2, 0.1
SURVIVES_S = 3 * LIMIT_S  # longer than any limit, with the half second in which a worker looks at its deadlines
PLAIN = base64.b64encode(b"\0alice\0secret").decode()
STREAM = ("<?xml version='1.0'?><stream:stream xmlns='jabber:{}' xmlns:stream='http://etherx.jabber.org/streams' {}='" + DOMAIN
	+ "' {} version='1.0'>")
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
HOST = lab.host()
ROLES = ("imap", "imaps", "pop3", "pop3s", "sieve", "smtp", "submission", "submissions", "https", "xmpp-client",
	"xmpps-client", "xmpp-server", "xmpps-server", "dripping-imaps", "dripping-submissions", "dripping-splice", "proxied")


# ---- backends: a login takes one exchange, the rest is silence ----


def imap(session):
	session.send(b"* OK hello\r\n")
	tag = session.line().split(b" ")[0]
	session.send(b"+ \r\n")
	session.line()
	session.send(tag + b" OK in\r\n")
	session.rest()


def pop3(session):
	session.send(b"+OK hello\r\n")
	session.line()
	session.send(b"+ \r\n")
	session.line()
	session.send(b"+OK in\r\n")
	session.rest()


def sieve(session):
	session.send(b'"IMPLEMENTATION" "x"\r\n"SASL" "PLAIN"\r\nOK "ready"\r\n')
	session.line()
	session.send(b'""\r\n')
	session.line()
	session.send(b'OK "in"\r\n')
	session.rest()


def xmpp(session):
	features = "<stream:features><mechanisms xmlns='" + SASL + "'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
	while True:
		session.until(b"<stream:stream")
		kind = "server" if b"jabber:server" in session.until(b">") else "client"
		session.send(STREAM.format(kind, "from", "id='b'") + features)
		if kind == "server" or not session.until(b"</auth>"):
			break
		session.send(f"<success xmlns='{SASL}'/>")
	session.rest()


def web(session):
	session.rest()


def drip_greeting(session):
	while True:
		session.send(b"*")
		time.sleep(PAUSE_S)


class DrippingSmtp(SmtpServer):
	"""Its answer to RSET never ends."""

	def talk(self, session):
		session.send(b"220 x\r\n")
		while line := session.line():
			if line.startswith(b"RSET"):
				for byte in itertools.cycle(b"250-x\r\n"):
					session.send(bytes([byte]))
					time.sleep(PAUSE_S)
			session.send(b"235 in\r\n" if line.startswith(b"AUTH") else b"250 AUTH PLAIN\r\n")


def drip_at_the_end(session):
	session.send(b"* OK hello\r\n")
	session.send(session.line().split(b" ")[0] + b" OK in\r\n")
	session.rest()
	for _ in range(int(SURVIVES_S / PAUSE_S)):
		session.send(b"x")
		time.sleep(PAUSE_S)
	session.send(b"end")


@cache
def gate():
	server = SmtpServer(lab, keeps=False).address
	behind = {"imap": imap, "pop3": pop3, "sieve": sieve, "https": web, "xmpp": xmpp, "dripping-imap": drip_greeting,
		"dripping-splice": drip_at_the_end, "proxied": imap}
	rows = []
	for role in ROLES:
		kind = role.split("-client")[0].split("-server")[0]
		script = behind.get(kind, behind.get(kind.removesuffix("s")))
		address = Backend(lab, script).address if script else DrippingSmtp(lab).address if "dripping" in role else server
		name = {"dripping-splice": "imaps", "proxied": "imaps"}.get(role, role.removeprefix("dripping-"))
		more = {"domains": [DOMAIN]} if "xmpp" in role else {"proxy_from": [HOST]} if role == "proxied" else {}
		rows.append(listener(name, where(role), xmpp_leaf() if "xmpp" in role else leaf(), address, **more))
	times = {name + "_time": f"{LIMIT_S}s" for name in ("handshake", "login", "command")}
	return Gate(lab, certificates=[certificate(leaf()), certificate(xmpp_leaf())], listeners=rows, server={"workers": 1},
		limits={"sessions_per_source": 1000, **times})


@cache
def xmpp_leaf():
	return pki().leaf("xmpp", [DOMAIN])


def where(role):
	return f"{HOST}:{3000 + ROLES.index(role)}"


# ---- how a client comes to each phase ----


def connect(role, **more):
	return Client(where(role), **more)


def cleartext(role):
	client = connect(role)
	if role == "sieve":
		client.until(b'OK "ready"\r\n')
	elif "xmpp" not in role:
		client.line()
	return client


def before_handshake(role):
	client = connect(role) if role.endswith(("s", "splice")) or role.startswith("xmpps") else cleartext(role)
	if role in ("imap", "pop3", "sieve"):
		client.send({"imap": "a STARTTLS\r\n", "pop3": "STLS\r\n", "sieve": "STARTTLS\r\n"}[role])
		client.line()
	elif role in ("smtp", "submission"):
		smtp(client, "STARTTLS", b"220")
	elif role.startswith("xmpp-"):
		client.send(STREAM.format(role.removeprefix("xmpp-"), "to", "from='x.test'"))
		client.until(b"</stream:features>")
		client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		client.until(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	return client


def in_tls(role):
	client = before_handshake(role)
	client.start_tls(tls(), DOMAIN if "xmpp" in role else NAME)
	if role == "sieve":
		client.until(b'OK "ready"\r\n')
	elif role.endswith(("imaps", "pop3s", "submissions")):
		client.line()
	return client


def in_exchange(role):
	client = in_tls(role)
	client.send({"imap": "a AUTHENTICATE PLAIN\r\n", "pop3": "AUTH PLAIN\r\n", "siev": 'AUTHENTICATE "PLAIN"\r\n'}[role[:4]])
	client.line()
	return client


def logged_in(role):
	client = in_exchange(role)
	client.send(f'"{PLAIN}"\r\n' if role == "sieve" else PLAIN + "\r\n")
	client.line()
	return client


def in_stream(role):
	"""XMPP behind the features."""
	client = in_tls(role)
	client.send(STREAM.format(role.split("-")[1], "to", "from='x.test'"))
	client.until(b"</stream:features>")
	return client


def in_session(role):
	client = in_stream(role)
	client.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{PLAIN}</auth>")
	client.until(b"/>")
	client.send(STREAM.format("client", "to", ""))
	client.until(b"</stream:features>")
	return client


def may_send(role):
	"""SMTP, ready for commands."""
	client = cleartext(role) if role == "smtp" else in_tls(role)
	if role == "smtp":
		smtp(client, "EHLO client.example", b"250")
	else:
		login(client)
	return client


def may_send_content(role):
	client = may_send(role)
	smtp(client, "MAIL FROM:<a@example.test>", b"250")
	smtp(client, "RCPT TO:<b@example.net>", b"250")
	return client


def in_data(role):
	client = may_send_content(role)
	smtp(client, "DATA", b"354")
	return client


def in_dropped_field(role):
	client = in_data(role)
	client.send("Require-TLS-ESMTP: ")
	return client


def in_chunk(role):
	client = may_send_content(role)
	client.send("BDAT 100000\r\n")
	return client


def before_answer(role):
	client = in_tls(role)
	login(client)
	client.send("RSET\r\n")
	return client


def half_closed(role):
	client = in_tls(role)
	client.line()
	client.imap("LOGIN alice secret")
	client.sock.shutdown(socket.SHUT_WR)
	return client


def unnamed(role):
	return connect(role, source=HOST)


# ---- the table ----

Row = namedtuple("Row", "what role begin text survives")
NOTHING = b""  # the other side drips


def each(roles, what, begin, text, survives=False):
	return [Row(what, role, begin, text, survives) for role in roles]


HELLO = None  # the row drips a ClientHello
ROWS = [
	*each(("imap", "pop3", "sieve", "smtp", "submission"), "a command in cleartext", cleartext, b"NOOP "),
	*each(("xmpp-client", "xmpp-server"), "a stream header in cleartext", cleartext, b"<stream:stream "),
	*each([role for role in ROLES[:13] if role != "https"] + ["https"], "a ClientHello", before_handshake, HELLO),
	*each(("imap", "imaps", "pop3", "pop3s", "sieve", "smtp", "submission", "submissions"), "a command in TLS", in_tls, b"NOOP "),
	*each(("xmpp-client", "xmpps-client", "xmpp-server", "xmpps-server"), "a stream header in TLS", in_tls, b"<stream:stream "),
	*each(("imaps", "pop3s", "sieve"), "an answer within SASL", in_exchange, b"YWJj"),
	*each(("xmpp-client", "xmpps-client"), "a login", in_stream, b"<auth "),
	*each(("smtp", "submission"), "[5321-4.5.3.2.7-1] a command of a settled session", may_send, b"NOOP "),
	*each(("smtp", "submission"), "a command within a mail", may_send_content, b"RCPT "),
	*each(("proxied",), "the header of a load balancer", unnamed, b"PROXY TCP4 127.0.0.1"),
	*each(("dripping-imaps",), "the backend's greeting", before_handshake, HELLO),
	*each(("dripping-submissions",), "the backend's answer", before_answer, NOTHING),
	*each(("smtp", "submission"), "a message", in_data, b"text ", True),
	*each(("submission",), "a field that is left out", in_dropped_field, b"text ", True),
	*each(("smtp", "submission"), "a chunk", in_chunk, b"text ", True),
	*each(("imaps", "pop3s", "sieve"), "what follows a login", logged_in, b"NOOP ", True),
	*each(("xmpp-client",), "what follows a login", in_session, b"<iq ", True),
	*each(("xmpp-server",), "what follows the features", in_stream, b"<iq ", True),
	*each(("https",), "a request", in_tls, b"GET / ", True),
	*each(("dripping-splice",), "answers to a client that has closed", half_closed, NOTHING, True),
]


class Drip(threading.Thread):
	"""Runs one row: .ended tells whether the server ended it, .longest_s the longest pause that the row itself made."""

	def __init__(self, row):
		super().__init__(daemon=True)
		self.row, self.failure = row, None

	def run(self):
		try:
			for _ in range(3):
				self.drip()
				if not self.row.survives or self.longest_s < LIMIT_S / 2:
					break
		except (OSError, Gone, AssertionError) as failure:
			self.failure = failure

	def drip(self):
		client, text = self.row.begin(self.row.role), self.row.text
		self.name, self.ended, self.longest_s = client.name, False, 0
		raw = text is HELLO or client.tls is None
		if text is HELLO:
			text = client.hello(tls(), NAME)
		client.sock.settimeout(PAUSE_S)
		begun = now = time.monotonic()
		patience = SURVIVES_S if self.row.survives else 10 * LIMIT_S
		letters = itertools.chain(text, itertools.repeat(text[-1:] and text[-1]))
		while now - begun < patience and not self.ended:
			try:
				if text:
					(client.sock.sendall if raw else client.send)(bytes([next(letters)]))
				self.ended = not client.fill()
			except TimeoutError:
				pass
			except OSError:
				self.ended = True
			now, last = time.monotonic(), now
			self.longest_s = max(self.longest_s, now - last)
		self.said = bytes(client.unread)
		client.close()


@cache
def drips():
	gate()
	made = [Drip(row) for row in ROWS]
	for drip in made:
		drip.start()
	return made


def expect(row):
	drip = drips()[ROWS.index(row)]
	drip.join()
	equal(drip.failure, None)
	if row.role == "dripping-splice":  # it may have come to its end
		equal(len(drip.said) > SURVIVES_S / PAUSE_S / 2, True)
		return
	equal(drip.ended, not row.survives)
	if row.role != "proxied":
		ended = gate().wait_for("session-end", client=drip.name)["end"]
		equal((ended, ended == "deadline"), (ended, not row.survives))


for each_row in ROWS:
	test(f"{each_row.what} ({each_row.role}): " + ("as long as bytes come" if each_row.survives else "no longer than its limit"))(
		lambda row=each_row: expect(row))

run(lab)
