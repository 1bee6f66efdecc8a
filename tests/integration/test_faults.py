#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Things that go wrong under load: reloads, killed backends and workers, clients that do not read, very large mail."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, leaf, pki, tls  # noqa: E402
import mails  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import PATIENCE_S, Gone, contains, equal, eventually, proc_status, run, split_address, steady, test  # noqa: E402
from wire import Backend, imap_server, implicit  # noqa: E402

MIB = 1 << 20


@cache
def backend():
	return Backend(lab, imap_server, remembers=False)


class Server(Gate):
	count = 0

	def __init__(self, behind=None, facts=None, workers=1, **groups):
		Server.count += 1
		self.address = lab.address(1993)
		self.clients = []
		settings = {"limits": {"sessions_per_source": 5000}, "certificates": [certificate(leaf())],
			"listeners": [listener("imaps", self.address, leaf(), behind or backend().address, facts)], **groups}
		super().__init__(lab, f"server-{Server.count}", server={"workers": workers}, **settings)

	def client(self):
		client = implicit(self.address, tls(), NAME)
		self.clients.append(client)
		contains(client.line(), b"* OK")
		contains(client.imap("LOGIN alice secret")[-1], b"OK")
		return client

	def __enter__(self):
		return self

	def __exit__(self, *_):
		for client in self.clients:
			client.close()
		self.stop()
		lab.processes.remove(self)


def alive(client):
	contains(client.imap("NOOP")[-1], b"OK")


def memory_kib(pid, kind="VmRSS"):
	return int(proc_status(pid)[kind].split()[0])


@test("reloads under 500 live sessions: not one is lost, and new clients get the new certificate")
def _():
	with Server(workers=2) as server:
		clients = [server.client() for _ in range(500)]
		for number in range(3):
			fresh = pki().leaf(f"fresh-{number}", [NAME])
			server.reload(certificates=[certificate(fresh, "mail")])
			with implicit(server.address, tls(), NAME) as client:
				equal(client.tls.getpeercert()["serialNumber"], serial_of(fresh))
		for client in clients:
			alive(client)
		equal(server.counter("sessions-open") >= 500, True)
		equal(server.events("worker-lost"), [])


def serial_of(made):
	return ssl._ssl._test_decode_cert(made.certificate)["serialNumber"]


# ---- backends that die ----


@cache
def dovecot():
	made = Dovecot(lab, pki())
	made.deliver("alice", mails.large())
	return made


@test("[NST-D-3] a real backend is killed in mid-FETCH: that session ends, no byte is invented, others go on")
def _():
	with Server(behind=dovecot().port("imap-proxy"), facts="proxy-v2") as server:
		mark = dovecot().mark()
		client = server.client()
		contains(client.imap("SELECT INBOX")[-1], b"OK")
		other = server.client()
		client.send("f FETCH 1 BODY[]\r\n")
		size = int(re.search(rb"\{(\d+)\}", client.line())[1])
		pid = imap_process(mark)
		client.exactly(1000)
		os.kill(pid, signal.SIGKILL)
		got = 1000 + len(client.rest())
		equal(got < size, True)
		client.close()
		equal(server.wait_for("session-end", client=client.name)["end"] in ("backend-closed", "io-error"), True)
		alive(other)
		alive(server.client())


def imap_process(since):
	"""The pid of the first imap process whose login was logged after `since`."""
	for line in dovecot().process.lines[since:]:
		if "imap-login: Info: Login:" in line:
			return int(re.search(r"mpid=(\d+)", line)[1])
	raise Gone("no login in Dovecot's log")


@test("a backend that resets in mid-FETCH: the client's connection is cut as well, not closed in order")
def _():
	def reset_in_fetch(session):
		session.send(b"* OK hello\r\n")
		session.send(session.line().split()[0] + b" OK done\r\n")
		session.line()
		session.send(b"* 1 FETCH (BODY[] {1000}\r\n" + b"x" * 100)
		session.backend.told.wait(PATIENCE_S)
		session.reset()
	breaking = Backend(lab, reset_in_fetch)
	breaking.told = threading.Event()
	with Server(behind=breaking.address) as server:
		client = server.client()
		client.send("f FETCH 1 BODY[]\r\n")
		client.line()
		equal(client.exactly(100), b"x" * 100)
		breaking.told.set()
		equal(client.ending() in ("cut", "reset"), True)


@test("a backend goes down and comes back: sessions fail with a word while it is away, and work afterwards")
def _():
	first = Backend(lab, imap_server)
	with Server(behind=first.address) as server:
		alive(server.client())
		first.close()
		away = implicit(server.address, tls(), NAME)
		contains(away.line(), b"* BYE [UNAVAILABLE]")
		away.close()
		Backend(lab, imap_server, address=first.address)
		alive(server.client())


# ---- much data ----


class Reader(threading.Thread):
	"""Reads a stream of known bytes as fast as it can; pauses at half time until it is told to go on."""

	def __init__(self, address, size):
		super().__init__(daemon=True)
		sock = socket.create_connection(split_address(address), PATIENCE_S)
		self.sock = tls().wrap_socket(sock, server_hostname=NAME)
		self.size, self.got, self.failure = size, 0, None
		self.half, self.go_on = threading.Event(), threading.Event()
		self.file = self.sock.makefile("rb", buffering=1 << 18)
		self.file.readline()
		self.command("a LOGIN alice secret")
		self.start()

	def command(self, text):
		self.sock.sendall(text.encode() + b"\r\n")
		return self.file.readline()

	def run(self):
		try:
			head = self.command(f"b XSTREAM {self.size}")
			equal(int(head[head.rindex(b"{") + 1:-3]), self.size)
			self.read(self.size // 2)
			self.half.set()
			self.go_on.wait(10 * PATIENCE_S)
			self.read(self.size)
			equal(self.file.readline(), b")\r\n")
			equal(self.file.readline(), b"b OK done\r\n")
		except Exception as failure:  # the test reports it
			self.failure = failure
		self.half.set()

	def read(self, end):
		"""Up to `end`; each block must be the right one."""
		pattern = bytes(range(256)) * 1024
		while self.got < end:
			data = self.file.read(min(len(pattern), end - self.got))
			place = self.got % 256
			if data != pattern[place:place + len(data)] and data != (pattern + pattern)[place:place + len(data)]:
				raise Gone(f"wrong bytes after {self.got}")
			self.got += len(data)


@test("one FETCH of 1 GiB beside 50 small sessions: all bytes are right, no session starves, memory stays small")
def _():
	with Server() as server:
		worker = server.workers()[0]
		smalls = [server.client() for _ in range(50)]
		before = memory_kib(worker)
		big = Reader(server.address, 1024 * MIB)
		for _ in range(5):  # while it runs
			for client in smalls:
				alive(client)
		eventually(big.half.is_set, "half of it", 10 * PATIENCE_S)
		equal(big.failure, None)
		for client in smalls:  # while its reader pauses
			alive(client)
		big.go_on.set()
		big.join(10 * PATIENCE_S)
		equal((big.failure, big.got), (None, 1024 * MIB))
		grown = memory_kib(worker, "VmHWM") - before
		equal((grown, grown < 4096), (grown, True))


@test("clients that ask for much and read nothing cost little memory, and no other client waits for them")
def _():
	with Server() as server:
		worker = server.workers()[0]
		lazy = [server.client() for _ in range(50)]
		before = memory_kib(worker)
		for client in lazy:
			client.send(f"x XSTREAM {64 * MIB}\r\n")
		active = server.client()
		for _ in range(20):
			alive(active)
		equal(memory_kib(worker, "VmHWM") - before < 50 * 192, True)


@test("a large APPEND towards a backend that reads slowly arrives byte by byte")
def _():
	size = 64 * MIB
	received = []

	def slow(session):
		session.send(b"* OK hello\r\n")
		session.send(session.line().split()[0] + b" OK done\r\n")
		session.line()
		session.backend.read_on.wait(10 * PATIENCE_S)
		received.append(session.exactly(size))
		session.send(b"t2 OK stored\r\n")
	keeper = Backend(lab, slow, remembers=False)
	keeper.read_on = threading.Event()
	with Server(behind=keeper.address) as server:
		worker, client, block = server.workers()[0], server.client(), os.urandom(MIB)
		before = memory_kib(worker)
		sent = append(client, size, block)
		steady(lambda: len(sent))
		equal(len(sent) < size // MIB, True)
		keeper.read_on.set()
		contains(client.imap_answer("t2")[-1], b"OK stored")
		equal(received[0] == block * (size // MIB), True)
		equal(memory_kib(worker, "VmHWM") - before < 4096, True)


def append(client, size, block):
	"""Send an APPEND from a thread of its own; the list grows with each block that is gone."""
	sent = []

	def send():
		client.send(f"t2 APPEND INBOX {{{size}+}}\r\n")
		for _ in range(size // len(block)):
			client.send(block)
			sent.append(len(block))
	threading.Thread(target=send, daemon=True).start()
	return sent


# ---- KeyUpdate ----


def s_client(server, record):
	return subprocess.Popen(["openssl", "s_client", "-connect", server.address, "-servername", NAME, "-CAfile", pki().root,
		"-tls1_3", "-msg", "-msgfile", record], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def skip_to(file, mark):
	while True:
		line = file.readline()
		if not line:
			raise Gone(f"{mark!r} did not come")
		if mark in line:
			return line


class StubbornClient:
	"""openssl s_client in the middle of a stream that nobody takes out of it: then it does not read from us either."""

	size = 64 * MIB

	def __init__(self, server):
		self.record = lab.path("messages")
		self.process = s_client(server, self.record)
		self.timer = threading.Timer(4 * PATIENCE_S, self.process.kill)

	def __enter__(self):
		self.timer.start()
		self.begin()
		return self

	def __exit__(self, *_):
		self.timer.cancel()
		self.process.kill()
		self.process.wait()

	def begin(self):
		skip_to(self.process.stdout, b"* OK")
		self.type("a LOGIN alice secret\r\n")
		skip_to(self.process.stdout, b"a OK")
		self.type(f"b XSTREAM {self.size}\r\n")
		skip_to(self.process.stdout, b"* 1 FETCH")
		steady(lambda: backend().sessions[-1].streamed)

	def type(self, text):
		self.process.stdin.write(text.encode())
		self.process.stdin.flush()

	def update_keys(self):
		"""A KeyUpdate that asks for one in return, and a command behind it that carries it off."""
		self.type("K\n")
		skip_to(self.process.stderr, b"KEYUPDATE")
		self.type("n NOOP\r\n")

	def finish(self, updates):
		"""Read everything, say a last word, and look at what was exchanged."""
		got = self.process.stdout.read(self.size)
		equal(len(got), self.size)
		equal(got == bytes(range(256)) * (self.size // 256), True)
		for _ in range(updates):
			skip_to(self.process.stdout, b"n OK")
		self.type("d LOGOUT\r\n")
		skip_to(self.process.stdout, b"d OK")
		self.process.stdout.read()
		messages = open(self.record, encoding="ascii", errors="replace").read()
		equal(len(re.findall(r">>> TLS 1\.3, Handshake \[length 0005\], KeyUpdate", messages)), updates)
		equal(len(re.findall(r"<<< TLS 1\.3, Handshake \[length 0005\], KeyUpdate", messages)) >= 1, True)


@test("[9325-4.4-1] KeyUpdate from a client that does not read: no byte is lost, and both sides have new keys")
def _():
	with Server() as server, StubbornClient(server) as client:
		client.update_keys()
		steady(lambda: backend().sessions[-1].streamed)
		client.finish(1)
		equal(server.wait_for("session-end", user="alice")["end"] in ("client-closed", "backend-closed"), True)


@test("several KeyUpdates from a client that does not read do no harm either")
def _():
	with Server() as server, StubbornClient(server) as client:
		for _ in range(5):
			client.update_keys()
			steady(lambda: backend().sessions[-1].streamed)
		client.finish(5)


# ---- killed workers under load ----


class Load(threading.Thread):
	"""Session after session; counts those that were whole and those that broke off."""

	def __init__(self, address):
		super().__init__(daemon=True)
		self.address, self.over = address, threading.Event()
		self.whole = self.broken = 0
		self.start()

	def run(self):
		while not self.over.is_set():
			try:
				self.session()
				self.whole += 1
			except (OSError, AssertionError):
				self.broken += 1

	def session(self):
		with implicit(self.address, tls(), NAME) as client:
			contains(client.line(), b"* OK")
			contains(client.imap("LOGIN alice secret")[-1], b"OK")
			contains(client.imap("LOGOUT")[-1], b"OK")


@test("kill -9 of workers under load: service goes on, each loss is logged, afterwards every session is whole")
def _():
	with Server(workers=2) as server:
		loads = [Load(server.address) for _ in range(8)]
		for _ in range(3):
			done = sum(load.whole for load in loads)
			eventually(lambda: sum(load.whole for load in loads) > done + 20, "some sessions")
			victim, mark = server.workers()[0], server.mark()
			os.kill(victim, signal.SIGKILL)
			server.wait_for("worker-lost", mark, pid=victim)
			server.wait_for("worker-started", mark)
		eventually(lambda: len(server.workers()) == 2, "two workers")
		broken = sum(load.broken for load in loads)
		done = sum(load.whole for load in loads)
		eventually(lambda: sum(load.whole for load in loads) > done + 50, "more sessions")
		for load in loads:
			load.over.set()
		for load in loads:
			load.join(PATIENCE_S)
		equal((broken, broken <= 3 * 8), (broken, True))
		equal(sum(load.broken for load in loads) - broken <= 8, True)
		equal(len(server.events("worker-lost")), 3)
		eventually(lambda: server.counter("sessions-open") == 0, "no session to be left")


run(lab)
