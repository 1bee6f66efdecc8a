#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that people use read real mail from a real Dovecot through gatepost, byte by byte as it was stored.

Once on localhost with some free ports, and once more, by running itself in a name space as an ordinary user, with the
real ports 143, 993, 110 and 995.
"""

import os
import re
import sys
from functools import cache

sys.dont_write_bytecode = True
import peers  # noqa: E402
from dovecot import PASSWORDS  # noqa: E402
from lab import Lab, contains, equal, furnish_namespace, inside, run, test  # noqa: E402
from mailsite import REAL_PORTS, MailSite  # noqa: E402
from peers import PROTOCOL, ROLES  # noqa: E402
from wire import by_starttls, context, implicit  # noqa: E402

INSIDE = bool(os.environ.get("LAB_INSIDE"))
lab = Lab()

IDS = {
	"imaps": "8314-3.2-1 8314-4-3 9325-3.2-1",
	"imap": "2595-3.1-1 8314-4-4",
	"pop3s": "8314-3.1-1 8314-4-3 9325-3.2-1",
	"pop3": "2595-4-2 8314-4-4",
}


@cache
def site():
	if not INSIDE:
		return MailSite(lab, "localhost", "127.0.0.1", {role: lab.free_port() for role in ROLES})
	address = lab.host()
	furnish_namespace(lab, {"mail.example.test": address})
	return MailSite(lab, "mail.example.test", address, REAL_PORTS)


def expect_login(mark, role, user):
	"""RFC 8314 section 4: what the log says of connection and login."""
	gate = site().gate
	for name in ("login", "session-end"):
		event = gate.wait_for(name, mark, user=user)
		contains(event["listener"], role + "@")
		contains(event["tls"], "TLSv1.")
		contains(event["cipher"], "TLS_")
		contains(event["client"], "127.0.0.1:")


def reads_all(reader, role, user):
	"""A client that returns the messages of a mailbox."""
	mark, stored = site().gate.mark(), site().stored(user)
	got = reader(site().scene, role, user, len(stored))
	equal([len(message) for message in sorted(got)], [len(message) for message in sorted(stored)])
	equal(sorted(got) == sorted(stored), True)
	expect_login(mark, role, user)


def shows_all(reader, role, user):
	"""A client that shows what came over the wire."""
	mark, stored = site().gate.mark(), site().stored(user)
	got = reader(site().scene, role, user, len(stored))
	for message in stored:
		wire = message if PROTOCOL[role] == "imap" else message.replace(b"\r\n.", b"\r\n..")
		equal((len(message), wire in got), (len(message), True))
	expect_login(mark, role, user)


def curl_reads(role, user):
	mark = site().gate.mark()
	for number, message in enumerate(site().stored(user), 1):
		equal(peers.curl(site().scene, role, user, number) == message, True)
	expect_login(mark, role, user)


def add_test(client, role, function, *arguments):
	@test(f"[{IDS[role]}] {client} over {role}: every message as it is stored")
	def _():
		function(*arguments)


for each in ROLES:
	add_test("curl", each, curl_reads, each, "alice")
	add_test("Python", each, reads_all, peers.python, each, "alice")
	add_test("OpenSSL", each, shows_all, peers.s_client, each, "alice")
	add_test("GnuTLS", each, shows_all, peers.gnutls, each, "bob")
	add_test("mutt", each, reads_all, peers.mutt, each, "bob")
	add_test("fetchmail", each, reads_all, peers.fetchmail, each, "bob")
	if PROTOCOL[each] == "imap":
		add_test("mbsync", each, reads_all, peers.mbsync, each, "alice")


@test("a wrong password is refused by the backend, in its own words, and logged")
def _():
	gate = site().gate
	for role in ROLES:
		mark = gate.mark()
		said = peers.curl(site().scene, role, "alice", 1, password="wrong", check=False)
		contains(said, "curl: (67)")
		event = gate.wait_for("login-failed", mark, user="alice")
		contains(event["listener"], role + "@")
	equal(any("wrong" in event.text for event in gate.events()), False)


@test("[5034-4-5] after a refused login the right one is accepted in the same session")
def _():
	tls = context(site().pki.root)
	with by_starttls(site().scene.address("imap"), tls, site().scene.host) as client:
		contains(client.imap("LOGIN alice wrong")[-1], b"NO [AUTHENTICATIONFAILED]")
		contains(client.imap(f"LOGIN alice {PASSWORDS['alice']}")[-1], b"OK")
	with implicit(site().scene.address("pop3s"), tls, site().scene.host) as client:
		contains(client.line(), b"+OK")
		contains(client.pop("AUTH PLAIN AGFsaWNlAHdyb25n"), b"-ERR [AUTH]")
		contains(client.pop("AUTH PLAIN AGFsaWNlAHNlY3JldA=="), b"+OK")
		contains(client.pop("STAT"), b"+OK 4 ")


@test("[8314-4-13] the line of a login carries name, SNI, version, suite and group")
def _():
	mark = site().gate.mark()
	peers.curl(site().scene, "imaps", "bob", 1)
	event = site().gate.wait_for("login", mark, user="bob")
	equal({key: event[key] for key in ("user", "sni", "tls", "cipher", "group", "resumed")},
		{"user": "bob", "sni": site().scene.host, "tls": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384",
		"group": "x25519", "resumed": "no"})
	end = site().gate.wait_for("session-end", mark, sid=event["sid"])
	# both close after LOGOUT
	contains(("client-closed", "backend-closed"), end["end"])
	equal(int(end["out"]) > len(site().stored("bob")[0]), True)


if not INSIDE:
	@test("[8314-7-1] all of this as an ordinary user in a name space, with ports 993, 143, 995 and 110")
	def _():
		said = inside(lab, "test_clients.py")
		equal(re.findall("^not ok.*", said, re.MULTILINE), [])
		equal(said.count("\nok "), int(re.search(r"1\.\.(\d+)", said)[1]))


run(lab)
