#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What gatepost tells a backend about the client is true: Dovecot's and HAProxy's own logs say so.

The client has an address of its own that Dovecot does not trust: that it accepts a password at all is due to the TLS
facts in the PROXY header.
"""

import contextlib
import socket
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, pki, tls  # noqa: E402
import haproxy  # noqa: E402
import mails  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import Skip, contains, equal, run, split_address, test  # noqa: E402
from wire import Client, by_starttls, implicit  # noqa: E402

OPENED = {"imaps": implicit, "imap": by_starttls, "pop3s": implicit, "pop3": by_starttls}
SOURCE = lab.host()            # the client's own address
BALANCER = lab.host()          # HAProxy's, when it sends
GATE = lab.host()
PORTS = {"imaps": 1993, "imap": 1143, "pop3s": 1995, "pop3": 1110}
FACTS = {"proxy-v2": 0, "own": 1, "none": 2, "haproxy": 3, "behind": 4}   # each kind has ports of its own


@cache
def dovecot():
	made = Dovecot(lab, pki(), trusted="127.0.0.1/32")
	made.deliver("alice", mails.plain())
	return made


@cache
def receiver():
	"""HAProxy between gatepost and Dovecot."""
	address = lab.address(3143)
	return address, haproxy.start(lab, "receiver", address, dovecot().port("imap"), accept="accept-proxy")


@cache
def gate():
	leaf = pki().leaf("mail", [NAME])
	rows = []
	for role in OPENED:
		protocol = role.removesuffix("s")
		rows += [
			listener(role, address("proxy-v2", role), leaf, dovecot().port(protocol + "-proxy"), "proxy-v2"),
			listener(role, address("own", role), leaf, dovecot().port(protocol), OWN[protocol]),
			listener(role, address("behind", role), leaf, dovecot().port(protocol + "-proxy"), "proxy-v2",
				proxy_from=[BALANCER])]
	rows.append(listener("imaps", address("haproxy", "imaps"), leaf, receiver()[0], "proxy-v2"))
	rows.append(listener("imap", address("haproxy", "imap"), leaf, receiver()[0], "proxy-v2"))
	rows.append(listener("imap", address("none", "imap"), leaf, dovecot().port("imap"), "none"))
	return Gate(lab, certificates=[certificate(leaf)], listeners=rows)


OWN = {"imap": "imap-id", "pop3": "xclient"}


def address(kind, role):
	return f"{GATE}:{PORTS[role] + 1000 * FACTS[kind]}"


def log_in(client):
	"""Log in as alice and read a line, in whichever protocol it is."""
	line = client.line() if client.implicit else b""
	if client.protocol == "imap":
		equal(line == b"" or line.startswith(b"* OK"), True)
		contains(client.imap("LOGIN alice secret")[-1], b"OK")
	else:
		contains(client.pop("USER alice"), b"+OK")
		contains(client.pop("PASS secret"), b"+OK")


def session(where, role, source=SOURCE):
	"""A whole session; returns the client's name and gatepost's session id."""
	mark = gate().mark()
	client = OPENED[role](where, tls(), NAME, source=source)
	client.implicit, client.protocol = role.endswith("s"), role.removesuffix("s")
	log_in(client)
	client.say_goodbye()
	client.close()
	return client.name, gate().wait_for("session-end", mark, client=client.name)


def login_line(since, host):
	return dovecot().wait_log("-login: Info: Login: user=<alice>", f"rip={host},", since=since)


@test("PROXY v2: Dovecot logs the client's address and port, ours, the SNI, and that the session is secured")
def _():
	gate()
	for role in OPENED:
		mark = dovecot().mark()
		name, event = session(address("proxy-v2", role), role)
		line = login_line(mark, SOURCE)
		contains(line, f"rip={SOURCE}, rport={split_address(name)[1]}, lip={GATE}, lport={PORTS[role]}, ")
		equal(", secured," in line or ", TLS," in line, True)
		contains(line, f"name=<{NAME}>")
		equal(event["client"], name)


@test("it is the TLS facts that do it: with a PROXY header of addresses alone Dovecot takes no password")
def _():
	with Client(dovecot().port("imap-proxy")) as client:
		client.send(f"PROXY TCP4 {SOURCE} {GATE} 1000 143\r\n")
		contains(client.line(), b"LOGINDISABLED")


@test("facts = none: Dovecot sees gatepost and no client")
def _():
	mark = dovecot().mark()
	session(address("none", "imap"), "imap")
	contains(login_line(mark, "127.0.0.1"), "secured")


@test("IMAP ID and POP3 XCLIENT: Dovecot logs the client's address and port and our session id")
def _():
	gate()
	for role in OPENED:
		mark = dovecot().mark()
		name, event = session(address("own", role), role)
		line = login_line(mark, SOURCE)
		contains(line, f"rip={SOURCE}, rport={split_address(name)[1]}, ")
		contains(line, event["sid"])


@test("what a client itself sends as ID cannot pose as such facts")
def _():
	gate()
	mark = dovecot().mark()
	client = implicit(address("own", "imaps"), tls(), NAME, source=SOURCE)
	client.line()
	contains(client.imap('ID ("name" "x" "x-originating-ip" "192.0.2.66" "x-session-ext-id" "forged")')[-1], b"OK")
	contains(client.imap("LOGIN alice secret")[-1], b"OK")
	line = login_line(mark, SOURCE)
	equal("192.0.2.66" in line or "forged" in line, False)


@test("HAProxy as the receiver of our PROXY header finds address, SNI and session id in it")
def _():
	gate()
	for role in ("imaps", "imap"):
		mark = receiver()[1].mark()
		name, event = session(address("haproxy", role), role)
		line = receiver()[1].wait_line(lambda text: f"client={name}" in text, mark, "its log line")
		contains(line, f"authority={NAME}")
		contains(line, f"id={event['sid']}")


@test("HAProxy as the sender, PROXY v1 and v2: gatepost and Dovecot see the client behind it")
def _():
	for number, words in enumerate(("send-proxy", "send-proxy-v2")):
		for role in OPENED:
			front = lab.address(1993)
			haproxy.start(lab, f"sender-{number}-{role}", front, address("behind", role), send=words, source=BALANCER)
			mark = dovecot().mark()
			name, event = session(front, role)
			equal(event["client"], name)
			contains(login_line(mark, SOURCE), f"rport={split_address(name)[1]}, lip={split_address(front)[0]}, ")


def proxied(header, source=BALANCER):
	"""Send bytes to the listener that expects a header; what it says, and its last event."""
	mark = gate().mark()
	with Client(address("behind", "imap"), source=source) as client:
		said = client.say_all(header)
	return said, gate().wait_for("session-end", mark)


@test("a PROXY header is believed from listed addresses only, and demanded from these")
def _():
	said, event = proxied(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 143\r\na LOGOUT\r\n")
	contains(said, b"* BYE")
	equal(event["client"], "192.0.2.1:1000")
	said, event = proxied(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 143\r\na LOGOUT\r\n", source=SOURCE)
	contains(said, b"PROXY BAD ")
	contains(event["client"], SOURCE)
	for header in (b"a LOGOUT\r\n", b"PROXY TCP4 nonsense\r\n", b"PROXY TCP4 192.0.2.1", b""):
		said, event = proxied(header)
		equal(said, b"")
		equal(event["end"], "proxy-header")
		contains(event["client"], BALANCER)


@test("a listener on [::] takes both families, and tells each client's address as what it is")
def _():
	if not has_ipv6():
		raise Skip("kernel: no IPv6 on loopback")
	port = lab.free_port("")
	leaf = pki().leaf("both", [NAME])
	both = Gate(lab, "both", certificates=[certificate(leaf)], listeners=[
		listener("imaps", f"[::]:{port}", leaf, dovecot().port("imap-proxy"), "proxy-v2")])
	for host, told, logged in (("::1", "::1", "[::1]"), ("127.0.0.1", "127.0.0.1", "127.0.0.1")):
		mark = dovecot().mark()
		client = implicit(f"[{host}]:{port}", tls(), NAME)
		contains(client.line(), b"* OK")
		contains(client.imap("LOGIN alice secret")[-1], b"OK")
		local = client.sock.getsockname()[1]
		client.close()
		contains(login_line(mark, told), f"rport={local}, lip={told}, lport={port}, ")
		both.wait_for("session-end", client=f"{logged}:{local}")


def has_ipv6():
	with socket.socket(socket.AF_INET6) as sock, contextlib.suppress(OSError):
		sock.bind(("::1", 0))
		return True
	return False


@test("a LOCAL header is the balancer's own health check; its real address counts")
def _():
	local = bytes.fromhex("0d0a0d0a000d0a515549540a 20 00 0000".replace(" ", ""))
	said, event = proxied(local + b"a LOGOUT\r\n")
	contains(said, b"* BYE")
	contains(event["client"], BALANCER)


@test("a PROXY header that comes byte by byte, glued to the first command, is read to its last byte and no further")
def _():
	mark = gate().mark()
	with Client(address("behind", "imap"), source=BALANCER) as client:
		for byte in b"PROXY TCP4 192.0.2.9 192.0.2.2 99 143\r\na NOOP\r\n":
			client.sock.sendall(bytes([byte]))
		contains(client.line(), b"* OK")
		contains(client.line(), b"a OK")
	equal(gate().wait_for("session-end", mark)["client"], "192.0.2.9:99")


run(lab)
