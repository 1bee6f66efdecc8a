#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Submission through gatepost: real Postfix and Dovecot behind it, real clients before it."""

import base64
import re
import smtplib
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki, tls  # noqa: E402
import hello  # noqa: E402
import mails  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import command, contains, equal, proc_status, run, split_address, test  # noqa: E402
from postfix import Postfix  # noqa: E402
from smtpserver import SmtpServer, login, reply  # noqa: E402
from smtpserver import command as smtp  # noqa: E402
from wire import Client, alert_of, implicit  # noqa: E402

NAME, MX = "mail.example.test", "edge.example.test"
SOURCE = lab.host()
GATE = lab.host()
# RFC 8314 section 4.3 and RFC 5321 section 4.4
RECEIVED = re.compile(r"from (?P<helo>\S+) \(\[(?P<ip>[^\]]+)\]\) by (?P<by>\S+) with (?P<with>\w+) id (?P<id>\w+)"
	r"( tls (?P<tls>\w+)( group (?P<group>\w+))?)?; \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$")


@cache
def sink():
	"""Where Postfix and Dovecot send on."""
	return SmtpServer(lab)


@cache
def server():
	"""A backend of our own."""
	return SmtpServer(lab)


@cache
def dovecot():
	return Dovecot(lab, pki(), trusted="127.0.0.0/8", relay=sink().address)


@cache
def postfix():
	return Postfix(lab, sink().address, sasl=dovecot().port("auth"))


KINDS = ("own", "postfix-xclient", "postfix-proxy", "dovecot-xclient", "dovecot-proxy")


def address(kind, role):
	return f"{GATE}:{(1465 if role == 'submissions' else 1587) + 1000 * KINDS.index(kind)}"


@cache
def gate():
	leaf = pki().leaf("mail", [NAME])
	backends = {"own": (server().address, "none"), "postfix-xclient": (postfix().port("plain"), "xclient"),
		"postfix-proxy": (postfix().port("proxy"), "proxy-v2"),
		"dovecot-xclient": (dovecot().port("submission"), "xclient"),
		"dovecot-proxy": (dovecot().port("submission-proxy"), "proxy-v2")}
	rows = [listener(role, address(kind, role), leaf, *backends[kind])
		for kind in KINDS for role in ("submissions", "submission")]
	return Gate(lab, certificates=[certificate(leaf)], listeners=rows, server={"hostname": MX},
		limits={"sessions_per_source": 1000})


def python(kind, role, message, sender="alice@example.test", options=()):
	"""smtplib, from an address of its own."""
	host, port = split_address(address(kind, role))
	more = {"source_address": (SOURCE, 0), "local_hostname": "client.example"}
	if role == "submissions":
		client = smtplib.SMTP_SSL(host, port, context=PythonTls(), **more)
	else:
		client = smtplib.SMTP(host, port, **more)
		client.starttls(context=PythonTls())
	client.login("alice", "secret")
	client.sendmail(sender, ["bob@example.net"], message, options)
	client.quit()


class PythonTls:
	"""A context that asks for NAME whatever the address."""

	def wrap_socket(self, sock, server_hostname=None, **more):
		return tls().wrap_socket(sock, server_hostname=NAME, **more)


def our_trace(mail):
	"""The Received field that gatepost wrote: the one by MX."""
	found = [match for match in map(RECEIVED.match, mail.fields("Received")) if match and match["by"] == MX]
	equal(len(found), 1)
	return found[0]


@test("[3207-4.1-1] too little TLS is judged in the handshake: an alert, no answer to any command, and no call of the backend")
def _():
	gate()
	count = server().count
	for version, suites, alert in ((0x0302, hello.CBC, 70), (0x0303, hello.CBC, 40), (0x0303, hello.RSA_TRANSPORT, 40)):
		for role in ("submissions", "submission"):
			with Client(address("own", role)) as client:
				if role == "submission":
					reply(client, b"220")
					smtp(client, "STARTTLS", b"220")
				client.send(hello.client_hello(version, suites))
				said = client.say_all(b"EHLO client.example\r\n")
				equal((alert_of(said), b"\x16\x03" in said, b"250" in said), (alert, False, False))
	equal(server().count, count)


@test("[9325-3.8-1 9325-3.8-2] ALPN smtp, which is not registered and which mail clients send, is chosen; that of another protocol gets an alert")
def _():
	gate()
	secure = tls()
	secure.set_alpn_protocols(["smtp"])
	with Client(address("own", "submissions")) as client:
		client.start_tls(secure, NAME)
		reply(client, b"220")
		equal(client.tls.selected_alpn_protocol(), "smtp")
	with Client(address("own", "submissions")) as client:
		client.send(hello.client_hello(0x0303, alpn=("imap",)))
		equal(alert_of(client.rest()), 120)


@test("[8314-4-12 8314-4.3-1 8314-4.3-2 8314-4.3-4 8314-4.3-5] Received of submitted mail: ESMTPSA, IANA names of suite and group, clauses in order, the id of the log")
def _():
	for role in ("submissions", "submission"):
		gate()
		mark, count = gate().mark(), len(server().mails)
		python("own", role, mails.plain())
		mail = server().wait_mail(count + 1)
		trace = our_trace(mail)
		event = gate().wait_for("session-end", mark, user="alice")
		equal((trace["helo"], trace["ip"], trace["with"], trace["id"]), ("client.example", SOURCE, "ESMTPSA", event["sid"]))
		equal((trace["tls"], trace["group"]), (event["cipher"], event["group"]))
		equal(trace["tls"].startswith("TLS_"), True)
		equal(mail.without_trace(), mails.plain())


@test("[8314-3.3-1 8314-3.3-3 3848-1-2] messages of all kinds arrive byte by byte, over 465 and over 587; SMTPUTF8 is named")
def _():
	for role in ("submissions", "submission"):
		for message in mails.small_kinds():
			count = len(server().mails)
			python("own", role, message, sender="grüße@example.test", options=["SMTPUTF8", "BODY=8BITMIME"])
			mail = server().wait_mail(count + 1)
			equal(mail.without_trace(), message)
			equal(our_trace(mail)["with"], "UTF8SMTPSA")
			contains(mail.sender, "grüße".encode())


@test("Postfix with Dovecot's SASL: it logs the client's address and the login, by XCLIENT and by PROXY v2")
def _():
	for kind in ("postfix-xclient", "postfix-proxy"):
		for role in ("submissions", "submission"):
			gate()
			mark, count = postfix().mark(), len(sink().mails)
			python(kind, role, mails.plain())
			line = postfix().wait_log("postfix/smtpd[", "sasl_username=alice", since=mark)
			contains(line, f"[{SOURCE}]")
			mail = sink().wait_mail(count + 1)
			equal(our_trace(mail)["ip"], SOURCE)
			equal(bytes(mail.data).endswith(mails.plain()), True)


@test("Dovecot submission: it logs the client's address and relays, by XCLIENT and by PROXY v2")
def _():
	for kind in ("dovecot-xclient", "dovecot-proxy"):
		gate()
		mark, count = dovecot().mark(), len(sink().mails)
		python(kind, "submission", mails.plain())
		dovecot().wait_log("submission-login: Info: Login: user=<alice>", f"rip={SOURCE},", since=mark)
		equal(our_trace(sink().wait_mail(count + 1))["with"], "ESMTPSA")


@test("swaks, curl and msmtp submit over both ports")
def _():
	for role in ("submissions", "submission"):
		host, port = split_address(address("postfix-xclient", role))
		gate()
		for submit in (swaks, curl, msmtp):
			count = len(sink().mails)
			submit(host, str(port), role)
			our_trace(sink().wait_mail(count + 1))


def swaks(host, port, role):
	command("swaks", "--server", host, "--port", port, "-tlsc" if role == "submissions" else "-tls", "--tls-verify",
		"--tls-ca-path", pki().root, "--tls-sni", NAME, "--auth", "PLAIN", "--auth-user", "alice", "--auth-password",
		"secret", "--from", "a@example.test", "--to", "b@example.net")


def curl(host, port, role):
	scheme = "smtps" if role == "submissions" else "smtp"
	command("curl", "-sS", "--ssl-reqd", "--cacert", pki().root, "--resolve", f"{NAME}:{port}:{host}", "-u",
		"alice:secret", "--mail-from", "a@example.test", "--mail-rcpt", "b@example.net", "-T",
		lab.write("message", mails.plain()), f"{scheme}://{NAME}:{port}/client.example")


def msmtp(host, port, role):
	command("msmtp", "-C", "/dev/null", f"--host={host}", f"--port={port}", "--tls=on",
		f"--tls-starttls={'on' if role == 'submission' else 'off'}", f"--tls-trust-file={pki().root}",
		f"--tls-host-override={NAME}", "--auth=plain", "--user=alice", "--passwordeval=echo secret",
		"--from=a@example.test", "b@example.net", input=mails.plain().decode())


@test("[4954-4-9 4954-4-11] a wrong password: 535 in the backend's words, and a log line; the session goes on")
def _():
	gate()
	mark = gate().mark()
	with implicit(address("postfix-xclient", "submissions"), tls(), NAME, source=SOURCE) as client:
		reply(client, b"220")
		smtp(client, "EHLO client.example", b"250")
		contains(smtp(client, b"AUTH PLAIN " + base64.b64encode(b"\0alice\0wrong"), b"535")[0], b"5.7.8")
		gate().wait_for("login-failed", mark, user="alice")
		login(client)
		smtp(client, "QUIT", b"221")


@test("[NST-B-1 7457-2.2-1] commands glued to STARTTLS: closed, logged, counted, not heard by the backend")
def _():
	gate()
	mark, before = gate().mark(), server().count
	with Client(address("own", "submission"), source=SOURCE) as client:
		reply(client, b"220")
		smtp(client, "EHLO client.example", b"250")
		client.send(b"STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@example.test>\r\n")
		reply(client, b"220")
		equal(client.rest(), b"")
	gate().wait_for("starttls-injection", mark)
	equal(server().count, before)


@test("a cleartext AUTH is refused, logged without the password, and listed")
def _():
	gate()
	mark = gate().mark()
	with Client(address("own", "submission"), source=SOURCE) as client:
		reply(client, b"220")
		smtp(client, "EHLO client.example", b"250")
		smtp(client, b"AUTH PLAIN " + base64.b64encode(b"\0carol\0hunter2"), b"530")
	event = gate().wait_for("cleartext-login-refused", mark, user="carol")
	equal("hunter2" in event.text, False)


@test("a message of 100 MiB passes at constant memory, by DATA and by BDAT")
def _():
	big = SmtpServer(lab, keeps=False)
	leaf = pki().leaf("mail2", [NAME])
	where = lab.address(1465)
	with_gate = Gate(lab, "big", certificates=[certificate(leaf)], listeners=[
		listener("submissions", where, leaf, big.address)], server={"workers": 1})
	line = b"x" * 998 + b"\r\n"
	block = line * 1024
	count = 100 * 1024 * 1024 // len(block)
	with implicit(where, tls(), NAME) as client:
		reply(client, b"220")
		login(client)
		for verb in ("DATA", "BDAT"):
			smtp(client, "MAIL FROM:<a@example.test>", b"250")
			smtp(client, "RCPT TO:<b@example.net>", b"250")
			if verb == "DATA":
				smtp(client, "DATA", b"354")
				for _ in range(count):
					client.send(block)
				smtp(client, ".", b"250")
				start = peak_kib(with_gate)
			else:
				big.keeps = False
				client.send(b"BDAT %d LAST\r\n" % (count * len(block)))
				for _ in range(count):
					client.send(block)
				reply(client, b"250")
		equal(peak_kib(with_gate) - start < 2048, True)
		equal(big.bytes >= count * len(block), True)
		equal(peak_kib(with_gate) < 64 * 1024 * sanitizer_factor(), True)
	with_gate.stop()
	lab.processes.remove(with_gate)


def peak_kib(gate_process):
	return max(int(proc_status(pid)["VmHWM"].split()[0]) for pid in gate_process.workers())


def sanitizer_factor():
	"""A build with sanitizers needs more of everything."""
	with open(lab.program(), "rb") as file:
		return 16 if b"__asan_init" in file.read() else 1


@test("a backend that is killed in mid-message: the client gets 421 and nothing was said to be accepted")
def _():
	doomed = SmtpServer(lab)
	leaf = pki().leaf("mail3", [NAME])
	where = lab.address(1465)
	with_gate = Gate(lab, "doomed", certificates=[certificate(leaf)], listeners=[
		listener("submissions", where, leaf, doomed.address)])
	with implicit(where, tls(), NAME) as client:
		reply(client, b"220")
		login(client)
		smtp(client, "MAIL FROM:<a@example.test>", b"250")
		smtp(client, "RCPT TO:<b@example.net>", b"250")
		smtp(client, "DATA", b"354")
		client.send(b"Subject: half\r\n\r\nof it")
		doomed.sessions[-1].reset()
		reply(client, b"421")
		equal(client.rest(), b"")
	equal(doomed.mails, [])
	equal(with_gate.wait_for("session-end")["end"], "backend-failed")


@test("[6409-7-1] what Postfix offers besides is not offered through gatepost")
def _():
	gate()
	with implicit(address("postfix-xclient", "submissions"), tls(), NAME, source=SOURCE) as client:
		reply(client, b"220")
		lines = b"\n".join(smtp(client, "EHLO client.example", b"250"))
		contains(lines, b"AUTH PLAIN LOGIN")
		for word in (b"STARTTLS", b"XCLIENT", b"ETRN", b"VRFY2"):
			equal(word in lines, False)


SMUGGLED = b"MAIL FROM:<evil@example.test>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n"
SPELLINGS = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r\r\n.\r\r\n", b"\r\n.\r\r\n", b"\r.\r")


@test("SMTP smuggling by any spelling of the end: Postfix gets one message, with what was to be smuggled as its text")
def _():
	before = len(sink().mails)
	for number, spelling in enumerate(SPELLINGS, 1):
		gate()
		with implicit(address("postfix-xclient", "submissions"), tls(), NAME, source=SOURCE) as client:
			smuggle(client, spelling)
			smtp(client, "QUIT", b"221")
		mail = sink().wait_mail(before + number)
		contains(bytes(mail.data), b"Subject: evil")
		equal(b"evil" in mail.sender, False)
	equal(len(sink().mails), before + len(SPELLINGS))


@test("... while Postfix alone takes one message for two")
def _():
	before = len(sink().mails)
	with Client(postfix().port("plain"), source=SOURCE) as client:
		smuggle(client, b"\n.\n")
		reply(client, b"250")
	sink().wait_mail(before + 2)
	equal(any(b"evil" in mail.sender for mail in sink().mails[before:]), True)


def smuggle(client, spelling):
	reply(client, b"220")
	login(client)
	smtp(client, "MAIL FROM:<a@example.test>", b"250")
	smtp(client, "RCPT TO:<b@example.net>", b"250")
	smtp(client, "DATA", b"354")
	client.send(b"Subject: one\r\n\r\none" + spelling + SMUGGLED)
	reply(client, b"250")


run(lab)
