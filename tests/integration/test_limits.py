#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Limits and deadlines: whoever asks for too much, or takes too long, is told so in its protocol and let go."""

import base64
import contextlib
import ssl
import sys
import threading
import time
from collections import deque
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, backend, lab, leaf, pki, tls  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import command, contains, equal, eventually, proc_status, run, steady, test  # noqa: E402
from wire import Backend, Client, by_starttls, context, implicit  # noqa: E402

LARGE_NAME = "large.example.test"
BUSY = {"imap": b"* BYE [UNAVAILABLE] ", "pop3": b"-ERR [SYS/TEMP] "}
LATE = {"imap": b"* BYE ", "pop3": b"-ERR "}
NONE_LEFT = 5  # 0 to 4 are in use from the start: standard streams, control, epoll


@cache
def expensive_tls():
	"""A client that will have nothing but P-384."""
	made = context(pki().root)
	made.set_ecdh_curve("secp384r1")
	return made


@cache
def large_leaf():
	return pki().leaf("large", [LARGE_NAME], kind="rsa4096")


class Server(Gate):
	"""A gatepost with one worker, all four roles, and the limits of one test."""

	count = 0

	def __init__(self, before=(), server=None, behind=None, **limits):
		Server.count += 1
		host = lab.host()
		self.addresses = {role: f"{host}:{port}" for port, role in enumerate(("imaps", "imap", "pop3s", "pop3"), 1100)}
		self.clients = []
		super().__init__(lab, f"server-{Server.count}", before=before, server={"workers": 1, **(server or {})}, limits=limits,
			certificates=[certificate(leaf()), certificate(large_leaf())], listeners=[
				listener(role, address, leaf(), behind or backend(role.removesuffix("s")).address)
				for role, address in self.addresses.items()])

	def keep(self, client):
		self.clients.append(client)
		return client

	def connect(self, role, **more):
		return self.keep(Client(self.addresses[role], **more))

	def client(self, role="imaps", **more):
		"""Inside TLS, with the greeting read."""
		client = self.keep((implicit if role.endswith("s") else by_starttls)(self.addresses[role], tls(), NAME, **more))
		if role.endswith("s"):
			contains(client.line(), b"OK")
		return client

	def logged_in(self):
		client = self.client()
		contains(client.imap("LOGIN alice secret")[-1], b"OK")
		return client

	def leave(self, *clients):
		for client in clients or self.clients:
			client.close()

	def settle(self, sessions):
		eventually(lambda: self.counter("sessions-open") == sessions, f"{sessions} sessions")

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.leave()
		self.stop()
		lab.processes.remove(self)


def alive(client):
	contains(client.imap("NOOP")[-1], b"OK")


def refused(server, role, **more):
	"""A client that comes too many: it is told so, in TLS or in cleartext, as its port has it."""
	client = server.connect(role, **more)
	if role.endswith("s"):
		client.start_tls(tls(), NAME)
	line = client.line()
	contains(line, BUSY[role.removesuffix("s")])
	equal(client.ending(), "close_notify" if role.endswith("s") else "cut")
	client.close()


# ---- numbers ----


@test("limits.sessions: who comes too many is told to come later, on every port; the others notice nothing")
def _():
	with Server(sessions=4) as server:
		inside = [server.logged_in() for _ in range(4)]
		for role in server.addresses:
			refused(server, role)
		event = server.wait_for("limit")
		contains(event["reason"], "sessions")
		equal(server.counter("limit-refusals"), 4)
		for client in inside:
			alive(client)
		server.leave(inside[0])
		server.settle(3)
		alive(server.logged_in())


@test("[7457-2.13-1] limits.sessions-per-source: one address cannot take it all; others are served")
def _():
	greedy, modest = lab.host(), lab.host()
	with Server(sessions_per_source=3) as server:
		for _ in range(3):
			server.client(source=greedy)
		for role in server.addresses:
			refused(server, role, source=greedy)
		contains(server.wait_for("limit")["reason"], "source")
		contains(server.wait_for("limit")["client"], greedy)
		alive(server.client(source=modest))


@test("limits.source-prefix-ipv4: neighbours may count as one source")
def _():
	with Server(sessions_per_source=3, source_prefix_ipv4=24) as server:
		for _ in range(3):
			server.client(source=lab.host())
		refused(server, "imaps", source=lab.host())
		alive(server.client(source="127.0.0.1"))


class Flood(threading.Thread):
	"""Connections of one address that send `text` and no more, one after the other, as many as may be open at a time."""

	def __init__(self, server, text, open_at_once=150):
		super().__init__(daemon=True)
		self.address, self.source, self.text = server.addresses["imaps"], lab.host(), text
		self.open_at_once, self.begun, self.over = open_at_once, 0, threading.Event()
		self.start()

	def run(self):
		clients = deque()
		while not self.over.is_set():
			with contextlib.suppress(OSError):
				clients.append(Client(self.address, source=self.source))
				clients[-1].sock.sendall(self.text)
				self.begun += 1
			if len(clients) > self.open_at_once:
				clients.popleft().close()
		for client in clients:
			client.close()


def served_in_a_flood(text, counter):
	"""Two addresses hold all places and come back again and again: others are served, also those that came first."""
	with Server(handshakes=50, sessions_per_source=1000, handshake_time="10m") as server:
		text = text or server.connect("imaps").hello(tls(), NAME)
		modest = server.connect("imaps")
		hello = modest.hello(tls(), NAME)
		modest.sock.sendall(hello[:20] if counter == "hellos-awaited" else hello)
		eventually(lambda: server.counter(counter) == 1, "the one that came first")
		floods = [Flood(server, text) for _ in range(2)]
		try:
			eventually(lambda: min(flood.begun for flood in floods) > 200, "the flood")
			equal(server.counter(counter) <= 50, True)
			for role in ("imaps", "imap") * 20:
				with server.client(role) as client:
					alive(client)
			if counter == "hellos-awaited":
				modest.sock.sendall(hello[20:])
			modest.finish_tls()
			contains(modest.line(), b"* OK")
			event = server.wait_for("limit")
			contains(event["reason"], "limits.handshakes")
			contains([flood.source for flood in floods], event["client"].rpartition(":")[0])
		finally:
			for flood in floods:
				flood.over.set()
				flood.join()


@test("[7457-2.13-1] limits.handshakes: connections of two addresses that owe their ClientHello keep no other client waiting")
def _():
	served_in_a_flood(b"\x16", "hellos-awaited")


@test("[7457-2.13-1] limits.handshakes: handshakes of two addresses that are not ended keep no other client waiting")
def _():
	served_in_a_flood(None, "handshakes-open")


@test("a connection counts as a handshake when its ClientHello is whole, and as neither before and behind it")
def _():
	with Server() as server:
		client = server.connect("imaps")
		hello = client.hello(tls(), NAME)
		eventually(lambda: server.counter("hellos-awaited") == 1, "the silent one to count")
		client.sock.sendall(hello[:-1])
		equal(server.counter("handshakes-open"), 0)
		client.sock.sendall(hello[-1:])
		eventually(lambda: server.counter("handshakes-open") == 1, "a handshake")
		equal(server.counter("hellos-awaited"), 0)
		client.finish_tls()
		contains(client.line(), b"* OK")
		equal(server.counter("handshakes-open"), 0)


# ---- expensive handshakes ----


def expensive_clients(server, count, role="imaps", name=NAME, tls_context=None):
	"""So many that have sent a hello which is expensive, and nothing else."""
	clients = []
	for _ in range(count):
		clients.append(server.connect(role))
		clients[-1].send(clients[-1].hello(tls_context or expensive_tls(), name))
	return clients


def await_judgement(server, count):
	"""Until so many handshakes have been found expensive."""
	def judged():
		counters = server.status()["counters"]
		return counters["handshakes-parked"] + counters["handshakes-expensive"] >= count
	eventually(judged, f"{count} expensive handshakes")


def answered(client):
	"""Has the server said anything, be it an end?"""
	client.sock.setblocking(False)
	with contextlib.suppress(BlockingIOError):
		client.fill()
	client.sock.setblocking(True)
	return bool(client.unread) or client.over


@test("[7457-2.13-1] limits.expensive-handshakes: handshakes with P-384 wait; sessions go on and cheap handshakes overtake them")
def _():
	with Server(expensive_handshakes=1, handshakes=90, handshake_time="10m") as server:
		session = server.logged_in()
		flood = expensive_clients(server, 80)
		await_judgement(server, 80)
		alive(session)
		# each takes several turns of the loop, so all who waited would have had theirs
		for role in ("imaps", "imap") * 50:
			with server.client(role) as client:
				alive(client)
		alive(session)
		equal(answered(flood[-1]), False)
		counters = server.status()["counters"]
		equal(counters["handshakes-open"], counters["handshakes-expensive"])  # so those that wait do not count


@test("expensive handshakes are served in the order in which they came, also those of openssl s_client")
def _():
	with Server(expensive_handshakes=1) as server:
		flood = expensive_clients(server, 3)
		eventually(lambda: answered(flood[1]), "the second one")
		equal(answered(flood[0]), True)
		for client in flood:
			client.finish_tls()
			contains(client.line(), b"* OK")
			alive(client)
		done = command("openssl", "s_client", "-connect", server.addresses["imaps"], "-groups", "P-384", "-CAfile", pki().root,
			"-crlf", "-quiet", "-verify_return_error", "-servername", NAME, input="a LOGOUT\n")
		contains(done.stdout, "* BYE")
		equal(server.counter("handshakes-parked"), 0)
		equal(server.counter("handshakes-expensive"), 4)
		equal(server.counter("group-secp384r1"), 4)


@test("TLS 1.2 with P-384 alone, and behind STARTTLS, waits behind those who came first, too")
def _():
	with Server(expensive_handshakes=2, handshake_time="10m") as server:
		flood = expensive_clients(server, 8)
		await_judgement(server, 8)
		old = context(pki().root, maximum_version=ssl.TLSVersion.TLSv1_2)
		old.set_ecdh_curve("secp384r1")
		late = expensive_clients(server, 1, name=LARGE_NAME, tls_context=old)
		await_judgement(server, 9)
		late.append(server.connect("imap"))
		late[1].line()
		contains(late[1].imap("STARTTLS")[-1], b"OK")
		late[1].send(late[1].hello(expensive_tls(), NAME))
		for client in late:
			client.finish_tls()
			for earlier in flood:
				equal(answered(earlier), True)
		equal(server.counter("handshakes-expensive"), 10)


def expensive_clients_leave(last_words):
	with Server(expensive_handshakes=1, handshake_time="10m") as server:
		session = server.logged_in()
		flood = expensive_clients(server, 60)
		await_judgement(server, 60)
		for client in flood[40:]:
			client.send(last_words)
		for client in flood[40:50]:
			client.reset()
		for client in flood[50:]:
			client.close()
		for client in flood[40:]:
			contains(["client-closed", "io-error"], server.wait_for("session-end", client=client.name)["end"])
		alive(session)
		server.leave(*flood)
		server.settle(1)
		equal(server.counter("handshakes-parked"), 0)
		equal(server.counter("handshakes-open"), 0)


@test("an expensive handshake whose client leaves is over")
def _():
	expensive_clients_leave(b"")


@test("an expensive handshake whose client says more and leaves is over, too")
def _():
	expensive_clients_leave(b"too early")


@test("an expensive handshake ends at its deadline, also when its client says more meanwhile")
def _():
	with Server(expensive_handshakes=1, handshake_time="1s") as server:
		session = server.logged_in()
		flood = expensive_clients(server, 40)
		flood[39].send(b"too early")
		for client in flood[20:]:
			equal(server.wait_for("session-end", client=client.name)["end"], "deadline")
		alive(session)
		server.leave(*flood)
		server.settle(1)
		equal(server.counter("handshakes-parked"), 0)


@test("as many expensive handshakes wait as limits.handshakes says; further ones are closed, others notice nothing")
def _():
	with Server(expensive_handshakes=1, handshakes=4, handshake_time="10m") as server:
		flood = expensive_clients(server, 40)
		event = server.wait_for("limit")
		contains(event["reason"], "limits.handshakes")
		eventually(lambda: server.counter("limit-refusals") > 10, "refusals")
		equal(server.counter("handshakes-parked") <= 4, True)
		alive(server.client())
		server.leave(*flood)
		server.settle(1)


@test("a name with a large RSA key: its handshakes take turns, at no rate")
def _():
	with Server(expensive_handshakes=1) as server:
		flood = expensive_clients(server, 12, name=LARGE_NAME, tls_context=tls())
		for client in flood:
			client.finish_tls()
			contains(client.line(), b"* OK")
		equal(server.counter("handshakes-expensive"), 12)


@test("a worker with parked handshakes stops in order")
def _():
	with Server(expensive_handshakes=1, handshake_time="10m") as server:
		flood = expensive_clients(server, 20)
		await_judgement(server, 20)
		equal(server.stop(), 0)
		equal(len(server.events("worker-lost")), 0)
		for client in flood:
			client.close()

@test("clients of a name with a large RSA key find a place when those with P-384 have taken all of theirs")
def _():
	with Server(expensive_handshakes=1, handshakes=4, handshake_time="10m") as server:
		flood = expensive_clients(server, 40)
		eventually(lambda: server.counter("limit-refusals") > 10, "refusals")
		equal(server.counter("handshakes-parked") >= 3, True)
		for _ in range(3):
			client = server.keep(implicit(server.addresses["imaps"], tls(), LARGE_NAME))
			contains(client.line(), b"* OK")
		server.leave(*flood)


# ---- time ----


@test("limits.handshake-time: a client that says nothing, or a hello byte by byte, is let go")
def _():
	with Server(handshake_time="1s") as server:
		silent = server.connect("imaps")
		slow = server.connect("imaps")
		hello = slow.hello(tls(), NAME)
		drip(slow, hello)
		for client in (silent, slow):
			equal(client.ending() in ("cut", "reset"), True)
			client.close()
			equal(server.wait_for("session-end", client=client.name)["end"], "deadline")


def drip(client, data):
	"""Send byte by byte, with pauses, until the server has had enough."""
	def send():
		with contextlib.suppress(OSError):
			for byte in data:
				client.sock.sendall(bytes([byte]))
				time.sleep(0.1)
	threading.Thread(target=send, daemon=True).start()


@test("limits.handshake-time: it holds behind STARTTLS, too")
def _():
	with Server(handshake_time="1s") as server:
		client = server.connect("imap")
		client.line()
		contains(client.imap("STARTTLS")[-1], b"OK")
		equal(client.ending() in ("cut", "reset"), True)
		equal(bytes(client.unread), b"")
		client.close()
		equal(server.wait_for("session-end", client=client.name)["end"], "deadline")


@test("limits.login-time: in cleartext and in TLS, silent or slow, before login everybody is let go with a word")
def _():
	with Server(login_time="1s") as server:
		waiting = [(role, server.client(role)) for role in server.addresses]
		for role in ("imap", "pop3"):
			quiet, slow = server.connect(role), server.connect(role)
			drip(slow, b"a NOOP\r\n" * 100)
			waiting += [(role, quiet), (role, slow)]
		for role, client in waiting:
			expect_late(server, role, client)


def expect_late(server, role, client):
	client.ending()
	contains(client.unread, LATE[role.removesuffix("s")])
	client.close()
	equal(server.wait_for("session-end", client=client.name)["end"], "deadline")


@test("a backend that does not answer a login: the client waits no longer than limits.login-time")
def _():
	mute = Backend(lab, lambda session: (session.send(b"* OK hello\r\n"), session.rest()))
	with Server(login_time="1s", behind=mute.address) as server:
		client = server.client()
		client.send("a LOGIN alice secret\r\n")
		contains(client.line(), b"* BYE")
		equal(client.ending(), "close_notify")


@test("after login no client is hurried: limits.login-time does not count any more")
def _():
	with Server(login_time="1s") as server:
		client = eventually(lambda: in_time(server), "a login within a second")
		late = server.client("pop3s")
		late.ending()
		late.close()
		equal(server.wait_for("session-end", client=late.name)["end"], "deadline")
		alive(client)


def in_time(server):
	"""A client that was quick enough to log in, or None."""
	try:
		return server.logged_in()
	except (AssertionError, OSError):
		return None


# ---- sizes ----


def flood(client, data):
	"""Send what may be too much; True when the server took it all."""
	try:
		client.send(data)
		return True
	except OSError:
		return False


def expect_protocol_error(server, role, data, starts=None):
	client = server.client(role) if starts is None else starts
	flood(client, data)
	client.ending()
	contains(client.unread, LATE[role.removesuffix("s")])
	client.close()
	equal(server.wait_for("session-end", client=client.name)["end"], "protocol-error")


@test("limits.line-size: longer lines before login end the session, in cleartext and in TLS")
def _():
	with Server(line_size="4k") as server:
		long = b"a LOGIN " + b"x" * 8192 + b"\r\n"
		for role in server.addresses:
			expect_protocol_error(server, role, long)
		for role in ("imap", "pop3"):
			client = server.connect(role)
			client.line()
			expect_protocol_error(server, role, long, client)


def kept_kib(server, role, count, hog):
	"""What each of so many sessions makes the worker keep beyond an idle one, while it sends what `hog` gives, in pieces
	of a kilobyte, as far as that is taken."""
	worker = server.workers()[0]
	clients = [in_cleartext(server, role) if role in ("imap", "pop3", "smtp") else server.client(role) for _ in range(count)]
	idle = steady(lambda: resident_kib(worker))
	for client in clients:
		client.sock.settimeout(0.05)
		with contextlib.suppress(OSError):
			for start in range(0, len(hog), 1024):
				client.send(hog[start:start + 1024])
	kept = steady(lambda: resident_kib(worker)) - idle
	for client in clients:
		client.close()
	return kept / count


def in_cleartext(server, role):
	client = server.connect(role)
	client.line()
	return client


def resident_kib(pid):
	return int(proc_status(pid)["VmRSS"].split()[0])


# In TLS no more than OpenSSL hands on at once, as what it keeps itself is not ours.
HOGS = {
	"a line without end, in cleartext": ("imap", b"a LOGIN " + b"x" * 60000),
	"a line that is just not too long, in cleartext": ("pop3", b"STLS " + b"x" * 4000),
	"a line that is just not too long": ("imaps", b"a NOOP " + b"x" * 4000),
	"an ID that does not end": ("imaps", b"a ID (" + b'"name" {3900+}\r\n' + b"x" * 3800),
	"commands that wait": ("imaps", b"a NOOP\r\n" * 128)}


@test("before login a session makes gatepost keep at most 8 KiB, whatever it sends")
def _():
	mute = Backend(lab, lambda session: (session.send(b"* OK hello\r\n"), session.rest()), remembers=False)
	for name, (role, hog) in HOGS.items():
		with Server(behind=mute.address, sessions_per_source=1000, login_time="10m") as server:
			kept = kept_kib(server, role, 200, hog)
			equal((name, kept, kept <= 8), (name, kept, True))


@test("lines with a login may have 12288 bytes, other lines 4096")
def _():
	with Server() as server:
		for text, good in (("NOOP" + " " * 4000, True), ("NOOP" + " " * 4100, False), ("AUTHENTICATE PLAIN " + "A" * 12288, True),
				("LOGIN alice " + "x" * 12000, True)):
			client = server.client()
			client.send("a " + text + "\r\n")
			equal((text[:8], client.line()[:2] == b"a "), (text[:8], good))
		client = server.client("pop3s")
		contains(client.pop("PASS " + "x" * 12288), b"+OK")


@test("limits.literal-size: larger literals before login are refused, and so is a heap of small ones")
def _():
	with Server(literal_size="4k") as server:
		client = server.client()
		contains(client.imap("LOGIN {4097}")[-1], b" BAD ")
		contains(client.imap("LOGIN {99999999999999999999}")[-1], b" BAD ")
		alive(client)
		client = server.connect("imap")
		client.line()
		expect_protocol_error(server, "imap", b"a LOGIN {3000+}\r\n" + b"x" * 3000 + b" {3000+}\r\n" + b"x" * 3000, client)


@test("literals and SASL lines of legal size pass to the last byte")
def _():
	with Server() as server:
		name = "n" * 30000
		client = server.client()
		client.send(f"a LOGIN {{{len(name)}+}}\r\n{name} {{3+}}\r\nabc\r\n")
		contains(b" ".join(client.imap_answer("a")), b"a OK")
		heard = backend("imap").sessions[-1].heard
		contains(heard, name.encode())
		client = server.client("imap")
		token = base64.b64encode(b"\0alice\0" + b"p" * 9000).decode()
		contains(client.imap("AUTHENTICATE PLAIN " + token)[-1], b"OK")
		contains(backend("imap").sessions[-1].heard, token.encode())


@test("a client that goes on with nonsense is sent away")
def _():
	with Server() as server:
		for role in server.addresses:
			client = server.client(role)
			for _ in range(200):
				if not flood(client, "nonsense\r\n"):
					break
			client.ending()
			client.close()
			equal(server.wait_for("session-end", client=client.name)["end"], "protocol-error")


# ---- descriptors ----


@test("the soft limit of descriptors is no limit: it is raised to the hard one")
def _():
	with Server(before=["prlimit", "--nofile=256:2048"]) as server:
		clients = [server.client() for _ in range(150)]
		for client in clients:
			alive(client)
		equal(server.events("limit"), [])


@test("as many sessions as there are descriptors for; the next ones are told so, and nothing breaks")
def _():
	with Server(before=["prlimit", "--nofile=160:160"]) as server:
		inside = []
		while not server.events("limit"):
			inside.append(server.connect("imaps"))
			inside[-1].start_tls(tls(), NAME)
			if b"BYE" in inside[-1].line():
				break
		equal(20 < len(inside) < 80, True)
		inside.pop().close()
		refused(server, "pop3s")
		for client in inside:
			alive(client)
		server.leave()
		server.settle(0)
		alive(server.client())
		equal(len(server.events("worker-lost")), 0)


@test("a worker that runs out of descriptors all the same pauses, says so, and goes on when there are some again")
def _():
	with Server() as server:
		worker = server.workers()[0]
		inside = [server.logged_in() for _ in range(3)]
		usual = proc_limit(worker)
		limit_descriptors(worker, NONE_LEFT)
		waiting = server.connect("imaps")
		event = server.wait_for("limit")
		contains(event["reason"], "open files")
		for client in inside:
			alive(client)
		limit_descriptors(worker, usual)
		waiting.start_tls(tls(), NAME)
		contains(waiting.line(), b"* OK")
		equal(len(server.events("worker-lost")), 0)


def proc_limit(pid):
	with open(f"/proc/{pid}/limits", encoding="ascii") as file:
		return next(line.split()[3] for line in file if line.startswith("Max open files"))


def limit_descriptors(pid, count):
	command("prlimit", "--pid", str(pid), f"--nofile={count}:")


@test("no descriptor left for the backend: the client is told, the session ends")
def _():
	with Server() as server:
		worker = server.workers()[0]
		client = server.connect("imap")
		client.line()
		contains(client.imap("STARTTLS")[-1], b"OK")
		limit_descriptors(worker, NONE_LEFT)
		client.start_tls(tls(), NAME)
		contains(client.line(), BUSY["imap"])
		equal(client.ending(), "close_notify")
		contains(server.wait_for("backend-failed")["reason"], "open files")


run(lab)
