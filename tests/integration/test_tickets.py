#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Session tickets that several machines share: two gateposts with one file of keys."""

import base64
import os
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import backend, lab, pki  # noqa: E402
from gate import Gate, certificate, check_config, config_text, listener  # noqa: E402
from lab import command, contains, equal, run, test  # noqa: E402

NAME, SECOND = "mail.example.test", "second.example.test"
PORT = 1993
KEYS = [base64.b64encode(os.urandom(80)).decode() for _ in range(5)]


@cache
def leaves():
	return pki().leaf("good", [NAME]), pki().leaf("second", [SECOND])


def write_keys(name, *keys):
	"""In one step, as a careful program does it."""
	new = lab.write(name + ".new", "\n".join(keys) + "\n", mode=0o600)
	os.replace(new, lab.path(name))
	return lab.path(name)


def start(name, keys, environment=None):
	"""A gatepost on a host of its own, and its address. Both have the same certificates."""
	address = lab.address(PORT)
	server = {"ticket_keys": write_keys(name + ".keys", *keys)} if keys else {}
	gate = Gate(lab, name, server=server, environment=environment, certificates=[certificate(leaf) for leaf in leaves()],
		listeners=[listener("imaps", address, leaves()[0], backend().address)])
	return gate, address


@cache
def both():
	return start("first", KEYS[:2]), start("second", KEYS[:2])


def connect(address, version, *words, name=NAME):
	return command("openssl", "s_client", "-connect", address, "-servername", name, "-CAfile", pki().root, version,
		*words, input="a LOGOUT\r\n", check=False).stdout


def is_resumed(issuer, opener, version, name=NAME, other=None):
	"""Is the session of one server resumed by the other?"""
	session = lab.path("session.pem")
	contains(connect(issuer, version, "-ign_eof", "-sess_out", session, name=name), "New, TLSv1")
	said = connect(opener, version, "-ign_eof", "-sess_in", session, name=other or name)
	equal("Reused, TLSv1" in said or "New, TLSv1" in said, True)
	return "Reused, TLSv1" in said


VERSIONS = "-tls1_2", "-tls1_3"


@test("[9325-3.4-3] two gateposts with the same ticket-keys resume each other's sessions, in TLS 1.2 and 1.3")
def _():
	(_, first), (_, second) = both()
	for version in VERSIONS:
		for issuer, opener in ((first, second), (second, first), (first, first)):
			equal(is_resumed(issuer, opener, version), True)


@test("[9325-3.4-5] a ticket is taken for half a day, although its key is there for longer, in TLS 1.2 and 1.3")
def _():
	(_, first), _ = both()
	library = command("sh", "-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1").stdout.split()[0]
	for hours, taken in ((11, True), (13, False)):
		gate, later = start(f"later{hours}", KEYS[:2], {"LD_PRELOAD": library, "FAKETIME": f"+{hours}h", "DONT_FAKE_MONOTONIC": "1"})
		for version in VERSIONS:
			equal((hours, version, is_resumed(first, later, version)), (hours, version, taken))
		gate.stop()


@test("a ticket made under one name is not taken under another, on the same machine or the other")
def _():
	(_, first), (_, second) = both()
	for version in VERSIONS:
		for opener in (first, second):
			equal(is_resumed(first, opener, version, NAME, SECOND), False)
			equal(is_resumed(first, opener, version, SECOND, NAME), False)


@test("[9325-3.4-3 9325-3.4-4] the file is read again when it changes: new keys come and old ones go, machine by machine")
def _():
	(one, first), (two, second) = both()
	session = lab.path("old.pem")
	connect(first, "-tls1_3", "-ign_eof", "-sess_out", session)
	for keys in (KEYS[:3], KEYS[1:4]):
		for gate, name in ((one, "first"), (two, "second")):
			mark = gate.mark()
			write_keys(name + ".keys", *keys)
			gate.wait_for("reloaded", mark)
			equal(is_resumed(first, second, "-tls1_3"), True)
			equal(is_resumed(second, first, "-tls1_2"), True)
	contains(connect(first, "-tls1_3", "-ign_eof", "-sess_in", session), "New, TLSv1")


@test("without a file two gateposts have keys of their own")
def _():
	(_, first), (_, second) = start("third", None), start("fourth", None)
	for version in VERSIONS:
		equal(is_resumed(first, second, version), False)
		equal(is_resumed(first, first, version), True)


@test("a file of no use is refused with its line")
def _():
	text = {"server": {"ticket_keys": write_keys("bad.keys", KEYS[0], "AAAA")}, "certificates": [certificate(leaves()[0])],
		"listeners": [listener("imaps", lab.address(PORT), leaves()[0], backend().address)]}
	code, said = check_config(lab, config_text(text))
	equal(code, 78)
	contains(said[0], "bad.keys:2: not a ticket key of 80 bytes in base64")


run(lab)
