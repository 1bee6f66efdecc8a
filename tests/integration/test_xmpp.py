#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""XMPP through gatepost with real servers behind it and real clients and servers before it."""

import re
import sys
from functools import cache

sys.dont_write_bytecode = True
import xmpp  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import Lab, command, contains, equal, run, test  # noqa: E402
from pki import Pki  # noqa: E402
from wire import Backend, Client, context  # noqa: E402
from xmpp import USERS, Ejabberd, Prosody, Slixmpp  # noqa: E402

DOMAIN, OTHER = "example.test", "other.test"
lab = Lab()
EDGE_S2S = lab.address(5269)
ROLES = {"xmpp-client": 5222, "xmpps-client": 5223}
ADDRESS = {(backend, role): lab.address(port) for backend in ("prosody", "ejabberd", "scripted", "dead")
	for role, port in ROLES.items()}


@cache
def pki():
	return Pki(lab)


@cache
def peer():
	"""Another domain's server; it finds ours at the edge."""
	return Prosody(lab, pki(), OTHER, {DOMAIN: EDGE_S2S}, s2s_tls=True)


@cache
def prosody():
	return Prosody(lab, pki(), DOMAIN, {OTHER: peer().s2s})


@cache
def ejabberd():
	return Ejabberd(lab, DOMAIN)


@cache
def gate():
	leaf = pki().leaf("edge", [DOMAIN])
	targets = {"prosody": (prosody().c2s, None), "ejabberd": (ejabberd().c2s, "proxy-v2")}
	return Gate(lab, certificates=[certificate(leaf)], listeners=[
		listener(role, ADDRESS[backend, role], leaf, target, facts, domains=[DOMAIN])
		for backend, (target, facts) in targets.items() for role in ROLES] + [
		listener("xmpp-server", EDGE_S2S, leaf, prosody().s2s, domains=[DOMAIN])])


def logs_in(backend, role):
	mark = gate().mark()
	with Slixmpp(lab, "alice@" + DOMAIN, USERS["alice"], ADDRESS[backend, role], pki().root, role == "xmpps-client") as alice:
		contains(alice.wait("session"), "alice@" + DOMAIN)
		alice.say("alice@" + DOMAIN, "to myself")
		alice.wait_message("to myself")
	login = gate().wait_for("login", mark, user="alice")
	contains(login["listener"], role + "@")
	end = gate().wait_for("session-end", mark, user="alice")
	contains(end["tls"], "TLSv1.")
	contains(end["cipher"], "TLS_")
	return end


@test("[7590-3.1-1 6120-5.2-1 6120-13.6-1] slixmpp logs in to Prosody by STARTTLS and talks")
def _():
	logs_in("prosody", "xmpp-client")


@test("[XEP0368-3-9] slixmpp logs in to Prosody by direct TLS and talks")
def _():
	logs_in("prosody", "xmpps-client")


@test("slixmpp logs in to ejabberd both ways, and ejabberd hears whose connection it is")
def _():
	for role in ROLES:
		mark = ejabberd().mark()
		end = logs_in("ejabberd", role)
		print(end.text)


@test("s2s")
def _():
	gate()
	with Slixmpp(lab, "bob@" + DOMAIN, USERS["bob"], ADDRESS["prosody", "xmpp-client"], pki().root) as bob, \
			Slixmpp(lab, "alice@" + OTHER, USERS["alice"], peer().c2s) as alice:
		bob.wait("session")
		alice.wait("session")
		alice.say("bob@" + DOMAIN, "over the edge")
		contains(bob.wait_message("over the edge"), "alice@" + OTHER)
		bob.say("alice@" + OTHER, "and back")
		alice.wait_message("and back")


run(lab)
