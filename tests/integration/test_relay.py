#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No stranger may relay through gatepost: a Postfix with Debian's default mynetworks trusts 127.0.0.1, and that is gatepost."""

import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from gate import EX_CONFIG, Gate, certificate, config_text, gatepost, listener  # noqa: E402
from lab import USER, contains, equal, run, test  # noqa: E402
from postfix import Postfix  # noqa: E402
from smtpserver import SmtpServer  # noqa: E402

EX_UNAVAILABLE = 69
ROLES = ("smtp", "submission", "submissions")
MASTER_CF = "-o smtpd_upstream_proxy_protocol=haproxy"


@cache
def leaf():
	return pki().leaf("mail", ["mail.example.test"])


@cache
def postfix():
	return Postfix(lab, domains="example.net", xclient="127.0.0.1")


@cache
def careful():
	"""The same without trusted networks, and without XCLIENT."""
	return Postfix(lab, domains="example.net", xclient="", settings={"mynetworks": ""})


@cache
def careless():
	"""One that relays for everyone."""
	return Postfix(lab, domains="example.net", settings={"mynetworks": "0.0.0.0/0"})


@cache
def strict():
	"""One that refuses much before it looks at whether it trusts the client."""
	return Postfix(lab, domains="example.net", settings={
		"smtpd_helo_required": "yes",
		"smtpd_helo_restrictions": "reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname",
		"smtpd_sender_restrictions": "reject_non_fqdn_sender, reject_unknown_sender_domain",
		"smtpd_relay_restrictions": "reject_non_fqdn_recipient, reject_unknown_recipient_domain, permit_mynetworks, "
			"defer_unauth_destination"})


@cache
def dovecot():
	return Dovecot(lab, pki(), trusted="127.0.0.0/8", relay=SmtpServer(lab).address)


def config(role, backend, facts=None):
	entry = listener(role, lab.address(2525), leaf(), backend, facts)
	if not facts:
		del entry["backend"]["facts"]
	return config_text({"server": {"user": USER.pw_name, "hostname": "edge.example.test"},
		"certificates": [certificate(leaf())], "listeners": [entry]})


def check(role, backend, facts=None, *words):
	return gatepost(lab, "serve", "--check", *words, "-c", lab.write("relay.conf", config(role, backend, facts)))


def connect(role, backend, facts):
	done = check(role, backend, facts, "--connect")
	return done.returncode, done.stdout + done.stderr


@test("facts left out where Postfix trusts 127.0.0.1: an error of --check and of the start, with the line and what to write")
def _():
	for role in ROLES:
		done = check(role, postfix().port("plain"))
		equal((role, done.returncode), (role, EX_CONFIG))
		for part in ("relay.conf:", f": {role}: backend.facts is missing: backend {postfix().port('plain')}", "mynetworks",
				'facts = "proxy-v2"', 'facts = "none"'):
			contains(done.stderr, part)
	row = listener("smtp", lab.address(2525), leaf(), postfix().port("plain"))
	del row["backend"]["facts"]
	gate = Gate(lab, "missing", wait=False, certificates=[certificate(leaf())], listeners=[row])
	equal(gate.wait(), EX_CONFIG)
	contains("\n".join(gate.lines), "smtp: backend.facts is missing")


@test('facts = "none" before Postfix with its default mynetworks: --check --connect says open relay, and what to change')
def _():
	for role in ROLES:
		code, text = connect(role, postfix().port("plain"), "none")
		equal((role, code, "no errors" in text), (role, EX_UNAVAILABLE, False))
		for part in ("open relay: without AUTH it accepts mail for <gatepost-check@", "250 2.1.5 Ok", MASTER_CF, "-o mynetworks="):
			contains(text, part)
	equal(postfix().queue(), [])


@test('facts = "none" before Postfix without trusted networks, proxy-v2 and xclient before its default: no errors')
def _():
	for role in ROLES:
		for backend, facts in ((careful().port("plain"), "none"), (postfix().port("proxy"), "proxy-v2"),
				(postfix().port("plain"), "xclient")):
			code, text = connect(role, backend, facts)
			if code:
				raise AssertionError(f"{role} {facts}: {code}: {text}")
			contains(text, "no errors")
	equal(postfix().queue() + careful().queue(), [])


@test("a Postfix that relays for everyone is an open relay behind PROXY and XCLIENT, too: 192.0.2.1 is claimed")
def _():
	for role in ROLES:
		for port, facts in (("proxy", "proxy-v2"), ("plain", "xclient")):
			code, text = connect(role, careless().port(port), facts)
			equal((role, facts, code), (role, facts, EX_UNAVAILABLE))
			contains(text, "open relay")
			contains(text, "from 192.0.2.1. ")
			contains(text, "reject_unauth_destination")


@test("a Postfix that is strict with names, senders and recipients, and then trusts 127.0.0.1, is found out as well")
def _():
	for role in ROLES:
		code, text = connect(role, strict().port("plain"), "none")
		equal((role, code), (role, EX_UNAVAILABLE))
		contains(text, "open relay: without AUTH it accepts mail for <gatepost-check@[203.0.113.1]>")
		equal(connect(role, strict().port("proxy"), "proxy-v2")[0], 0)


@test("Dovecot's submission takes nothing without AUTH, in whatever way it learns who the client is")
def _():
	for role in ROLES[1:]:
		for name, facts in (("submission", "none"), ("submission", "xclient"), ("submission-proxy", "proxy-v2")):
			equal((role, facts, connect(role, dovecot().port(name), facts)[0]), (role, facts, 0))


@test("facts that Postfix does not take are noticed: XCLIENT that is not offered, PROXY that is not expected")
def _():
	code, text = connect("smtp", careful().port("plain"), "xclient")
	equal(code, EX_UNAVAILABLE)
	contains(text, "does not offer XCLIENT ADDR")
	code, text = connect("smtp", postfix().port("plain"), "proxy-v2")
	equal((code, "no errors" in text), (EX_UNAVAILABLE, False))


class Choosy(SmtpServer):
	"""Relays, but neither for the null sender nor for domains without DNS records."""

	def talk(self, session):
		session.send(b"220 choosy.test ESMTP\r\n")
		session.verbs = []
		while line := session.line():
			session.verbs.append(line.split()[0])
			if line.startswith(b"QUIT"):
				session.send(b"221 2.0.0 Bye\r\n")
				return
			bad = line == b"MAIL FROM:<>" or b".invalid" in line
			session.send(b"550 5.7.1 No\r\n" if bad else b"250-a\r\n250 b\r\n" if line.startswith(b"EHLO") else b"250 2.0.0 Ok\r\n")


@test("a backend that refuses the null sender and unknown domains is found out as well; it sees no DATA, but RSET and QUIT")
def _():
	backend = Choosy(lab)
	code, text = connect("smtp", backend.address, "none")
	equal(code, EX_UNAVAILABLE)
	contains(text, "<gatepost-check@[203.0.113.1]>")
	verbs = backend.sessions[-1].verbs
	equal((b"DATA" in verbs, verbs[-2:]), (False, [b"RSET", b"QUIT"]))


@test("a backend that goes away at MAIL, with 421 or without a word, is not called well")
def _():
	class Gone(Choosy):
		last = b""

		def talk(self, session):
			session.send(b"220 gone.test ESMTP\r\n")
			while session.line().startswith(b"EHLO"):
				session.send(b"250 gone.test\r\n")
			session.send(self.last)

	class Busy(Gone):
		last = b"421 4.3.2 busy\r\n"
	for kind in (Gone, Busy):
		code, text = connect("smtp", kind(lab).address, "none")
		equal((kind, code), (kind, EX_UNAVAILABLE))
		contains(text, "does not answer MAIL and RCPT")


@test('a start with facts = "none" goes by the operator\'s word, and warns of it; again after a reload')
def _():
	address, backend = lab.address(2525), careful().port("plain")
	rows = [listener("smtp", address, leaf(), backend, "none"),
		listener("submission", lab.address(2587), leaf(), postfix().port("proxy"), "proxy-v2")]
	gate = Gate(lab, "warned", certificates=[certificate(leaf())], listeners=rows)
	event = gate.wait_for("backend-blind")
	equal((event.level, event["listener"], event["backend"]), ("warn", f"smtp@{address}", backend))
	equal(len(gate.events("backend-blind")), 1)
	gate.reload()
	equal(len(gate.events("backend-blind")), 2)


run(lab)
