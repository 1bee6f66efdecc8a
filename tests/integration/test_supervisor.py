#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The supervisor: it replaces what dies, changes what changes, lets go what is let go, and trusts its children little."""

import json
import os
import shutil
import signal
import socket
import stat
import sys

sys.dont_write_bytecode = True
from edge_lab import NAME, backend, lab, leaf, pki, tls  # noqa: E402
from gate import Gate, certificate, gatepost, listener  # noqa: E402
from lab import (PATIENCE_S, USER, connects, contains, copy_tests, equal, eventually, proc_status,  # noqa: E402
	python_for_all, root_test, run, split_address, stopped, test)
from wire import Backend, Client, imap_server, implicit, pop3_server  # noqa: E402


class Server(Gate):
	"""A gatepost of its own for one test, on one imaps port, with a certificate that the test may change."""

	count = 0

	def __init__(self, address=None, **more):
		Server.count += 1
		name = f"server-{Server.count}"
		self.address = address or lab.address(1993)
		self.files = lab.make_directory(name + "-files")
		self.put(leaf())
		self.clients = []
		settings = {"certificates": [self.certificate()], "listeners": [self.listener()], **more}
		super().__init__(lab, name, **settings)

	def put(self, made):
		"""Make these files the certificate."""
		for kind in ("chain", "key"):
			lab.write(os.path.join(self.files, kind), open(getattr(made, kind), "rb").read(), 0o600)

	def certificate(self):
		return {"name": "mail", "chain": os.path.join(self.files, "chain"), "key": os.path.join(self.files, "key")}

	def listener(self, address=None, **more):
		return listener("imaps", address or self.address, "mail", backend().address, **more)

	def client(self, address=None):
		"""Logged in."""
		client = implicit(address or self.address, tls(), NAME)
		self.clients.append(client)
		contains(client.line(), b"* OK")
		contains(client.imap("LOGIN alice secret")[-1], b"OK")
		return client

	def serial(self):
		"""Which certificate new clients get."""
		with implicit(self.address, tls(), NAME) as client:
			return client.tls.getpeercert()["serialNumber"]

	def __enter__(self):
		return self

	def __exit__(self, *_):
		for client in self.clients:
			client.close()
		self.stop()
		lab.processes.remove(self)


def alive(client):
	contains(client.imap("NOOP")[-1], b"OK")


def serial_of(made):
	import ssl
	return ssl._ssl._test_decode_cert(made.certificate)["serialNumber"]


# ---- reload ----


@test("SIGHUP: new settings for new clients, and no session notices")
def _():
	with Server() as server:
		client, second = server.client(), lab.address(2993)
		server.reload(listeners=[server.listener(), server.listener(second)])
		alive(client)
		alive(server.client(second))
		alive(server.client())
		server.reload(listeners=[server.listener()])
		alive(client)
		eventually(lambda: not connects(second), "the second port to close")
		alive(server.client())


@test("SIGHUP: a session that came through a port that is gone goes on")
def _():
	with Server() as server:
		second = lab.address(2993)
		server.reload(listeners=[server.listener(), server.listener(second)])
		client = server.client(second)
		server.reload(listeners=[server.listener()])
		eventually(lambda: not connects(second), "the port to close")
		alive(client)
		contains(client.imap("LOGOUT")[-1], b"OK")


@test("SIGHUP: a new backend is for new clients, who was there stays where he is")
def _():
	second = Backend(lab, imap_server)
	with Server() as server:
		client = server.client()
		server.reload(listeners=[server.listener() | {"backend": {"address": second.address}}])
		alive(server.client())
		equal(second.count, 1)
		alive(client)
		equal(second.count, 1)


@test("SIGHUP: log settings change at once, in all processes; JSON lines are JSON, and a level hides what is below it")
def _():
	with Server() as server:
		server.groups |= {"log": {"format": "json"}}
		server.write_config()
		mark = server.mark()
		server.signal(signal.SIGHUP)
		server.wait_line(lambda line: json.loads(line)["event"] == "reloaded", mark)
		server.client()
		login = server.wait_line(lambda line: json.loads(line)["event"] == "login", mark)
		equal((json.loads(login)["user"], json.loads(login)["component"]), ("alice", "edge"))
		server.groups |= {"log": {"level": "warn"}}
		server.write_config()
		server.signal(signal.SIGHUP)
		old = server.serial()
		server.put(pki().leaf("after-log", [NAME]))
		eventually(lambda: server.serial() != old, "the new certificate")
		mark = server.mark()
		alive(server.client())
		with Client(server.address) as client:
			client.send("plain text\r\n")
			client.ending()
		server.wait_for("plaintext-on-tls-port", mark)
		equal({event.level for event in server.events(since=mark)}, {"warn"})


@test("certificate files that are written anew are in use at once, without a signal and without harm to sessions")
def _():
	with Server() as server:
		client, fresh = server.client(), pki().leaf("fresh", [NAME])
		equal(server.serial(), serial_of(leaf()))
		mark = server.mark()
		server.put(fresh)
		server.wait_for("reloaded", mark)
		equal(server.serial(), serial_of(fresh))
		alive(client)


def link(target, path):
	os.symlink(target, path + ".new")
	os.rename(path + ".new", path)


@test("certificates behind symbolic links, one for each file, are noticed when the links are swapped, as certbot does")
def _():
	with Server() as server:
		fresh = pki().leaf("certbot", [NAME])
		for kind in ("chain", "key"):
			link(getattr(leaf(), kind), os.path.join(server.files, kind))
		server.hup("reloaded")
		client, mark = server.client(), server.mark()
		for kind in ("chain", "key"):
			link(getattr(fresh, kind), os.path.join(server.files, kind))
		server.wait_for("reloaded", mark)
		eventually(lambda: server.serial() == serial_of(fresh), "the new certificate")
		alive(client)


def fill_directory(server, name, made):
	directory = lab.make_directory(server.files, name)
	for kind in ("chain", "key"):
		shutil.copy(getattr(made, kind), os.path.join(directory, kind))
		lab.own(os.path.join(directory, kind))
	return directory


@test("certificates in a directory behind a link are noticed when that link is swapped, as Kubernetes does")
def _():
	with Server() as server:
		fresh = pki().leaf("directory", [NAME])
		fill_directory(server, "one", leaf())
		fill_directory(server, "two", fresh)
		link("one", os.path.join(server.files, "current"))
		paths = {kind: os.path.join(server.files, "current", kind) for kind in ("chain", "key")}
		server.reload(certificates=[{"name": "mail", **paths}])
		equal(server.serial(), serial_of(leaf()))
		mark = server.mark()
		link("two", os.path.join(server.files, "current"))
		server.wait_for("reloaded", mark)
		equal(server.serial(), serial_of(fresh))


@test("[8314-4-5] a broken certificate is refused with its reason; the old one stays, and TLS is offered truthfully")
def _():
	with Server() as server:
		client, other = server.client(), pki().leaf("unfit", [NAME])
		mark = server.mark()
		lab.write(os.path.join(server.files, "key"), open(other.key, "rb").read(), 0o600)
		event = server.wait_for("reload-refused", mark)
		contains(event["reason"], "mail")
		equal(event.level, "error")
		equal(server.serial(), serial_of(leaf()))
		mark = server.mark()
		lab.write(os.path.join(server.files, "chain"), "garbage")
		server.wait_for("reload-refused", mark)
		equal(server.serial(), serial_of(leaf()))
		mark = server.mark()
		server.put(other)
		server.wait_for("reloaded", mark)
		equal(server.serial(), serial_of(other))
		alive(client)


@test("a broken configuration is refused with file and line, all its mistakes; the old one stays")
def _():
	with Server() as server:
		client = server.client()
		server.write_config("log: { level = \"loud\"; };\nbogus: { };\n")
		mark = server.mark()
		event = server.hup("reload-refused")
		contains(event["reason"], "gatepost.conf:")
		server.wait_line(lambda line: "reload-refused" in line and "gatepost.conf:2: " in line and "bogus" in line, mark)
		alive(client)
		alive(server.client())
		server.write_config()
		server.hup("reloaded")
		alive(client)


@test("a refused configuration leaves nothing behind, neither ports nor log settings")
def _():
	with Server() as server:
		second = lab.address(2993)
		server.groups |= {"listeners": [server.listener(), server.listener(second), server.listener(backend().address)]}
		server.write_config()
		contains(server.hup("reload-refused")["reason"], "in use")
		equal(connects(second), False)
		alive(server.client())


@test("settings that only a restart can change are refused at a reload, with that hint")
def _():
	with Server() as server:
		server.groups |= {"server": server.groups["server"] | {"workers": 3}}
		server.write_config()
		contains(server.hup("reload-refused")["reason"], "restart")
		alive(server.client())


# ---- workers that die ----


@test("kill -9 of a worker: it is replaced at once, and only its own sessions are lost")
def _():
	with Server() as server:
		victim, other = server.workers()
		with stopped(other):
			lost = [server.client() for _ in range(6)]
		with stopped(victim):
			kept = [server.client() for _ in range(6)]
		mark = server.mark()
		os.kill(victim, signal.SIGKILL)
		event = server.wait_for("worker-lost", mark, pid=victim)
		equal(event.level, "error")
		contains(event["reason"], "9")
		for client in lost:
			equal(client.ending() in ("cut", "reset"), True)
		for client in kept:
			alive(client)
		fresh = server.wait_for("worker-started", mark, worker=event["worker"])
		equal(fresh["pid"] == str(victim), False)
		eventually(lambda: len(server.workers()) == 2, "two workers")
		equal(server.counter("sessions-open"), 6)
		for _ in range(4):
			alive(server.client())


@test("a worker that is replaced serves the configuration of the last reload")
def _():
	with Server(server={"workers": 1}) as server:
		second = lab.address(2993)
		server.reload(listeners=[server.listener(), server.listener(second)])
		mark = server.mark()
		os.kill(server.workers()[0], signal.SIGKILL)
		server.wait_for("worker-started", mark)
		alive(server.client(second))


def is_running(pid):
	"""An orphan that nobody has waited for yet has ended, too."""
	try:
		with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
			return file.read().rpartition(")")[2].split()[0] != "Z"
	except OSError:
		return False


@test("when the supervisor itself is killed, its workers end and the ports are free")
def _():
	with Server() as server:
		workers = server.workers()
		server.client().close()
		server.signal(signal.SIGKILL)
		server.wait()
		eventually(lambda: not any(is_running(pid) for pid in workers), "the workers to end")
		eventually(lambda: not connects(server.address), "the port to be free")


# ---- the end ----


@test("SIGTERM: sessions go on for the drain time, then hear BYE; the exit status is 0")
def _():
	with Server(server={"drain_time": "3s"}) as server:
		client, mark = server.client(), server.mark()
		server.signal(signal.SIGTERM)
		server.wait_for("draining", mark)
		alive(client)
		contains(client.line(), b"* BYE")
		equal(client.ending(), "close_notify")
		client.close()
		equal(server.wait(), 0)
		equal(server.events("session-end", mark, user="alice")[-1]["end"], "shutdown")
		equal(len(server.events("stopped", mark)), 1)


@test("SIGTERM: new clients are turned away at once, not left waiting")
def _():
	with Server(server={"drain_time": "1h"}) as server:
		client, mark = server.client(), server.mark()
		server.signal(signal.SIGTERM)
		server.wait_for("draining", mark)
		eventually(lambda: not connects(server.address), "the port to close", PATIENCE_S / 10)
		alive(client)


@test("SIGTERM: without sessions it is over at once; with the last one's end, too")
def _():
	with Server(server={"drain_time": "1h"}) as server:
		server.signal(signal.SIGTERM)
		equal(server.wait(), 0)
	with Server(server={"drain_time": "1h"}) as server:
		client, mark = server.client(), server.mark()
		server.signal(signal.SIGTERM)
		server.wait_for("draining", mark)
		contains(client.imap("LOGOUT")[-1], b"OK")
		client.close()
		equal(server.wait(), 0)


@test("a second SIGTERM stops at once, whatever the drain time; clients before login and in cleartext are told, too")
def _():
	clear = lab.address(1143)
	pop3 = listener("pop3", clear, "mail", Backend(lab, pop3_server).address)
	with Server(server={"drain_time": "1h"}) as server:
		server.reload(listeners=[server.listener(), pop3])
		logged_in, before_login, in_cleartext = server.client(), implicit(server.address, tls(), NAME), Client(clear)
		contains(before_login.line(), b"* OK")
		contains(in_cleartext.line(), b"+OK")
		mark = server.mark()
		server.signal(signal.SIGTERM)
		server.wait_for("draining", mark)
		server.signal(signal.SIGTERM)
		contains(logged_in.line(), b"* BYE")
		contains(before_login.line(), b"* BYE")
		contains(in_cleartext.line(), b"-ERR [SYS/TEMP]")
		for client in (logged_in, before_login, in_cleartext):
			equal(client.ending() in ("close_notify", "cut"), True)
			client.close()
		equal(server.wait(), 0)


# ---- systemd ----


class Notifications:
	"""The socket that systemd listens on."""

	def __init__(self):
		self.path = lab.path("notify.sock")
		self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		self.sock.settimeout(PATIENCE_S)
		if os.path.exists(self.path):
			os.unlink(self.path)
		self.sock.bind(self.path)
		os.chmod(self.path, 0o777)

	def next(self):
		return self.sock.recv(4096).decode().split("\n")


@test("sd_notify: READY, RELOADING and READY, STOPPING, each when it is true")
def _():
	said = Notifications()
	with Server(environment={"NOTIFY_SOCKET": said.path}) as server:
		contains(said.next(), "READY=1")
		alive(server.client())
		server.signal(signal.SIGHUP)
		reloading = said.next()
		contains(reloading, "RELOADING=1")
		contains(said.next(), "READY=1")
		server.write_config("bogus: { };\n")
		server.signal(signal.SIGHUP)
		contains(said.next(), "RELOADING=1")
		contains(said.next(), "READY=1")
		server.signal(signal.SIGTERM)
		contains(said.next(), "STOPPING=1")


def activated(names, sockets, listeners):
	"""A gatepost that inherits these sockets."""
	for sock in sockets:
		sock.listen(16)
		os.set_inheritable(sock.fileno(), True)
	fds = [str(sock.fileno()) for sock in sockets]
	script = os.path.join(copy_tests(lab), "integration", "activate.py")
	Server.count += 1
	return Gate(lab, f"activated-{Server.count}", certificates=[certificate(leaf())], listeners=listeners,
		before=[python_for_all(), "-B", script, names, *fds, "--"], pass_fds=[sock.fileno() for sock in sockets])


def bound(address):
	sock = socket.socket()
	sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	sock.bind(split_address(address))
	return sock


@test("socket activation: a passed socket serves the listener of its name, wherever it is bound")
def _():
	named, own = lab.address(3993), lab.address(3143)
	with bound(named) as sock:
		gate = activated("imaps", [sock], [listener("imaps", lab.address(993), leaf(), backend().address),
			listener("imap", own, leaf(), backend().address)])
		contains(implicit(named, tls(), NAME).line(), b"* OK")
		contains(Client(own).line(), b"* OK")
		gate.hup("reloaded")
		contains(implicit(named, tls(), NAME).line(), b"* OK")
		gate.stop()


@test("socket activation: without a name the address decides, and unfit sockets are left alone")
def _():
	by_address, unfit = lab.address(3993), lab.address(3144)
	with bound(by_address) as sock, bound(unfit) as other:
		gate = activated("", [other, sock], [listener("imaps", by_address, leaf(), backend().address)])
		contains(implicit(by_address, tls(), NAME).line(), b"* OK")
		gate.stop()


# ---- permissions ----


def capabilities(pid, kind):
	return int(proc_status(pid)[kind], 16)


@test("workers have no new privileges, no capabilities, a seccomp filter, and cannot be looked into")
def _():
	with Server() as server:
		for pid in server.workers():
			status = proc_status(pid)
			equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
			equal(capabilities(pid, "CapEff"), 0)
			equal(os.stat(f"/proc/{pid}/fd").st_uid, 0)  # so it is for processes that may not be dumped


@root_test("a worker holds no file and no variables: sockets, sealed memory and the log are all it has")
def _():
	with Server(environment={"NOTIFY_SOCKET": Notifications().path}) as server:
		server.client()
		for pid in server.workers():
			environment = open(f"/proc/{pid}/environ", "rb").read()
			equal(b"NOTIFY_SOCKET" in environment or b"LISTEN_" in environment, False)
			for fd in os.listdir(f"/proc/{pid}/fd"):
				target = os.readlink(f"/proc/{pid}/fd/{fd}")
				known = target.startswith(("socket:", "pipe:", "anon_inode:", "/memfd:", "/dev/null"))
				equal((target, known), (target, True))


@root_test("started as root: it binds what only root may, and no other process has root's permissions")
def _():
	host = lab.host()
	with Server(f"{host}:{lab.free_port(host, 600, 1000)}", root=True) as server:
		alive(server.client())
		workers = server.workers()
		equal(len(workers), 2)
		for pid in workers:
			status = proc_status(pid)
			equal(set(status["Uid"].split()), {str(USER.pw_uid)})
			equal(set(status["Gid"].split()), {str(USER.pw_gid)})
			equal(status["Groups"], "")
			for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
				equal(capabilities(pid, kind), 0)
		kept = capabilities(server.pid, "CapEff")
		equal(kept & (1 << 21), 0)  # CAP_SYS_ADMIN
		equal(bin(kept).count("1") < 10, True)
		alive(server.client())
		server.hup("reloaded")
		os.kill(workers[0], signal.SIGKILL)
		server.wait_for("worker-lost")
		eventually(lambda: len(server.workers()) == 2, "a new worker")
		for pid in server.workers():
			equal(set(proc_status(pid)["Uid"].split()), {str(USER.pw_uid)})
		alive(server.client())


@root_test("started as root: server.user must be there and must not be root")
def _():
	for user in ("root", "no-such-user"):
		Server.count += 1
		gate = Gate(lab, f"permissions-{Server.count}", root=True, wait=False, server={"user": user},
			certificates=[certificate(leaf())],
			listeners=[listener("imaps", lab.address(1993), leaf(), backend().address)])
		equal(gate.wait() == 0, False)
		contains("\n".join(gate.lines), user)


# ---- questions ----


@test("`gatepost status`: for people and as JSON, by configuration or socket; a stopped one is named")
def _():
	with Server() as server:
		client = server.client()
		sock = server.path("run", "control.sock")
		equal(stat.S_IMODE(os.stat(sock).st_mode) & 0o007, 0)  # it tells names of users
		for words in (("-c", server.config), ("--socket", sock)):
			text = gatepost(lab, "status", *words).stdout
			contains(text, "sessions-open")
			contains(text, f"process {server.pid}")
		status = server.status()
		equal(status["pid"], server.pid)
		equal(sorted(row["pid"] for row in status["workers"]), server.workers())
		equal(server.counter("logins"), 1)
		client.close()
		server.stop()
		done = gatepost(lab, "status", "-c", server.config)
		equal(done.returncode == 0, False)
		contains(done.stderr, "control.sock")


run(lab)
