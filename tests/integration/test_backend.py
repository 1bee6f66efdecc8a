#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Backends that are down, slow, strange or set up wrongly: the client gets a clear answer in its own protocol and is
let go, the log names the cause, and nothing dangerous passes."""

import os
import signal
import socket
import ssl
import sys
import warnings

sys.dont_write_bytecode = True
from edge_lab import lab, leaf, pki, tls  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import PATIENCE_S, Gone, contains, equal, eventually, run, split_address, test  # noqa: E402
from wire import Backend, by_starttls, imap_server, implicit, server_context  # noqa: E402

NAME, BEHIND = "mail.example.test", "imap.backend.test"
UNAVAILABLE = {"imap": b"* BYE [UNAVAILABLE] ", "pop3": b"-ERR [SYS/TEMP] "}


class Edge:
	"""A gatepost with one listener of each role in front of one backend."""

	def __init__(self, backend, roles=("imaps", "imap", "pop3s", "pop3"), limits=None, server=None, **settings):
		host = lab.host()
		self.clients = []
		self.addresses = {role: f"{host}:{port}" for port, role in enumerate(roles, 1100)}
		name = "gate-" + host.rsplit(".", 1)[1]
		self.gate = Gate(lab, name, server={"workers": 1, **(server or {})}, limits=limits or {}, certificates=[certificate(leaf())],
			listeners=[listener(role, self.addresses[role], leaf(), {"address": backend, **settings})
			for role in roles])

	def client(self, role):
		open_it = implicit if role.endswith("s") else by_starttls
		self.clients.append(open_it(self.addresses[role], tls(), NAME))
		return self.clients[-1]

	def greeted(self, role):
		"""A client that knows the backend is there."""
		client = self.client(role)
		if role.endswith("s"):
			contains(client.line(), b"OK")
		return client

	def __enter__(self):
		return self

	def __exit__(self, *_):
		for client in self.clients:
			client.close()
		self.gate.stop()
		lab.processes.remove(self.gate)


def expect_refusal(edge, reason, roles=None):
	"""Every role says "unavailable" at once, closes in order, and logs why."""
	for role in roles or edge.addresses:
		mark = edge.gate.mark()
		client = edge.client(role)
		equal(client.ending(), "close_notify")
		answer = bytes(client.unread)
		client.close()
		contains(answer, UNAVAILABLE[role.removesuffix("s")])
		equal(answer.count(b"\r\n"), 1)
		event = edge.gate.wait_for("backend-failed", mark)
		contains(event["reason"], reason)
		contains(event["listener"], role + "@")
		equal(edge.gate.wait_for("session-end", mark, sid=event["sid"])["end"], "backend-failed")


def says(*texts):
	"""A script that says this and then listens until the other side ends."""
	def script(session):
		for text in texts:
			session.send(text)
		session.rest()
	return script


def answers(greeting, replies):
	"""A script that greets and answers each line that begins with a key, with %T as its tag."""
	def script(session):
		session.send(greeting)
		while True:
			line = session.line()
			if not line:
				return
			tag = line.split()[0]
			for key, reply in replies.items():
				if key in line:
					session.send(reply.replace(b"%T", tag))
	return script


# ---- no server there ----


@test("[3206-5-1] a backend that is down: BYE [UNAVAILABLE], -ERR [SYS/TEMP], and the cause in the log")
def _():
	with Edge(lab.address(1143)) as edge:
		expect_refusal(edge, "Connection refused")
		equal(edge.gate.counter("backend-failures"), 4)


@test("a unix socket that is not there, and one that is")
def _():
	path = lab.path("backend.sock")
	with Edge("unix:" + path, roles=("imaps",)) as edge:
		expect_refusal(edge, "No such file")
		backend = UnixBackend(path)
		contains(edge.greeted("imaps").imap("LOGIN alice secret")[-1], b"OK")
		backend.close()


class UnixBackend(Backend):
	def __init__(self, path):
		self.path = path
		super().__init__(lab, imap_server)

	def make_listener(self):
		made = socket.socket(socket.AF_UNIX)
		made.bind(self.path)
		lab.own(self.path)
		return made


@test("a reload with the first unix socket: other workers take over, and the sessions of the first ones go on")
def _():
	path = lab.path("first.sock")
	with Edge(Backend(lab, imap_server).address, roles=("imaps",), server={"drain_time": "0s"}) as edge:
		gate = edge.gate
		old, = gate.workers()
		client = edge.greeted("imaps")
		backend = UnixBackend(path)
		gate.reload(listeners=[listener("imaps", edge.addresses["imaps"], leaf(), {"address": "unix:" + path})])
		first, second = gate.status()["workers"]
		equal((first["retired"], second), (False, {"pid": old, "sessions-open": 1, "retired": True}))
		contains(edge.greeted("imaps").imap("LOGIN alice secret")[-1], b"OK")
		contains(client.imap("LOGIN alice secret")[-1], b"OK")
		equal((backend.count, gate.counter("sessions-open")), (1, 2))
		client.close()
		eventually(lambda: gate.workers() == [first["pid"]], "the first worker to end")
		equal((len(gate.status()["workers"]), gate.counter("sessions-open")), (1, 1))
		# from here on it is as ever
		gate.reload()
		equal(gate.workers(), [first["pid"]])
		mark = gate.mark()
		os.kill(first["pid"], signal.SIGKILL)
		gate.wait_for("worker-started", mark)
		contains(edge.greeted("imaps").imap("LOGIN alice secret")[-1], b"OK")
		backend.close()


@test("workers that other ones succeed stop with gatepost, in its time")
def _():
	path = lab.path("stop.sock")
	with Edge(Backend(lab, imap_server).address, roles=("imaps",)) as edge:
		edge.greeted("imaps")
		backend = UnixBackend(path)
		edge.gate.reload(listeners=[listener("imaps", edge.addresses["imaps"], leaf(), {"address": "unix:" + path})])
		equal(len(edge.gate.workers()), 2)
		edge.gate.signal(signal.SIGTERM)
		equal(edge.gate.wait(), 0)
		backend.close()


@test("a backend that does not take connections, and one that takes them and is silent: over after connect-time")
def _():
	full = socket.socket()
	full.bind(split_address(lab.address(1143)))
	full.listen(0)
	address = "{}:{}".format(*full.getsockname())
	fillers = fill(address)
	with Edge(address, roles=("imaps", "pop3"), connect_time="1s") as edge:
		expect_refusal(edge, "connect-time")
	for sock in [full, *fillers]:
		sock.close()
	with Edge(Backend(lab, says()).address, roles=("imap", "pop3s"), connect_time="1s") as edge:
		expect_refusal(edge, "no greeting within")


def fill(address):
	"""Connect until the queue of a listener is full and further connections wait."""
	fillers = []
	while True:
		sock = socket.socket()
		sock.settimeout(0.2)
		fillers.append(sock)
		try:
			sock.connect(split_address(address))
		except OSError:
			return fillers


# ---- strange ones ----


@test("greetings that are none, BYE, and the other protocol's")
def _():
	for greeting, reason in ((b"HTTP/1.1 400 Bad Request\r\n", "does not greet like"), (b"\r\n", "does not greet like"),
			(b"220 smtp ESMTP\r\n", "does not greet like"), (b"\x16\x03\x01\x00\x00\n", "sends CR or NUL")):
		with Edge(Backend(lab, says(greeting)).address, roles=("imaps", "pop3")) as edge:
			expect_refusal(edge, reason)
	with Edge(Backend(lab, says(b"* BYE too busy\r\n")).address, roles=("imaps", "imap")) as edge:
		expect_refusal(edge, "refuses connections")
	with Edge(Backend(lab, says(b"-ERR [IN-USE] too busy\r\n")).address, roles=("pop3s", "pop3")) as edge:
		expect_refusal(edge, "refuses connections")


@test("[9051-7.1.4-1] a backend that greets with PREAUTH lets no client in")
def _():
	with Edge(Backend(lab, says(b"* PREAUTH welcome root\r\n")).address, roles=("imaps", "imap")) as edge:
		expect_refusal(edge, "PREAUTH")


@test("a backend that closes before it greets, and one that resets")
def _():
	with Edge(Backend(lab, lambda session: None).address) as edge:
		expect_refusal(edge, "closed the connection before its greeting")
	with Edge(Backend(lab, lambda session: session.reset()).address, roles=("imaps", "pop3")) as edge:
		expect_refusal(edge, "the connection to the backend")


@test("a backend that closes in the middle of a login: the client learns that it was not its password")
def _():
	imap = Backend(lab, answers(b"* OK hello\r\n", {}))
	imap.script = lambda session: (session.send(b"* OK hello\r\n"), session.line())
	with Edge(imap.address, roles=("imaps", "imap")) as edge:
		for role in edge.addresses:
			client = edge.greeted(role)
			lines = client.imap("LOGIN alice secret")
			contains(lines[0], UNAVAILABLE["imap"])
			equal(client.ending(), "close_notify")
			contains(edge.gate.wait_for("backend-failed")["reason"], "closed the connection during the session")
	pop3 = Backend(lab, lambda session: (session.send(b"+OK hello\r\n"), session.line(), session.send(b"+OK\r\n"),
		session.line()))
	with Edge(pop3.address, roles=("pop3s",)) as edge:
		client = edge.greeted("pop3s")
		contains(client.pop("USER alice"), b"+OK")
		contains(client.pop("PASS secret"), UNAVAILABLE["pop3"])
		equal(client.ending(), "close_notify")


@test("answers that were not asked for end the session: other tags, early success, stray go-aheads")
def _():
	for reply in (b"zz OK LOGIN done\r\n", b"+ go on\r\n", b"* PREAUTH surprise\r\n"):
		backend = Backend(lab, answers(b"* OK hello\r\n", {b"LOGIN": reply}))
		with Edge(backend.address, roles=("imaps",)) as edge:
			client = edge.greeted("imaps")
			contains(b" ".join(client.imap("LOGIN alice secret")), UNAVAILABLE["imap"])
			edge.gate.wait_for("backend-failed")
			equal(edge.gate.events("login"), [])
	with Edge(Backend(lab, says(b"* OK hello\r\n", b"t1 OK surprise\r\n")).address, roles=("imaps",)) as edge:
		client = edge.client("imaps")
		client.ending()
		contains(client.unread, UNAVAILABLE["imap"])
		equal(edge.gate.events("login"), [])


@test("lines without end from a backend are cut off at limits.line-size")
def _():
	def endless(session):
		while True:
			session.send(b"* OK " + b"x" * 65536)
	with Edge(Backend(lab, endless, remembers=False).address, roles=("imaps", "imap"), limits={"line_size": "8k"}) as edge:
		expect_refusal(edge, "line")


# ---- set up wrongly, or offering what cannot pass ----


@test("a backend that says LOGINDISABLED: the client sees it no more, the log says what to change, once")
def _():
	backend = Backend(lab, answers(b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS] hello\r\n",
		{b"CAPABILITY": b"* CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS\r\n%T OK done\r\n", b"LOGIN": b"%T NO no\r\n"}))
	with Edge(backend.address, roles=("imaps",)) as edge:
		for _ in range(3):
			client = edge.client("imaps")
			for line in (client.line(), client.imap("CAPABILITY")[0]):
				equal(b"STARTTLS" in line, False)
			client.close()
		event = edge.gate.wait_for("backend-setup")
		contains(event["reason"], "LOGINDISABLED")
		edge.gate.wait_for("session-end")
		equal(len(edge.gate.events("backend-setup")), 1)


@test("[9051-6.2.1-4] STARTTLS, UNAUTHENTICATE and channel binding are taken out of what a backend offers")
def _():
	offer = b"IMAP4rev1 STARTTLS SASL-IR UNAUTHENTICATE AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN IDLE"
	backend = Backend(lab, answers(b"* OK [CAPABILITY " + offer + b"] hello\r\n", {
		b"CAPABILITY": b"* CAPABILITY " + offer + b"\r\n%T OK done\r\n",
		b"LOGIN": b"* CAPABILITY " + offer + b"\r\n%T OK [CAPABILITY " + offer + b"] welcome\r\n"}))
	with Edge(backend.address, roles=("imaps", "imap")) as edge:
		for role in edge.addresses:
			client = edge.client(role)
			lines = [client.line()] if role == "imaps" else []
			lines += [client.imap("CAPABILITY")[0], *client.imap("LOGIN alice secret")]
			for line in lines:
				contains(line, b"AUTH=PLAIN")
				contains(line, b"IDLE")
				for word in (b"STARTTLS", b"UNAUTHENTICATE", b"SCRAM"):
					equal(word in line, False)
		contains(edge.gate.wait_for("backend-setup")["reason"], "channel binding")


@test("[2595-4-1] POP3: STLS and channel binding are taken out of CAPA, and XCLIENT out of the greeting")
def _():
	backend = Backend(lab, answers(b"+OK [XCLIENT] hello\r\n",
		{b"CAPA": b"+OK\r\nSTLS\r\nUSER\r\nSASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN\r\nUIDL\r\n.\r\n"}))
	with Edge(backend.address, roles=("pop3s",)) as edge:
		client = edge.client("pop3s")
		equal(client.line(), b"+OK hello")
		equal(client.pop_list("CAPA")[1], b"USER\r\nSASL PLAIN\r\nUIDL\r\n")
		contains(edge.gate.wait_for("backend-setup")["reason"], "channel binding")


@test("what is refused at login is passed on in the backend's words, and the session goes on")
def _():
	backend = Backend(lab, answers(b"* OK hello\r\n", {b" wrong": b"%T NO [AUTHENTICATIONFAILED] no such thing\r\n",
		b" late": b"%T NO [EXPIRED] change it\r\n", b" right": b"%T OK welcome\r\n"}))
	with Edge(backend.address, roles=("imaps",)) as edge:
		client = edge.greeted("imaps")
		equal(client.imap("LOGIN alice wrong")[-1], b"t1 NO [AUTHENTICATIONFAILED] no such thing")
		equal(client.imap("LOGIN alice late")[-1], b"t2 NO [EXPIRED] change it")
		equal(client.imap("LOGIN alice right")[-1], b"t3 OK welcome")
		equal(len(edge.gate.events("login-failed", user="alice")), 2)
		edge.gate.wait_for("login", user="alice")


# ---- facts that a backend does not take ----


@test("a backend that refuses our ID or XCLIENT: no client is let in under gatepost's own name")
def _():
	refusing = Backend(lab, answers(b"* OK hello\r\n", {b" ID ": b"%T BAD what\r\n"}))
	with Edge(refusing.address, roles=("imaps", "imap"), facts="imap-id") as edge:
		expect_refusal(edge, "ID command")
	with Edge(Backend(lab, says(b"+OK hello\r\n")).address, roles=("pop3s",), facts="xclient") as edge:
		expect_refusal(edge, "XCLIENT")
	ignoring = Backend(lab, answers(b"+OK [XCLIENT] hello\r\n", {b"XCLIENT": b"+OK You are not from trusted IP - ignoring\r\n"}))
	with Edge(ignoring.address, roles=("pop3",), facts="xclient") as edge:
		expect_refusal(edge, "XCLIENT")


# ---- TLS towards the backend ----


def tls_backend(label, names, **more):
	return Backend(lab, imap_server, tls=server_context(pki().leaf(label, names, **more)))


def verified(ca, name=BEHIND):
	return {"tls": "verify", "tls_ca": ca, "tls_name": name}


@test("TLS to the backend: with the right authority and name it is as any other")
def _():
	backend = tls_backend("behind", [BEHIND, "127.0.0.1"])
	with Edge(backend.address, roles=("imaps", "imap"), **verified(pki().root)) as edge:
		for role in edge.addresses:
			contains(edge.greeted(role).imap("LOGIN alice secret")[-1], b"OK")
		equal(backend.sessions[-1].sock.version(), "TLSv1.3")


@test("TLS to the backend: a wrong name, another authority, expired or self-signed: refused, and the log says which")
def _():
	cases = (
		("other-name", ["other.backend.test"], {}, "hostname mismatch"),
		("wild", ["*.test"], {}, "hostname mismatch"),
		("foreign", [BEHIND], {"signer": "other"}, "unable to get local issuer certificate"),
		("lonely", [BEHIND], {"signer": None}, "self-signed certificate"),
		("old", [BEHIND], {"expired": True}, "certificate has expired"))
	for label, names, more, reason in cases:
		backend = tls_backend(label, names, **more)
		with Edge(backend.address, roles=("imaps", "imap"), **verified(pki().root)) as edge:
			expect_refusal(edge, reason)
		equal([session.heard for session in backend.sessions], [b"", b""])


@test("TLS to the backend: nothing below TLS 1.2, and never in cleartext instead")
def _():
	old = server_context(pki().leaf("ancient", [BEHIND]))
	old.set_ciphers("ALL:@SECLEVEL=0")
	warnings.simplefilter("ignore", DeprecationWarning)
	old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
	with Edge(Backend(lab, imap_server, tls=old).address, roles=("imaps",), **verified(pki().root)) as edge:
		expect_refusal(edge, "TLS: ")
	clear = Backend(lab, imap_server)
	with Edge(clear.address, roles=("imaps",), **verified(pki().root)) as edge:
		expect_refusal(edge, "TLS: ")
	equal(b"ID" in clear.sessions[-1].heard, False)


def half_fetch(session):
	"""Say that 1000 bytes follow, and vanish after 100."""
	session.send(b"* OK hello\r\n")
	session.send(session.line().split()[0] + b" OK done\r\n")
	session.line()
	session.send(b"* 1 FETCH (BODY[] {1000}\r\n" + b"x" * 100)


@test("[NST-D-3] a backend's TLS that is cut in mid-FETCH is cut towards the client, too")
def _():
	backend = Backend(lab, half_fetch, tls=server_context(pki().leaf("cutter", [BEHIND])))
	with Edge(backend.address, roles=("imaps",), **verified(pki().root)) as edge:
		client = edge.greeted("imaps")
		client.imap("LOGIN alice secret")
		try:
			client.fetch("FETCH 1 BODY[]")
			raise AssertionError("1000 bytes came")
		except Gone as gone:
			contains(str(gone), "900 bytes too early")
		equal(client.closed_by == "close_notify", False)
		client.close()
		equal(edge.gate.wait_for("session-end", user="alice")["end"], "truncated")


@test("the session of a failing backend ends long before the client's patience does")
def _():
	with Edge(lab.address(1143), roles=("imaps",)) as edge:
		client = edge.client("imaps")
		client.ending()
		client.close()
		equal(int(edge.gate.wait_for("session-end")["ms"]) < PATIENCE_S * 1000, True)


run(lab)
