#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every way to log in to a real Dovecot through gatepost, and what a session is before, during and after it."""

import base64
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, pki, tls  # noqa: E402
import mails  # noqa: E402
from dovecot import PASSWORDS, Dovecot  # noqa: E402
from gate import Gate, certificate, listener, parse_event  # noqa: E402
from lab import contains, equal, run, test  # noqa: E402
from wire import Client, by_starttls, context, implicit  # noqa: E402

ADDRESSES = {role: lab.address(port) for role, port in
	(("imaps", 1993), ("imap", 1143), ("pop3s", 1995), ("pop3", 1110))}


@cache
def dovecot():
	made = Dovecot(lab, pki())
	made.deliver("alice", mails.plain())
	made.deliver("alice", mails.multipart())
	return made


@cache
def gate():
	leaf = pki().leaf("mail", [NAME])
	return Gate(lab, certificates=[certificate(leaf)], listeners=[
		listener(role, address, leaf, dovecot().port(role.removesuffix("s") + "-proxy"), "proxy-v2")
		for role, address in ADDRESSES.items()])


@cache
def tls_with_certificate():
	"""Of a client that has a certificate, should anybody ask."""
	made, leaf = context(pki().root), pki().leaf("client", ["alice"])
	made.load_cert_chain(leaf.chain, leaf.key)
	return made


def client(role, tls_context=None):
	"""Inside TLS, the greeting read."""
	gate()
	made = (implicit if role.endswith("s") else by_starttls)(ADDRESSES[role], tls_context or tls(), NAME)
	if role.endswith("s"):
		contains(made.line(), b"OK")
	return made


def plain(user="alice", password=None):
	return base64.b64encode(f"\0{user}\0{password or PASSWORDS[user]}".encode()).decode()


def lines(*texts):
	return "".join(text + "\r\n" for text in texts)


def expect_mailbox(made):
	"""Logged in: the mailbox is there."""
	answer = made.imap("STATUS INBOX (MESSAGES)")
	contains(b" ".join(answer), b"MESSAGES 2")


# ---- IMAP ----


@test("[9051-6.2.2-4] IMAP: LOGIN as atoms, quoted, with literals of both kinds; AUTHENTICATE with and without response")
def _():
	ways = (
		lines("a LOGIN alice secret"),
		lines('a LOGIN "alice" "secret"'),
		lines("a LOGIN {5+}", "alice {6+}", "secret"),
		lines('a LOGIN alice {6+}', "secret"),
		lines("a AUTHENTICATE PLAIN " + plain()))
	for role in ("imaps", "imap"):
		for text in ways:
			with client(role) as made:
				made.send(text)
				contains(made.imap_answer("a")[-1], b"a OK")
				expect_mailbox(made)


@test("IMAP: LOGIN with literals that wait for a go-ahead, and AUTHENTICATE LOGIN in three rounds")
def _():
	for role in ("imaps", "imap"):
		with client(role) as made:
			for text in ("a LOGIN {5}", "alice {6}"):
				made.send(text + "\r\n")
				contains(made.line(), b"+ ")
			made.send("secret\r\n")
			contains(made.imap_answer("a")[-1], b"a OK")
			expect_mailbox(made)
		with client(role) as made:
			made.send("a AUTHENTICATE LOGIN\r\n")
			for word in ("alice", "secret"):
				contains(made.line(), b"+ ")
				made.send(base64.b64encode(word.encode()) + b"\r\n")
			contains(made.imap_answer("a")[-1], b"a OK")
			expect_mailbox(made)


@test("[9051-6.2.2-2] IMAP: a cancelled or unreadable exchange gets a tagged BAD, and a new one may follow")
def _():
	with client("imaps") as made:
		for answer in ("*", "=AAA", "AAA=BBB"):
			made.send("a AUTHENTICATE PLAIN\r\n")
			contains(made.line(), b"+ ")
			made.send(answer + "\r\n")
			said = made.imap_answer("a")[-1]
			equal((answer, said.split()[1]), (answer, b"BAD"))
		made.send(lines("a AUTHENTICATE PLAIN", plain()))
		contains(made.imap_answer("a")[-1], b"a OK")
		expect_mailbox(made)


@test("[9051-11.7-1] IMAP and POP3: an unknown user and a wrong password get the same words")
def _():
	with client("imaps") as one, client("imaps") as other:
		equal(one.imap("LOGIN alice wrong")[-1], other.imap("LOGIN nobody-here wrong")[-1])
	with client("pop3s") as one, client("pop3s") as other:
		equal(one.pop("USER alice"), other.pop("USER nobody-here"))
		equal(one.pop("PASS wrong"), other.pop("PASS wrong"))


@test("[8314-3.2-4 2595-3.1-4 9051-6.2.1-5] IMAP: a session begins without a user, with a client certificate or without")
def _():
	for role, context_of in ((role, make) for role in ("imaps", "imap") for make in (tls, tls_with_certificate)):
		with client(role, context_of()) as made:
			for command in ("SELECT INBOX", "STATUS INBOX (MESSAGES)", 'LIST "" *', "LOGOUTS"):
				contains(made.imap(command)[-1], b" BAD ")
			contains(made.imap("LOGIN alice secret")[-1], b"OK")
			expect_mailbox(made)


@test("IMAP: everything in one go, the login in the middle: each command is answered, in order, once")
def _():
	for role in ("imaps", "imap"):
		with client(role) as made:
			made.send(lines("a NOOP", "b CAPABILITY", "c LOGIN alice secret", "d SELECT INBOX", "e FETCH 1:2 BODY.PEEK[]",
				"f NOOP", "g LOGOUT"))
			for tag in "abcdefg":
				contains(made.imap_answer(tag)[-1], tag.encode() + b" OK")
			equal(made.ending(), "close_notify")


@test("IMAP: byte by byte, with the login in the middle")
def _():
	with client("imap") as made:
		for byte in lines("a NOOP", "b LOGIN {5+}", "alice {6+}", "secret", "c STATUS INBOX (MESSAGES)"):
			made.send(byte)
		for tag in "abc":
			contains(made.imap_answer(tag)[-1], tag.encode() + b" OK")


@test("IMAP: after login IDLE tells of new mail, and an APPEND of 5 MiB is stored as it was sent")
def _():
	with client("imaps") as idler, client("imaps") as writer:
		for made in (idler, writer):
			contains(made.imap("LOGIN bob hush")[-1], b"OK")
			contains(made.imap("SELECT INBOX")[-1], b"OK")
		idler.send("i IDLE\r\n")
		contains(idler.line(), b"+ ")
		message = b"Subject: appended\r\n\r\n" + (b"x" * 70 + b"\r\n") * (5 << 20 >> 6)
		writer.send(f"w APPEND INBOX {{{len(message)}+}}\r\n".encode() + message + b"\r\n")
		contains(writer.imap_answer("w")[-1], b"w OK")
		contains(idler.line(), b"* 1 EXISTS")
		idler.send("DONE\r\n")
		contains(idler.imap_answer("i")[-1], b"i OK")
		equal(idler.fetch("FETCH 1 BODY.PEEK[]") == message, True)


@test("IMAP: what is offered after login is the backend's, without what a proxy cannot keep")
def _():
	with client("imaps") as made:
		code = made.imap("LOGIN alice secret")[-1]
		after = made.imap("CAPABILITY")[0]
	for text in (code, after):
		equal(b"STARTTLS" in text or b"LOGINDISABLED" in text or b"UNAUTHENTICATE" in text, False)
		for word in (b"IDLE", b"MOVE", b"NAMESPACE"):
			contains(text, word)


@test("[2595-3.1-3 NST-S-2] IMAP: STARTTLS after login is refused by the backend, and the session goes on")
def _():
	with client("imaps") as made:
		made.imap("LOGIN alice secret")
		contains(made.imap("STARTTLS")[-1], b" BAD ")
		expect_mailbox(made)


@test("IMAP and POP3: whatever stands in a name, it cannot forge a line of the log")
def _():
	forged = "x\r\n2026-01-01T00:00:00.000Z info edge login sid=1 user=root"
	mark = gate().mark()
	with client("imaps") as made:
		made.send(f"a LOGIN {{{len(forged)}+}}\r\n{forged} {{1+}}\r\nx\r\n")
		contains(made.imap_answer("a")[-1], b"a ")
		made.imap('LOGIN "a b\\"c" "\\\\"')
	with client("pop3s") as made:
		made.pop("AUTH PLAIN " + base64.b64encode(b"\0al\x1bice\nroot\0x").decode())
		made.pop("USER al ice=\"x\"")
		made.pop("PASS x")
	gate().wait_for("login-failed", mark, user='al ice="x"')
	gate().wait_for("login-failed", mark, user='a b"c')
	equal([event.text for event in gate().events("login", mark)], [])
	for line in gate().lines[mark:]:
		equal((line, parse_event(line) is not None), (line, True))


# ---- POP3 ----


@test("[2595-4-1] POP3: CAPA in TLS and after login lists no STLS")
def _():
	for role in ("pop3s", "pop3"):
		with client(role) as made:
			contains(made.pop_list("CAPA")[1], b"SASL PLAIN")
			contains(made.pop("USER alice"), b"+OK")
			contains(made.pop("PASS secret"), b"+OK")
			text = made.pop_list("CAPA")[1]
			contains(text, b"UIDL")
			equal(b"STLS" in text, False)


@test("[5034-3-1] POP3: CAPA lists mechanisms in TLS, none in cleartext; after login it is the backend's")
def _():
	gate()
	with Client(ADDRESSES["pop3"]) as made:
		made.line()
		equal(sasl(made), None)
		contains(made.pop("STLS"), b"+OK")
		made.start_tls(tls(), NAME)
		equal(sasl(made), [b"PLAIN", b"LOGIN"])
		contains(made.pop("AUTH PLAIN " + plain()), b"+OK")
		with Client(dovecot().port("pop3")) as direct:
			direct.line()
			contains(direct.pop("AUTH PLAIN " + plain()), b"+OK")
			equal(made.pop_list("CAPA"), direct.pop_list("CAPA"))


def sasl(made):
	"""The mechanisms that CAPA lists, None without such a line."""
	found = [line.split()[1:] for line in made.pop_list("CAPA")[1].splitlines() if line.startswith(b"SASL")]
	return found[0] if found else None


@test("[5034-4-2 5034-4-5] POP3: AUTH with and without response, cancelled, unreadable, empty, and longer than a line")
def _():
	with client("pop3s") as made:
		for answer in ("*", "====", "not base64"):
			contains(made.pop("AUTH PLAIN"), b"+ ")
			contains(made.pop(answer), b"-ERR")
		contains(made.pop("AUTH PLAIN ="), b"-ERR")
		contains(made.pop("AUTH PLAIN " + plain("alice", "x" * 200)), b"-ERR")
		contains(made.pop("AUTH PLAIN"), b"+ ")
		contains(made.pop(plain("alice", "x" * 600)), b"-ERR")
		contains(made.pop("AUTH PLAIN"), b"+ ")
		contains(made.pop(plain()), b"+OK")
		contains(made.pop("STAT"), b"+OK 2 ")


@test("[5034-4-1 2595-4-3] POP3: after login there is neither a second AUTH nor STLS")
def _():
	for role in ("pop3s", "pop3"):
		with client(role) as made:
			contains(made.pop("AUTH PLAIN " + plain()), b"+OK")
			contains(made.pop("AUTH PLAIN " + plain()), b"-ERR")
			contains(made.pop("STLS"), b"-ERR")
			contains(made.pop("STAT"), b"+OK 2 ")


@test("[8314-3.1-4] POP3: a session begins in AUTHORIZATION, with a client certificate or without")
def _():
	for role, context_of in ((role, make) for role in ("pop3s", "pop3") for make in (tls, tls_with_certificate)):
		with client(role, context_of()) as made:
			for command in ("STAT", "LIST", "RETR 1", "DELE 1"):
				contains(made.pop(command), b"-ERR")
			contains(made.pop("USER alice"), b"+OK")
			contains(made.pop("STAT"), b"-ERR")
			contains(made.pop("PASS secret"), b"+OK")
			contains(made.pop("STAT"), b"+OK 2 ")


@test("POP3: everything in one go, and byte by byte; lines that begin with dots arrive as they are")
def _():
	text = lines("CAPA", "USER alice", "PASS secret", "STAT", "RETR 1", "QUIT")
	for role in ("pop3s", "pop3"):
		for pieces in ([text], text):
			with client(role) as made:
				for piece in pieces:
					made.send(piece)
				contains(made.until(b"\r\n.\r\n"), b"SASL PLAIN")
				for word in (b"+OK", b"+OK", b"+OK 2 ", b"+OK"):
					contains(made.line(), word)
				contains(made.until(b"\r\n.\r\n"), b"\r\n..A line that begins with a dot.\r\n..\r\n")
				contains(made.line(), b"+OK")
				equal(made.ending(), "close_notify")


STATES = {
	"session": ["new -> cleartext", "cleartext -> handshake", "handshake -> connecting", "connecting -> talking", "talking -> spliced",
		"spliced -> closing"],
	"engine": ["new -> cleartext", "cleartext -> handshake", "handshake -> dial", "dial -> greeting", "greeting -> ready",
		"ready -> command", "command -> ready", "ready -> done"],
}


@test("with log.level = \"debug\" a session can be read from accept to end; without it no state is logged")
def _():
	leaf, address = pki().leaf("debug", [NAME]), lab.address(2143)
	debug = Gate(lab, "debug", log={"level": "debug"}, certificates=[certificate(leaf)],
		listeners=[listener("imap", address, leaf, dovecot().port("imap-proxy"), "proxy-v2")])
	with by_starttls(address, tls(), NAME) as session:
		session.send("a LOGIN alice secret\r\n")
		contains(session.imap_answer("a")[-1], b"a OK")
		session.send("b LOGOUT\r\n")
		contains(session.rest(), b"b OK")
	sid = debug.wait_for("session-end")["sid"]
	seen = [event for event in debug.events("session-state") if event["sid"] == sid]
	for machine, states in STATES.items():
		equal((machine, [event["state"] for event in seen if event["machine"] == machine]), (machine, states))
	equal(gate().events("session-state"), [])
	debug.stop()


run(lab)
