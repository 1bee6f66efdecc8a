#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Submission and ManageSieve with a client certificate instead of a password: EXTERNAL, to a real Postfix and Dovecot."""

import base64
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, pki  # noqa: E402
import mails  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from gate import Gate, certificate, check_config, config_text, listener  # noqa: E402
from lab import contains, equal, run, test  # noqa: E402
from postfix import Postfix  # noqa: E402
from smtpserver import SmtpServer, reply  # noqa: E402
from smtpserver import command as smtp  # noqa: E402
from wire import Client, context, implicit  # noqa: E402

MASTERS = "passdb {{\n  driver = passwd-file\n  args = {masters}\n  master = yes\n}}\nauth_username_format = %Ln\n"
GATE = lab.host()
PORTS = {"postfix": 1465, "dovecot": 2465, "xclient": 3465, "no-auth": 4465, "no-xclient": 5465, "only": 6465, "sieve": 4190}


@cache
def sink():
	return SmtpServer(lab)


@cache
def dovecot():
	masters = lab.write("masters", "gateway:{PLAIN}master::::::\n")
	return Dovecot(lab, pki(), trusted="127.0.0.0/8", relay=sink().address, more=MASTERS.format(masters=masters))


@cache
def postfix():
	return Postfix(lab, sink().address, sasl=dovecot().port("auth"))


@cache
def postfix_of(kind):
	"""Beside that one: one without SASL, and one that does not trust the edge."""
	more = {"no-auth": {"sasl": None}, "no-xclient": {"sasl": dovecot().port("auth"), "xclient": ""}}
	return Postfix(lab, sink().address, **more[kind]) if kind in more else postfix()


def backend(address, facts):
	return {"address": address, "facts": facts, "login": "master-user", "login_user": "gateway",
		"login_password_file": lab.write("password", "master\n", mode=0o600)}


EXTERNAL_ONLY = """
auth_mechanisms = external
auth_ssl_username_from_cert = yes
passdb {
  driver = static
  args = nopassword=y
  mechanisms = external
}
"""


@cache
def passwordless():
	"""A Dovecot that takes no password from anybody."""
	return Dovecot(lab, pki(), trusted="127.0.0.0/8", relay=sink().address, more=EXTERNAL_ONLY)


BY_XCLIENT = "xclient", "no-auth", "no-xclient"


def by_xclient(kind):
	return {"address": postfix_of(kind).port("plain"), "facts": "xclient", "login": "xclient"}


def rows(leaf):
	known = {"client_certificates": "staff"}
	return [listener("submissions", f"{GATE}:{PORTS['postfix']}", leaf, backend(postfix().port("plain"), "xclient"), **known),
		listener("submissions", f"{GATE}:{PORTS['dovecot']}", leaf,
			backend(dovecot().port("submission-proxy"), "proxy-v2"), **known),
		*(listener("submissions", f"{GATE}:{PORTS[kind]}", leaf, by_xclient(kind), **known) for kind in BY_XCLIENT),
		listener("submissions", f"{GATE}:{PORTS['only']}", leaf, {"address": passwordless().port("submission-proxy"),
			"facts": "proxy-v2", "login": "proxy-v2-cn"}, **known),
		listener("sieve", f"{GATE}:{PORTS['sieve']}", leaf, backend(dovecot().port("sieve"), "xclient"), **known)]


def blocks():
	return [{"name": "staff", "ca": pki().root, "addresses": "mail", "account": "local-part"}]


@cache
def gate():
	leaf = pki().leaf("mail", [NAME])
	return Gate(lab, certificates=[certificate(leaf)], client_certificates=blocks(), listeners=rows(leaf))


def tls(who=None):
	made = context(pki().root)
	if who:
		one = pki().leaf(who, [who], usage="clientAuth")
		made.load_cert_chain(one.chain, one.key)
	return made


def submission(kind, who):
	gate()
	client = implicit(f"{GATE}:{PORTS[kind]}", tls(who), NAME)
	reply(client, b"220")
	client.ehlo = b"\n".join(smtp(client, "EHLO client.example", b"250"))
	return client


@test("[8314-4.2-3 3207-4.2-4 4422-A-1] a mapped certificate submits by EXTERNAL; the backend sees its account, the message says ESMTPSA")
def _():
	for kind in ("postfix", "dovecot"):
		with submission(kind, "alice@example.test") as client:
			contains(client.ehlo, b"EXTERNAL")
			mark, count = postfix().mark(), len(sink().mails)
			smtp(client, "AUTH EXTERNAL =", b"235")
			smtp(client, "MAIL FROM:<alice@example.test>", b"250")
			smtp(client, "RCPT TO:<bob@example.net>", b"250")
			smtp(client, "DATA", b"354")
			client.send(mails.eight_bit() + b".\r\n")
			reply(client, b"250")
		mail = sink().wait_mail(count + 1)
		equal([field for field in mail.fields("Received") if "with ESMTPSA id" in field] != [], True)
		if kind == "postfix":
			postfix().wait_log("sasl_username=alice", since=mark)
		else:
			dovecot().wait_log("submission(alice)", "Successfully relayed")
		event = gate().wait_for("login", user="alice")
		equal(len(event["certificate"]), 64)


def submit(client):
	count = len(sink().mails)
	smtp(client, "MAIL FROM:<alice@example.test>", b"250")
	smtp(client, "RCPT TO:<bob@example.net>", b"250")
	smtp(client, "DATA", b"354")
	client.send(mails.eight_bit() + b".\r\n")
	reply(client, b"250")
	return sink().wait_mail(count + 1)


@test("[8314-4.2-3] a mapped certificate submits by EXTERNAL, and Postfix hears of it by XCLIENT LOGIN")
def _():
	with submission("xclient", "alice@example.test") as client:
		mark = postfix().mark()
		contains(client.ehlo, b"EXTERNAL")
		smtp(client, "MAIL FROM:<alice@example.test>", b"530")
		smtp(client, "AUTH EXTERNAL Ym9i", b"535")
		smtp(client, "AUTH EXTERNAL =", b"235")
		mail = submit(client)
		local = client.sock.getsockname()[0]
	equal([field for field in mail.fields("Received") if "with ESMTPSA id" in field] != [], True)
	postfix().wait_log(f"client=unknown[{local}]", "sasl_username=alice", since=mark)


@test("[3207-4-4] where nothing but EXTERNAL is offered, a server takes mail from known certificates alone")
def _():
	for who in (None, "nobody.example.test"):
		with submission("only", who) as client:
			equal(b"AUTH" in client.ehlo, False)
			smtp(client, "AUTH EXTERNAL =", b"504")
			smtp(client, "MAIL FROM:<alice@example.test>", b"530")
	with submission("only", "alice@example.test") as client:
		contains(client.ehlo, b"AUTH EXTERNAL\n")
		smtp(client, "AUTH EXTERNAL =", b"235")
		submit(client)


@test("XCLIENT LOGIN is not said without a certificate: a password is asked for as ever, also of who has both")
def _():
	for who in (None, "alice@example.test"):
		mark = postfix().mark()
		with submission("xclient", who) as client:
			smtp(client, "AUTH PLAIN " + plain("bob", "wrong"), b"535")
			smtp(client, "AUTH EXTERNAL YWxpY2U=", b"454" if who else b"504")
			smtp(client, "AUTH PLAIN " + plain("bob", "hush"), b"235")
			submit(client)
			local = client.sock.getsockname()[0]
		postfix().wait_log(f"client=unknown[{local}]", "sasl_username=bob", since=mark)


def plain(user, password):
	return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


@test("XCLIENT LOGIN that Postfix does not offer: 454, no mail, and the log names what is missing")
def _():
	for kind, missing in (("no-xclient", "smtpd_authorized_xclient_hosts"), ("no-auth", "smtpd_sasl_auth_enable")):
		mark = gate().mark()
		with submission(kind, "alice@example.test") as client:
			smtp(client, "AUTH EXTERNAL =", b"454")
			smtp(client, "MAIL FROM:<alice@example.test>", b"530")
		contains(gate().wait_for("backend-setup", mark)["reason"], missing)
		gate().wait_for("login-failed", mark, user="alice")


@test("[4422-A-2 4422-A-4] without a certificate, or for another account: no EXTERNAL, and no mail")
def _():
	with submission("postfix", None) as client:
		equal(b"EXTERNAL" in client.ehlo, False)
		smtp(client, "AUTH EXTERNAL =", b"504")
		smtp(client, "MAIL FROM:<alice@example.test>", b"530")
	with submission("postfix", "alice@example.test") as client:
		smtp(client, "MAIL FROM:<alice@example.test>", b"530")
		smtp(client, "AUTH EXTERNAL Ym9i", b"535")
		smtp(client, "AUTH EXTERNAL", b"334")
		smtp(client, "YWxpY2U=", b"235")


@test("ManageSieve: a mapped certificate stores a script by EXTERNAL")
def _():
	gate()
	with Client(f"{GATE}:{PORTS['sieve']}") as client:
		answer(client)
		ask(client, "STARTTLS")
		client.start_tls(tls("alice@example.test"), NAME)
		contains(b"\n".join(answer(client)), b"EXTERNAL")
		contains(ask(client, 'AUTHENTICATE "EXTERNAL" ""'), b"OK")
		contains(ask(client, 'PUTSCRIPT "mine" {6+}\r\nkeep;\n'), b"OK")
		ask(client, "LOGOUT")
	dovecot().wait_log("managesieve-login: Info: Login: user=<alice>")


def answer(client):
	lines = [client.line()]
	while not client.over and not lines[-1].startswith((b"OK", b"NO", b"BYE")):
		lines.append(client.line())
	return lines


def ask(client, text):
	client.send(text + "\r\n")
	return answer(client)[-1]


@test("client certificates are of no use to an MX, and --check says so")
def _():
	leaf = pki().leaf("mail2", [NAME])
	text = config_text({"certificates": [certificate(leaf)], "client_certificates": blocks(), "listeners": [
		listener("smtp", f"{GATE}:2025", leaf, "127.0.0.1:1", client_certificates="staff")]})
	status, lines = check_config(lab, text)
	equal(status, 78)
	contains("\n".join(lines), "client-certificates are not for smtp")


run(lab)
