#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Name servers that are silent for long: whoever does not need them notices nothing. The resolver has its own time limits
here, without those that other tests give it."""

import contextlib
import socket
import sys
from functools import cache

sys.dont_write_bytecode = True
from lab import Lab, contains, equal, move_inside, run, split_address, test  # noqa: E402
from policylab import PolicyLab, netstring  # noqa: E402

move_inside()
SILENT, WAITING = 300, 1100
lab = Lab()

SIGNED = f"""$TTL 60
mx A 127.0.0.21
_25._tcp.mx TLSA 3 1 1 {"ab" * 32}
""" + "".join(f"d{number} MX 10 mx\n" for number in range(40))


@cache
def service():
	made = PolicyLab(lab, {"signed.test": SIGNED}, ["a.test"], start=False)
	made.zones.silence("silent.test")
	made.zones.max_rtt_ms = None
	made.conf = made.zones.unbound_conf(server=made.watch.place)
	made.dns["unbound_conf"] = made.conf
	made.gate = made.new_gate()
	return made


def asked(count, first=0):
	"""Connections that wait for what a silent server says."""
	host, port = split_address(service().address)
	made = []
	for number in range(first, first + count):
		sock = socket.create_connection((host, port), timeout=30)
		sock.sendall(netstring(f"QUERY d{number}.silent.test"))
		made.append(sock)
	return made


def answered(socks):
	"""How many of them have their answer."""
	found = 0
	for sock in socks:
		sock.setblocking(False)
		with contextlib.suppress(BlockingIOError):
			found += bool(sock.recv(1, socket.MSG_PEEK))
	return found


@test(f"{SILENT} domains behind a silent server delay no other domain, new or known")
def _():
	equal(service().ask("d0.signed.test"), "OK dane-only")
	waiting = asked(SILENT)
	for number in range(20):
		equal(service().ask(f"d{number}.signed.test"), "OK dane-only")
	# nothing above had to wait until these were given up
	equal(answered(waiting), 0)
	for sock in waiting:
		sock.close()


@test(f"a fresh connection is served while {WAITING} others wait")
def _():
	waiting = asked(WAITING, first=1000)
	equal(service().ask("d30.signed.test"), "OK dane-only")
	equal(answered(waiting), 0)
	for sock in waiting:
		sock.close()


@test("domains behind a silent server get TEMP in the end, and mail waits")
def _():
	sock, = asked(1, first=5000)
	contains(sock.recv(200).decode(), "TEMP the MX lookup failed")
	sock.close()


run(lab)
