#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Without TLS nobody logs in, nobody learns anything about a password, and the backend hears nothing."""

import base64
import sys
from functools import cache

sys.dont_write_bytecode = True
import hello  # noqa: E402
from gate import Gate, certificate, gatepost, listener  # noqa: E402
from lab import Lab, contains, equal, eventually, run, test  # noqa: E402
from pki import Pki  # noqa: E402
from wire import Backend, Client, alert_of, imap_server, pop3_server  # noqa: E402

lab = Lab()
IMAP, POP3 = lab.address(1143), lab.address(1110)
SUBMISSION, SIEVE, IMAPS, POP3S, SUBMISSIONS = map(lab.address, (1587, 4190, 1993, 1995, 1465))
PROTOCOL_VERSION = 70
# right, wrong, and nobody's; a backend would tell them apart
ACCOUNTS = (("alice", "secret"), ("alice", "wrong"), ("nobody-here", "secret"))


@cache
def backends():
	return Backend(lab, imap_server), Backend(lab, pop3_server)


@cache
def gate():
	leaf = Pki(lab).leaf("mail", ["mail.example.test"])
	imap, pop3 = backends()
	return Gate(lab, certificates=[certificate(leaf)], listeners=[
		listener("imap", IMAP, leaf, imap.address), listener("pop3", POP3, leaf, pop3.address),
		listener("submission", SUBMISSION, leaf, imap.address), listener("sieve", SIEVE, leaf, imap.address),
		listener("imaps", IMAPS, leaf, imap.address), listener("pop3s", POP3S, leaf, pop3.address),
		listener("submissions", SUBMISSIONS, leaf, imap.address)])


def plain(user, password):
	return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def connect(address):
	"""A client that has read its greeting, and the greeting."""
	gate()
	client = Client(address)
	return client, client.line()


def nobody_was_dialled():
	equal([backend.count for backend in backends()], [0, 0])


def same_answer(address, ask):
	"""ask(client, user, password) must bring the same bytes for all accounts."""
	answers = []
	for user, password in ACCOUNTS:
		client, _ = connect(address)
		answers.append(ask(client, user, password))
		client.close()
	equal(len(set(map(repr, answers))), 1)
	nobody_was_dialled()
	return answers[0]


@test("[8314-6-1 8689-4.4-1] no port for mail clients takes a login in cleartext, or less than TLS 1.2")
def _():
	secret = plain(*ACCOUNTS[0])
	for address, verb, login, refused in ((IMAP, "a STARTTLS", f"a AUTHENTICATE PLAIN {secret}", b"a NO"),
			(POP3, "STLS", f"AUTH PLAIN {secret}", b"-ERR"), (SUBMISSION, "STARTTLS", f"AUTH PLAIN {secret}", b"530"),
			(SIEVE, "STARTTLS", f'AUTHENTICATE "PLAIN" "{secret}"', b"NO")):
		client, _ = connect(address)
		client.send(login + "\r\n" + verb + "\r\n")
		client.until(b"\n" + refused if address == SIEVE else refused)
		client.line()
		client.line()
		client.send(hello.client_hello(0x0302))
		equal((address, alert_of(client.rest())), (address, PROTOCOL_VERSION))
	for address in (IMAPS, POP3S, SUBMISSIONS):
		with Client(address) as client:
			equal(client.say_all(b"a LOGIN alice secret\r\n"), b"")
		with Client(address) as client:
			equal((address, alert_of(client.say_all(hello.client_hello(0x0302)))), (address, PROTOCOL_VERSION))
	nobody_was_dialled()


@test("[2595-3.2-1 9051-6.2.3-2 9051-6.1.1-1] IMAP in cleartext lists STARTTLS and LOGINDISABLED, no mechanism")
def _():
	client, greeting = connect(IMAP)
	for line in (greeting, client.imap("CAPABILITY")[0]):
		contains(line, b"STARTTLS")
		contains(line, b"LOGINDISABLED")
		equal(b"AUTH=" in line or b"SASL-IR" in line or b"LITERAL" in line, False)


@test("[8314-4.1-2 8314-4.1-3 2595-3.2-2 9051-7.1-1 9051-11.7-2] IMAP LOGIN in cleartext: one refusal for every password")
def _():
	answer = same_answer(IMAP, lambda client, user, password: client.imap(f"LOGIN {user} {password}"))
	contains(answer[-1], b"t1 NO [PRIVACYREQUIRED]")
	answer = same_answer(IMAP, lambda client, user, password: client.imap(f'LOGIN "{user}" "{password}"'))
	contains(answer[-1], b"t1 NO [PRIVACYREQUIRED]")


@test("[8314-4.1-2 2595-2.3-1 9051-6.2.2-1] IMAP AUTHENTICATE in cleartext: refused before a password can follow")
def _():
	for mechanism in ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"):
		answer = same_answer(IMAP, lambda client, *_: client.imap("AUTHENTICATE " + mechanism))
		equal(len(answer), 1)
		contains(answer[0], b"t1 NO [PRIVACYREQUIRED]")
	answer = same_answer(IMAP, lambda client, *who: client.imap("AUTHENTICATE PLAIN " + plain(*who)))
	contains(answer[-1], b"t1 NO [PRIVACYREQUIRED]")


@test("[8314-4.1-2] IMAP LOGIN with a synchronizing literal: no go-ahead, so the password stays at home")
def _():
	def ask(client, user, password):
		return client.imap(f"LOGIN {user} {{{len(password)}}}")[-1][:27]
	contains(same_answer(IMAP, ask), b"t1 NO [PRIVACYREQUIRED]")


@test("[8314-4.1-2] IMAP LOGIN with literals that do not wait: refused after their end, and they are no commands")
def _():
	def ask(client, user, password):
		client.send(f"a LOGIN {{{len(user)}+}}\r\n{user} {{{len(password)}+}}\r\n{password}\r\nb NOOP\r\n")
		return client.line(), client.line()
	contains(same_answer(IMAP, ask)[0], b"a NO [PRIVACYREQUIRED]")
	contains(same_answer(IMAP, ask)[1], b"b OK")


@test("[5034-4-3 2595-4-1 2595-9-3] POP3 in cleartext: CAPA lists STLS, neither USER nor a mechanism")
def _():
	client, greeting = connect(POP3)
	equal(b"<" in greeting, False)
	_, text = client.pop_list("CAPA")
	words = [line.split()[0] for line in text.splitlines()]
	equal(b"STLS" in words, True)
	equal({b"USER", b"SASL"} & set(words), set())


@test("[8314-4.1-2 8314-4.1-3 3206-5-2] POP3 USER and PASS in cleartext: one refusal each for every name and password")
def _():
	def ask(client, user, password):
		return client.pop("USER " + user), client.pop("PASS " + password)
	user, password = same_answer(POP3, ask)
	equal(user.startswith(b"-ERR ") and b"[" not in user, True)
	contains(password, b"-ERR [AUTH] ")


@test("[8314-4.1-2 2595-2.3-1 3206-5-1] POP3 AUTH and APOP in cleartext: -ERR [AUTH], before any continuation")
def _():
	for command in ("AUTH PLAIN", "AUTH LOGIN", "AUTH XOAUTH2"):
		contains(same_answer(POP3, lambda client, *_: client.pop(command)), b"-ERR [AUTH] ")
	contains(same_answer(POP3, lambda client, *who: client.pop("AUTH PLAIN " + plain(*who))), b"-ERR [AUTH] ")
	apop = same_answer(POP3, lambda client, user, _: client.pop(f"APOP {user} c4c9334bac560ecc979e58001b3e22fb"))
	contains(apop, b"-ERR [AUTH] ")


@test("a login in cleartext is logged with name and source, never with the password")
def _():
	mark = gate().mark()
	imap, _ = connect(IMAP)
	imap.imap("LOGIN carol hunter2-imap")
	pop3, _ = connect(POP3)
	pop3.pop("USER dave")
	pop3.pop("PASS hunter2-pop3")
	pop3.pop("AUTH PLAIN " + plain("erin", "hunter2-sasl"))
	for user, role in (("carol", "imap@" + IMAP), ("dave", "pop3@" + POP3), ("erin", "pop3@" + POP3)):
		event = gate().wait_for("cleartext-login-refused", mark, user=user, listener=role)
		equal(event.level, "warn")
		contains(event["client"], "127.0.0.1:")
	everything = "\n".join(gate().lines)
	equal("hunter2" in everything or plain("erin", "hunter2-sasl") in everything, False)


@test("`status cleartext-users` lists who should change passwords: name, first and last time, count")
def _():
	for _ in range(3):
		connect(IMAP)[0].imap("LOGIN frank hunter2")

	def listed():
		done = gatepost(lab, "status", "cleartext-users", "-c", gate().config)
		rows = [line for line in done.stdout.splitlines() if "frank" in line]
		return rows and "3" in rows[0].split() and rows
	row = eventually(listed, "frank in the list")[0]
	contains(row, "Z")
	equal("hunter2" in row, False)
	counted = gate().status("cleartext-users")
	contains(repr(counted), "frank")
	equal(gate().counter("cleartext-logins-refused") >= 3, True)
	nobody_was_dialled()


@test("[9051-7.1-1] other IMAP commands in cleartext get NO or BAD, POP3 ones -ERR, and do not reach the backend")
def _():
	client, _ = connect(IMAP)
	for command in ("SELECT INBOX", 'LIST "" *', "STATUS INBOX (MESSAGES)", "ENABLE IMAP4rev2", "ID NIL"):
		contains(client.imap(command)[-1], b" NO [PRIVACYREQUIRED]")
	contains(client.imap("XYZZY")[-1], b" BAD ")
	contains(client.imap("NOOP")[-1], b" OK ")
	contains(b" ".join(client.imap("LOGOUT")), b"* BYE")
	equal(client.ending(), "cut")
	client, _ = connect(POP3)
	for command in ("STAT", "LIST", "RETR 1", "UIDL", "XYZZY"):
		contains(client.pop(command), b"-ERR")
	contains(client.pop("QUIT"), b"+OK")
	equal(client.ending(), "cut")
	nobody_was_dialled()


@test("[NST-X-2] refusals do not echo what the client said")
def _():
	client, _ = connect(IMAP)
	equal(b"script" in b" ".join(client.imap("<script>alert(1)</script>")), False)
	client, _ = connect(POP3)
	equal(b"script" in client.pop("<script>alert(1)</script>"), False)


@test("[NST-X-1] a web browser's request ends the session, and nothing of it is reflected")
def _():
	for address in (IMAP, POP3):
		for verb in (b"GET", b"POST", b"PUT", b"OPTIONS"):
			client, _ = connect(address)
			client.send(verb + b" /<b>reflected HTTP/1.1\r\nHost: mail\r\n\r\n")
			said = client.rest()
			equal(b"reflected" in said, False)
			equal(said.count(b"\r\n") <= 1, True)


run(lab)
