#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gatepost as an MX: TLS is offered and not demanded, and what goes through is what was sent."""

import re
import smtplib
import socket
import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki, tls  # noqa: E402
import mails  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import command, contains, equal, eventually, run, split_address, test  # noqa: E402
from postfix import Postfix  # noqa: E402
from smtpserver import SmtpServer, reply  # noqa: E402
from smtpserver import command as smtp  # noqa: E402
from wire import Backend, Client, context, server_context  # noqa: E402

NAME, MX = "mx.example.test", "edge.example.test"
SOURCE, GATE = lab.host(), lab.host()
PORTS = {"rejecting": 12025, "own": 1025, "postfix": 2025, "proxy": 3025, "required": 4025, "final": 5025, "header": 6025, "pass": 7025,
	"forgiving": 8025, "rsa": 9025, "away": 10025, "partners": 11025, "submission": 1587}


@cache
def sink():
	return SmtpServer(lab)


@cache
def server():
	return SmtpServer(lab)


@cache
def postfix():
	return Postfix(lab, sink().address, domains="example.net")


@cache
def gate():
	leaf = pki().leaf("mx", [NAME, "*.mx.example.test"])
	other = pki().leaf("other", ["other.example.test"])
	rsa = pki().leaf("rsa", ["rsa.example.test"], kind="rsa")
	requiretls = SmtpServer(lab, extensions=(b"DSN", b"REQUIRETLS"))
	gate.requiretls = requiretls
	own = server().address
	rows = [listener("smtp", address("own"), leaf, own),
		listener("smtp", address("postfix"), leaf, postfix().port("plain"), "xclient"),
		listener("smtp", address("proxy"), leaf, postfix().port("proxy"), "proxy-v2"),
		listener("smtp", address("required"), leaf, own, starttls_required=True),
		listener("smtp", address("final"), leaf, own, requiretls="final"),
		listener("smtp", address("header"), leaf, own, requiretls="header", relay_follows=True),
		listener("smtp", address("pass"), leaf, requiretls.address, requiretls="pass"),
		listener("smtp", address("rejecting"), leaf, own, bare_newline="reject"),
		listener("smtp", address("forgiving"), leaf, own, bare_newline="reject", bare_newline_from=[SOURCE]),
		listener("smtp", address("partners"), leaf, own, starttls_required_from=[SOURCE]),
		listener("smtp", address("away"), leaf, lab.address(9)), listener("smtp", address("rsa"), rsa, own), listener("submission", address("submission"), leaf, own)]
	return Gate(lab, certificates=[certificate(leaf), certificate(other), certificate(rsa)], listeners=rows, server={"hostname": MX})


def address(kind):
	return f"{GATE}:{PORTS[kind]}"


def greeted(kind, in_tls=False, name=NAME, source=SOURCE):
	"""A client that has said EHLO."""
	gate()
	client = Client(address(kind), source=source)
	reply(client, b"220")
	client.ehlo = smtp(client, "EHLO client.example", b"250")
	if in_tls:
		smtp(client, "STARTTLS", b"220")
		client.start_tls(tls(), name)
		client.ehlo = smtp(client, "EHLO client.example", b"250")
	return client


def send(client, message, parameters="", wanted=b"250"):
	smtp(client, "MAIL FROM:<a@example.test>" + parameters, b"250")
	smtp(client, "RCPT TO:<b@example.net>", b"250")
	smtp(client, "DATA", b"354")
	client.send(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
	return reply(client, wanted)


@test("[3207-4-3 3207r-4-2 3207-6-2 8461-7.1-7 7672-8.1-4] mail is taken in cleartext; Received says so; and in TLS without SNI")
def _():
	with greeted("own") as client:
		count = len(server().mails)
		contains(b"\n".join(client.ehlo), b"STARTTLS")
		send(client, mails.plain())
	mail = server().wait_mail(count + 1)
	contains(mail.fields("Received")[0], f"by {MX} with ESMTP id")
	equal(" tls " in mail.fields("Received")[0], False)
	equal(mail.without_trace(), mails.plain())
	relaxed = context(pki().root, check_hostname=False)
	with Client(address("own"), source=SOURCE) as client:
		reply(client, b"220")
		smtp(client, "STARTTLS", b"220")
		client.start_tls(relaxed, None)
		smtp(client, "EHLO client.example", b"250")
		send(client, mails.plain())
	mail = server().wait_mail(count + 2)
	contains(mail.fields("Received")[0], "with ESMTPS id")
	contains(mail.fields("Received")[0], " tls TLS_")


@test("[8461-7.1-8 7672-8.1-5 7671-3-3] an unknown or missing name in the SNI gets the default certificate, a known one its own")
def _():
	relaxed = context(pki().root, check_hostname=False)
	for asked, got in ((None, NAME), ("unknown.example", NAME), ("other.example.test", "other.example.test")):
		with Client(address("own")) as client:
			reply(client, b"220")
			smtp(client, "STARTTLS", b"220")
			client.start_tls(relaxed, asked)
			names = [value for kind, value in client.tls.getpeercert()["subjectAltName"]]
			equal((asked, got in names), (asked, True))


@test("[8461-7.1-6 7672-3.1.2-6 7672-8.1-3 7671-5.2-2] the SNI selects the certificate; wildcard names, too")
def _():
	for name in (NAME, "a.mx.example.test", "other.example.test"):
		with greeted("own", True, name) as client:
			equal(client.tls.version(), "TLSv1.3")


@test("[7672-9.2-1] STARTTLS is offered to every client, at its first connection and later, also while the backend is away")
def _():
	for kind in ("own", "away", "required"):
		for source in (lab.host(), SOURCE):
			for _ in range(2):
				with greeted(kind, source=source) as client:
					contains(b"\n".join(client.ehlo), b"STARTTLS")
					smtp(client, "EHLO again.example", b"250")
					smtp(client, "STARTTLS", b"220")
					client.start_tls(tls(), NAME)


@test("[7672-8.2-3] TLS 1.2 with CBC or DHE is better than clear text: an MX takes it, also beside offers of anonymous suites")
def _():
	gate()
	for suites in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "aNULL:ECDHE-ECDSA-AES128-GCM-SHA256"):
		equal((suites, agreed(address("own"), suites)[:5]), (suites, "ECDHE"))
	equal(agreed(address("rsa"), "DHE-RSA-AES128-SHA"), "DHE-RSA-AES128-SHA")
	equal(agreed(address("rsa"), "AES128-SHA"), None)
	equal(agreed(address("submission"), "ECDHE-ECDSA-AES128-SHA"), None)
	equal(agreed(address("submission"), "ECDHE-ECDSA-AES128-GCM-SHA256"), "ECDHE-ECDSA-AES128-GCM-SHA256")


@test("[9325-4.5-1 7457-x-2] where an MX takes DHE, the group has 2048 bits or more, and each handshake a key of its own")
def _():
	keys = set()
	for _ in range(3):
		shown = command("openssl", "s_client", "-connect", address("rsa"), "-starttls", "smtp", "-tls1_2", "-cipher",
			"DHE-RSA-AES128-SHA:@SECLEVEL=0", "-trace", input="QUIT\r\n", check=False).stdout
		bits, = re.findall(r"(?:Server|Peer) Temp Key: DH, (\d+) bits", shown)
		equal(int(bits) >= 2048, True)
		key, = re.findall(r"dh_Ys \(len=\d+\): ([0-9A-F]+)", shown)
		keys.add(key)
	equal(len(keys), 3)


def agreed(where, suites):
	"""The suite that a client offering these gets, None without one."""
	done = command("openssl", "s_client", "-connect", where, "-starttls", "smtp", "-tls1_2", "-cipher",
		suites + ":@SECLEVEL=0", "-brief", check=False, input="QUIT\r\n")
	found = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("Ciphersuite:")]
	return found[0] if found else None


@test("what the backend offers is offered in cleartext as well, once it was seen: SIZE, 8BITMIME, SMTPUTF8")
def _():
	gate()

	def offered():
		with greeted("own") as client:
			return b"SMTPUTF8" in b"\n".join(client.ehlo)
	eventually(offered, "SMTPUTF8 in cleartext")
	with greeted("own") as client:
		lines = b"\n".join(client.ehlo)
		for word in (b"SIZE 209715200", b"8BITMIME", b"SMTPUTF8", b"PIPELINING"):
			contains(lines, word)
		for word in (b"AUTH", b"REQUIRETLS"):
			equal(word in lines, False)


class Asked(Backend):
	"""Offers SMTPUTF8, and hears who asks: behind a PROXY header, in TLS, or both."""

	def __init__(self, proxy, context):
		self.proxy, self.context, self.asked = proxy, context, []
		super().__init__(lab, self.talk)

	def talk(self, session):
		if self.proxy:
			header = session.sock.recv(16, socket.MSG_WAITALL)
			session.sock.recv(int.from_bytes(header[14:], "big"), socket.MSG_WAITALL)
			self.asked.append({0x20: "LOCAL", 0x21: "PROXY"}[header[12]])
		if self.context:
			session.sock = self.context.wrap_socket(session.sock, server_side=True)
		session.send(b"220-asked.test\r\n220 ESMTP\r\n")
		while line := session.line():
			self.asked.append(line.split()[0].decode())
			session.send(b"250-asked.test\r\n250 SMTPUTF8\r\n" if line.startswith(b"EHLO") else b"221 2.0.0 Bye\r\n")


@test("the backend is asked at the start, by EHLO and QUIT, also behind a PROXY header and in TLS")
def _():
	leaf, behind = pki().leaf("mx", [NAME]), server_context(pki().leaf("behind", ["smtp.backend.test"]))
	for proxy in (False, True):
		for context_ in (None, behind):
			asked, where = Asked(proxy, context_), lab.address(1025)
			secure = {"tls": "verify", "tls_ca": pki().root, "tls_name": "smtp.backend.test"} if context_ else {}
			fresh = Gate(lab, "fresh", certificates=[certificate(leaf)], server={"hostname": MX, "workers": 1},
				listeners=[listener("smtp", where, leaf, {"address": asked.address, **secure}, "proxy-v2" if proxy else "none")])
			eventually(lambda asked=asked, proxy=proxy: asked.asked == ["LOCAL"] * proxy + ["EHLO", "QUIT"], "the question")

			def offered(where=where):
				with Client(where) as client:
					reply(client, b"220")
					return b"SMTPUTF8" in b"\n".join(smtp(client, "EHLO client.example", b"250"))
			eventually(offered, "SMTPUTF8 in cleartext")
			fresh.stop()


@test("messages of all kinds arrive byte by byte, in cleartext and in TLS, by smtplib")
def _():
	for secure in (False, True):
		for message in mails.small_kinds():
			count = len(server().mails)
			client = smtplib.SMTP(*split_address(address("own")), local_hostname="client.example",
				source_address=(SOURCE, 0))
			if secure:
				client.starttls(context=ssl._create_unverified_context())
			client.sendmail("grüße@example.test", ["b@example.net"], message, ["SMTPUTF8", "BODY=8BITMIME"])
			client.quit()
			equal(server().wait_mail(count + 1).without_trace(), message)


@test("Postfix behind an MX: it logs the client's address, in cleartext and in TLS, by XCLIENT and by PROXY v2")
def _():
	for kind in ("postfix", "proxy"):
		for secure in (False, True):
			gate()
			mark, count = postfix().mark(), len(sink().mails)
			with greeted(kind, secure) as client:
				send(client, mails.plain())
			postfix().wait_log("postfix/smtpd[", "client=", f"[{SOURCE}]", since=mark)
			equal(bytes(sink().wait_mail(count + 1).data).endswith(mails.plain()), True)


@test("[8314-4-9] AUTH is neither offered nor taken")
def _():
	for secure in (False, True):
		with greeted("own", secure) as client:
			equal(b"AUTH" in b"\n".join(client.ehlo), False)
			smtp(client, "AUTH PLAIN AGEAYg==", b"502")


@test("[3207r-4-4 3207-6-1 8689-8.4-1] starttls-required: nothing is taken in cleartext, nor with a suite that is only better than that")
def _():
	with greeted("required") as client:
		smtp(client, "MAIL FROM:<a@example.test>", b"530")
	count = len(server().mails)
	with greeted("required", True) as client:
		send(client, mails.plain())
	server().wait_mail(count + 1)
	equal(agreed(address("required"), "ECDHE-ECDSA-AES128-SHA"), None)
	equal(agreed(address("required"), "ECDHE-ECDSA-AES128-GCM-SHA256"), "ECDHE-ECDSA-AES128-GCM-SHA256")


@test("[3207r-6-2 3207-6-1] starttls-required-from: nothing is taken in cleartext from these clients, from others it is")
def _():
	count = len(server().mails)
	with greeted("partners") as client:
		smtp(client, "MAIL FROM:<a@example.test>", b"530")
	for source, secure in ((SOURCE, True), (lab.host(), False)):
		with greeted("partners", secure, source=source) as client:
			send(client, mails.plain())
	server().wait_mail(count + 2)


@test("REQUIRETLS: final ends it, header makes it a field, pass hands it on; never in cleartext")
def _():
	for kind in ("final", "header", "pass"):
		with greeted(kind) as client:
			equal(b"REQUIRETLS" in b"\n".join(client.ehlo), False)
			smtp(client, "MAIL FROM:<a@example.test> REQUIRETLS", b"555")
		target = gate.requiretls if kind == "pass" else server()
		count = len(target.mails)
		with greeted(kind, True) as client:
			contains(b"\n".join(client.ehlo), b"REQUIRETLS")
			send(client, b"Require-TLS-ESMTP: no\r\n" + mails.plain(), " RET=FULL REQUIRETLS")
		mail = target.wait_mail(count + 1)
		equal(b"REQUIRETLS" in mail.sender, kind == "pass")
		equal(mail.fields("Require-TLS-ESMTP"), ["yes"] if kind == "header" else [])
		equal(bytes(mail.data).startswith(b"Require-TLS-ESMTP: yes\r\n"), kind == "header")
		equal(b"RET=HDRS" in mail.sender, kind == "header")


@test("bare newlines: normalized by default; with bare-newline = reject closed and logged, but for the clients in bare-newline-from")
def _():
	gate()
	mark, count = gate().mark(), len(server().mails)
	with greeted("rejecting") as client:
		send(client, b"Subject: x\n\nbody\r\n", wanted=b"521")
	gate().wait_for("protocol-error", mark)
	for kind in ("own", "forgiving"):
		with greeted(kind) as client:
			send(client, b"Subject: x\n\nbody\r\n")
		count += 1
		equal(server().wait_mail(count).without_trace(), b"Subject: x\r\n\r\nbody\r\n")
	equal(len(server().mails), count)


SMUGGLED = b"MAIL FROM:<mallory@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"


@test("BDAT with bare newlines, over the borders of chunks, is one message for a Postfix that sends on by DATA")
def _():
	count = len(sink().mails)
	for before, after in ((b"\n", b"\n"), (b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\r", b"\r"), (b"\r\n", b"\r\n")):
		text = b"Subject: x\n\nbody" + before + b"." + after + SMUGGLED + b"\r"
		for border in (None, len(text) - 1, text.index(b"body") + 4 + len(before), text.index(b"body") + 5 + len(before)):
			with greeted("postfix") as client:
				smtp(client, "MAIL FROM:<alice@example.org>", b"250")
				smtp(client, "RCPT TO:<bob@example.net>", b"250")
				for chunk in [text] if border is None else [text[:border], text[border:]]:
					last = b" LAST" if chunk is text or chunk == text[border:] else b""
					client.send(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
					reply(client, b"250")
			count += 1
			_, body = bytes(sink().wait_mail(count).data).split(b"\r\n\r\n", 1)
			equal(body, b"body\r\n.\r\n" + SMUGGLED + b"\r\n")
			equal(len(sink().mails), count)


run(lab)
