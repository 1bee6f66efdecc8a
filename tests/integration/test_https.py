#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""HTTPS in front of an HTTP/1.1 server."""

import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki  # noqa: E402
import haproxy  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import command, contains, equal, run, test  # noqa: E402
from wire import Backend, Client, alert_of, context, implicit  # noqa: E402

NAME = "www.example.test"
SOURCE, GATE = lab.host(), lab.host()
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"


def http(session):
	"""Answers each request with a page; /cut with half of it."""
	while line := session.line():
		session.asked = line
		while session.line():
			pass
		if b"/cut" in line:
			session.send(PAGE[:-3])
			return
		session.send(PAGE)


@cache
def server():
	return Backend(lab, http, address=lab.address(8080))


@cache
def gate():
	leaf = pki().leaf("www", [NAME])
	receiver = lab.address(8081)
	haproxy.start(lab, "receiver", receiver, server().address, accept="accept-proxy")
	rows = [listener("https", f"{GATE}:1443", leaf, server().address),
		listener("https", f"{GATE}:2443", leaf, receiver, "proxy-v2"),
		listener("https", f"{GATE}:3443", leaf, lab.address(9))]
	return Gate(lab, certificates=[certificate(leaf)], listeners=rows)


def curl(port, path="/", *more, check=True):
	gate()
	return command("curl", "-sS", "-i", "--http1.1", "--cacert", pki().root, "--resolve", f"{NAME}:{port}:{GATE}",
		"--interface", SOURCE, *more, f"https://{NAME}:{port}{path}", check=check)


@test("curl gets a page, also behind a PROXY header, and the log has the session")
def _():
	for port in (1443, 2443):
		gate()
		mark = gate().mark()
		contains(curl(port).stdout, "hello")
		event = gate().wait_for("session-end", mark)
		contains(event["listener"], "https@")
		contains(event["client"], SOURCE)


@test("[8470-2-1] the ticket permits no early data")
def _():
	gate()
	done = command("openssl", "s_client", "-connect", f"{GATE}:1443", "-servername", NAME, "-tls1_3", "-sess_out",
		lab.path("early.pem"), "-ign_eof", input="GET /cut HTTP/1.1\r\n\r\n", check=False)
	contains(done.stdout, "Max Early Data: 0")


@test("[8461-7.1-4 8461-7.1-5] a name in the SNI that no certificate covers is refused by alert 112; a missing one is not")
def _():
	gate()
	relaxed = context(pki().root, check_hostname=False)
	client = Client(f"{GATE}:1443")
	client.sock.sendall(client.hello(relaxed, "other.example"))
	equal(alert_of(client.rest()), 112)
	client.close()
	implicit(f"{GATE}:1443", relaxed, None).close()


@test("[9112-9.7-1] HTTP in cleartext gets no answer, and reaches no server")
def _():
	mark = gate().mark()
	with Client(f"{GATE}:1443") as client:
		equal(client.say_all(f"GET /in-clear HTTP/1.1\r\nHost: {NAME}\r\n\r\n"), b"")
		name = client.name
	equal(gate().wait_for("session-end", mark, client=name)["end"], "plaintext-on-tls-port")
	equal([session.heard for session in server().sessions if b"/in-clear" in session.heard], [])


@test("ALPN: http/1.1 is taken, h2 alone is refused")
def _():
	gate()
	both = context(pki().root)
	both.set_alpn_protocols(["h2", "http/1.1"])
	with implicit(f"{GATE}:1443", both, NAME) as client:
		equal(client.tls.selected_alpn_protocol(), "http/1.1")
	only = context(pki().root)
	only.set_alpn_protocols(["h2"])
	try:
		implicit(f"{GATE}:1443", only, NAME).close()
		raise AssertionError("h2 was taken")
	except ssl.SSLError as failure:
		contains(str(failure), "no application protocol")


@test("[9112-9.8-2] the end is a close_notify when the backend has closed in order")
def _():
	gate()
	with implicit(f"{GATE}:1443", context(pki().root), NAME) as client:
		client.send(b"GET /cut HTTP/1.1\r\nHost: x\r\n\r\n")
		equal(client.rest(), PAGE[:-3])
		equal(client.closed_by, "close_notify")


@test("without a backend: 503, and a log line")
def _():
	gate()
	mark = gate().mark()
	contains(curl(3443).stdout, "503")
	gate().wait_for("backend-failed", mark)


run(lab)
