#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What nobody plans: bytes at random from both sides, sessions that stand still, and thousands of them. No worker
dies, none runs in circles, none grows."""

import contextlib
import os
import random
import sys
import time

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, leaf, tls  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import Gone, contains, equal, eventually, proc_status, run, steady, test  # noqa: E402
from wire import Backend, Client, by_starttls, imap_server, implicit  # noqa: E402

CLOCK = os.sysconf("SC_CLK_TCK")
WORDS = [b"a", b" ", b"\r\n", b"\n", b"\0", b"\xff", b"{5}", b"{5+}", b"{99999999999}", b'"', b"\\", b"LOGIN", b"AUTHENTICATE PLAIN",
	b"ID", b"(", b")", b"NIL", b"STARTTLS", b"STLS", b"CAPABILITY", b"CAPA", b"USER x", b"PASS y", b"AUTH PLAIN", b"=", b"*", b"+ ",
	b"* OK [CAPABILITY IMAP4rev1]", b"* BYE", b"+OK", b"-ERR", b".", b"* CAPABILITY", b"]", b"[", b"a OK", b"a NO", b"PREAUTH",
	b"\x16\x03\x01", b"\x17\x03\x03\x00\x10", b"PROXY TCP4 1.2.3.4 5.6.7.8 9 10", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\xff", b"x" * 3000]


class Server(Gate):
	count = 0

	def __init__(self, behind, roles=("imaps", "imap", "pop3s", "pop3"), login_time="60s", **more):
		Server.count += 1
		host = lab.host()
		self.addresses = {role: f"{host}:{port}" for port, role in enumerate(roles, 1100)}
		self.clients = []
		super().__init__(lab, f"server-{Server.count}", server={"workers": 1}, certificates=[certificate(leaf())],
			limits={"sessions_per_source": 10000, "line_size": "4k", "literal_size": "4k", "login_time": login_time},
			listeners=[listener(role, address, leaf(), behind, **more) for role, address in self.addresses.items()])

	def client(self, role):
		self.clients.append((implicit if role.endswith("s") else by_starttls)(self.addresses[role], tls(), NAME))
		return self.clients[-1]

	def logged_in(self):
		client = self.client("imaps")
		contains(client.line(), b"* OK")
		contains(client.imap("LOGIN alice secret")[-1], b"OK")
		return client

	def healthy(self):
		"""All is over, and nobody has died of it."""
		for client in self.clients:
			client.close()
		self.clients.clear()
		eventually(lambda: self.counter("sessions-open") == 0, "all sessions to end")
		equal([event.text for event in self.events("worker-lost")], [])

	def __enter__(self):
		return self

	def __exit__(self, *_):
		for client in self.clients:
			client.close()
		self.stop()
		lab.processes.remove(self)


def noise(dice, length):
	"""Words of the protocols, thrown together, and now and then something that is no word at all."""
	return b"".join(dice.choice(WORDS) if dice.random() < 0.9 else dice.randbytes(dice.randint(1, 40))
		for _ in range(length))


# ---- bytes at random ----


@test("clients that throw words and bytes at a port, in cleartext, in the handshake or inside TLS, end no worker")
def _():
	dice = random.Random(1)
	with Server(Backend(lab, imap_server, remembers=False).address) as server:
		for number in range(240):
			role = dice.choice(list(server.addresses))
			with contextlib.suppress(OSError, Gone):
				babble(server, role, dice, number % 3)
		server.healthy()
		contains(server.logged_in().imap("NOOP")[-1], b"OK")


def babble(server, role, dice, kind):
	if kind == 0:
		client = Client(server.addresses[role])
	elif kind == 1:
		client = Client(server.addresses[role])
		hello = bytearray(client.hello(tls(), NAME))
		for _ in range(dice.randint(1, 5)):
			hello[dice.randrange(len(hello))] = dice.randrange(256)
		client.sock.sendall(hello)
	else:
		client = server.client(role)
	server.clients.append(client)
	for _ in range(dice.randint(1, 4)):
		client.send(noise(dice, dice.randint(1, 30)))
	if dice.random() < 0.3:
		client.reset()


@test("backends that answer at random end no worker, and let no client in by chance")
def _():
	dice = random.Random(2)

	def babbler(session):
		for _ in range(dice.randint(1, 5)):
			session.send(dice.choice([b"* OK hello\r\n", b"+OK hello\r\n", b""]) + noise(dice, dice.randint(1, 20)))
			if dice.random() < 0.5:
				session.line()
	with Server(Backend(lab, babbler).address, login_time="3s") as server:
		for _ in range(160):
			role = dice.choice(list(server.addresses))
			with contextlib.suppress(OSError, Gone):
				client = server.client(role)
				client.send(dice.choice([b"q LOGIN alice secret\r\n", b"USER alice\r\nPASS secret\r\n", b"q CAPABILITY\r\n",
					b"AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n", b"CAPA\r\n", b"q LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n"]))
		server.healthy()
		equal([event for event in server.events("login") if event["listener"].startswith("imap")], [])


@test("PROXY headers at random are refused or obeyed, and end no worker")
def _():
	dice = random.Random(3)
	good = bytes.fromhex("0d0a0d0a000d0a515549540a2111000c7f0000017f00000203e8008f")
	with Server(Backend(lab, imap_server).address, roles=("imap",), proxy_from=["127.0.0.1"]) as server:
		for _ in range(200):
			header = bytearray(good + dice.randbytes(dice.randint(0, 60)))
			for _ in range(dice.randint(0, 3)):
				header[dice.randrange(len(header))] = dice.randrange(256)
			with contextlib.suppress(OSError, Gone):
				client = Client(server.addresses["imap"])
				server.clients.append(client)
				client.send(bytes(header[:dice.randint(1, len(header))]) + b"a LOGOUT\r\n")
		server.healthy()


# ---- standing still ----


def cpu_s(pid):
	with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
		fields = file.read().rpartition(")")[2].split()
	return (int(fields[11]) + int(fields[12])) / CLOCK


def expect_rest(server):
	"""The worker uses next to no time while nothing happens."""
	worker = server.workers()[0]
	steady(lambda: cpu_s(worker))
	used, since = cpu_s(worker), time.monotonic()
	while time.monotonic() - since < 0.5:
		time.sleep(0.05)
	used = cpu_s(worker) - used
	equal((used, used <= 0.1), (used, True))


@test("a worker with sessions that stand still, in every way they can, does not run in circles")
def _():
	quiet = Backend(lab, lambda session: session.rest(), remembers=False)
	for stand_still in (idle, unread_stream, unread_both_ways, half_closed, half_open_handshake, half_a_line, gone_in_login):
		with Server(Backend(lab, imap_server, remembers=False).address) as server:
			stand_still(server)
			expect_rest(server)
	with Server(quiet.address) as server:
		for role in server.addresses:
			server.client(role).send("q LOGIN alice secret\r\n")
		expect_rest(server)


def idle(server):
	server.logged_in()


def unread_stream(server):
	server.logged_in().send(f"x XSTREAM {64 << 20}\r\n")


def unread_both_ways(server):
	"""The client asks for much and takes nothing, and sends more than the backend, which is busy, takes."""
	client = server.logged_in()
	client.send(f"x XSTREAM {64 << 20}\r\n")
	client.sock.settimeout(0.5)
	with contextlib.suppress(TimeoutError):
		while True:
			client.send(b"y NOOP\r\n" * 8192)


def half_closed(server):
	"""The client has said goodbye, the backend has not."""
	client = server.logged_in()
	client.send(f"x XSTREAM {64 << 20}\r\n")
	client.say_goodbye()


def half_open_handshake(server):
	for role in ("imaps", "pop3s"):
		client = Client(server.addresses[role])
		server.clients.append(client)
		client.sock.sendall(client.hello(tls(), NAME)[:20])


def half_a_line(server):
	for role in server.addresses:
		server.client(role).send("a LOGIN al")
	for role in ("imap", "pop3"):
		client = Client(server.addresses[role])
		server.clients.append(client)
		client.send("a LOGIN al")


def gone_in_login(server):
	for role in server.addresses:
		client = server.client(role)
		client.send("a LOGIN al")
		client.reset()


# ---- growth ----


def whole_session(server, role="imaps"):
	client = server.client(role)
	if role == "imaps":
		contains(client.line(), b"* OK")
	contains(client.imap("LOGIN alice secret")[-1], b"OK")
	contains(client.imap("LOGOUT")[-1], b"OK")
	client.close()
	server.clients.clear()


def memory_kib(pid):
	return int(proc_status(pid)["VmRSS"].split()[0])


@test("a thousand sessions more, good and bad ones, cost no memory that stays")
def _():
	with Server(Backend(lab, imap_server, remembers=False).address, roles=("imaps", "imap")) as server:
		worker, dice = server.workers()[0], random.Random(4)

		def some(count):
			for number in range(count):
				whole_session(server, ("imaps", "imap")[number % 2])
				with contextlib.suppress(OSError, Gone):
					babble(server, dice.choice(list(server.addresses)), dice, number % 3)
			server.healthy()
		some(300)
		before = memory_kib(worker)
		some(500)
		grown = memory_kib(worker) - before
		equal((grown, grown < 512), (grown, True))


@test("the memory of sessions goes back to the system when they are over")
def _():
	with Server(Backend(lab, imap_server, remembers=False).address) as server:
		worker = server.workers()[0]
		whole_session(server)
		before = memory_kib(worker)
		for _ in range(400):
			server.logged_in()
		grown = memory_kib(worker) - before
		server.healthy()
		eventually(lambda: memory_kib(worker) - before < grown / 5, f"{grown} KiB to be given back")


@test("thirty reloads cost no memory that stays, neither in the supervisor nor in a worker")
def _():
	with Server(Backend(lab, imap_server, remembers=False).address) as server:
		pids = [server.pid, *server.workers()]
		for _ in range(10):
			server.hup("reloaded")
		before = [memory_kib(pid) for pid in pids]
		for _ in range(30):
			server.hup("reloaded")
		whole_session(server)
		grown = [now - then for now, then in zip(map(memory_kib, pids), before)]
		equal((grown, max(grown) < 512), (grown, True))


run(lab)
