#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""control.sock and policy.sock are for administrators: root, who started gatepost, a group. A process of server.user is
kept off by the directory, and by a look at who connects."""

import grp
import os
import pwd
import stat
import sys
import time

sys.dont_write_bytecode = True
from gate import Gate, gatepost  # noqa: E402
from lab import TOP, USER, Lab, command, contains, equal, python_for_all, root_test, run, test  # noqa: E402

EX_UNAVAILABLE, EX_NOPERM = 69, 77
NAMES = ("control.sock", "policy.sock")
ASK = """
import socket, sys
sock = socket.socket(socket.AF_UNIX)
try:
	sock.connect(sys.argv[1])
except OSError as error:
	sys.exit(type(error).__name__)
try:
	sock.sendall(sys.argv[2].encode())
except OSError:
	pass
if "," in sys.argv[2]:
	print(sock.recv(4096).decode())
else:
	print(b"".join(iter(lambda: sock.recv(4096), b"")).decode())
"""
OVERRIDE = f"OVERRIDE victim.test {int(time.time()) + 86400} none\nevil"
REQUESTS = {"control.sock": "status\n", "policy.sock": f"{len(OVERRIDE)}:{OVERRIDE},"}
SERVED = {"control.sock": "sessions-open", "policy.sock": "OK "}
lab = Lab()


def user(name, *groups):
	"""Arguments of subprocess for a user of the system, in groups besides its own."""
	entry = pwd.getpwnam(name)
	return {"root": True, "user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [grp.getgrnam(group).gr_gid for group in groups]}


def ask(gate, name, who, short=False):
	"""What comes of asking; an answer, or the name of an exception."""
	path = os.path.join(gate.groups["server"]["run_dir"], *(() if short else ("admin",)), name)
	done = command(python_for_all(), "-c", ASK, path, REQUESTS[name], check=False, **who)
	return done.stdout.strip() + done.stderr.strip()


def start(name, root, before=(), **server):
	"""With a directory of its own for the sockets, and a policy service that asks no DNS."""
	run_dir = lab.make_directory(name + "-run")
	if root:
		os.chown(run_dir, 0, 0)
	return Gate(lab, name, root=root, before=before, server={"run_dir": run_dir, "workers": 1, **server}, dns={"dnssec": "off"},
		policy={"addresses": [lab.address(8461)]})


def directory_of(gate):
	return os.path.join(gate.groups["server"]["run_dir"], "admin")


def expect(gate, who, wanted):
	for name in NAMES:
		for short in (False, True):
			contains(f"{name}: " + ask(gate, name, who, short), wanted[name] if isinstance(wanted, dict) else wanted)


def open_up(gate):
	"""The directory and the sockets for all: the first lock is gone."""
	os.chmod(directory_of(gate), 0o755)
	for name in NAMES:
		os.chmod(os.path.join(directory_of(gate), name), 0o666)


def facts(path):
	state = os.stat(path)
	return state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)


@root_test("started as root: the sockets are root's, in a directory that server.user cannot enter; root is served")
def _():
	gate = start("root", True)
	equal(facts(directory_of(gate)), (0, 0, 0o750))
	for name in NAMES:
		equal(facts(os.path.join(directory_of(gate), name)), (0, 0, 0o660))
	expect(gate, user(USER.pw_name), "PermissionError")
	expect(gate, {"root": True}, SERVED)
	for words in (("status", "-c", gate.config), ("policy", "list", "-c", gate.config)):
		equal(command(lab.program(), *words, root=True).returncode, 0)
		done = gatepost(lab, *words)
		equal(done.returncode, EX_UNAVAILABLE)
		contains(done.stderr, "only root, the user who started gatepost and members of server.admin-group can use this socket")


@root_test("... and when the directory was opened up, a process of server.user is refused by what the kernel says of it")
def _():
	gate = start("open", True)
	open_up(gate)
	mark = gate.mark()
	for name in NAMES:
		answer = ask(gate, name, user(USER.pw_name))
		contains(answer, f"refused: user {USER.pw_uid} may not administer this gatepost.")
		event = gate.wait_for("admin-refused", mark, socket=name, uid=USER.pw_uid)
		equal((event.level, event.component), ("warn", "admin"))
	equal(command(lab.program(), "policy", "list", "-c", gate.config, root=True).stdout, "")
	for words in (("status",), ("policy", "list"), ("policy", "override", "victim.test", "none", "--until", "1d", "--reason", "evil")):
		done = gatepost(lab, *words, "-c", gate.config)
		equal((words, done.returncode, done.stdout), (words, EX_NOPERM, ""))
		contains(done.stderr, "refused: ")
	expect(gate, user("daemon"), "refused: ")
	expect(gate, {"root": True}, SERVED)


@root_test("... its lines in the log are limited in rate")
def _():
	gate = start("often", True)
	open_up(gate)
	for _ in range(20):
		contains(ask(gate, "control.sock", user(USER.pw_name)), "refused: ")
	contains(ask(gate, "control.sock", {"root": True}), "sessions-open")
	equal(0 < len(gate.events("admin-refused")) < 20, True)


@root_test("server.admin-group: its members are served, by any of their groups; others are not, and server.user never")
def _():
	gate = start("group", True, admin_group="games")
	group = grp.getgrnam("games").gr_gid
	equal(facts(directory_of(gate)), (0, group, 0o750))
	for name in NAMES:
		equal(facts(os.path.join(directory_of(gate), name)), (0, group, 0o660))
	expect(gate, user("daemon", "games"), SERVED)
	expect(gate, user("games"), SERVED)
	expect(gate, user("daemon", "mail"), "PermissionError")
	expect(gate, user(USER.pw_name, "games"), "refused: ")
	open_up(gate)
	expect(gate, user("daemon", "mail", "root"), "refused: ")
	expect(gate, user("daemon", "games") | {"extra_groups": [*range(70001, 70101), group]}, SERVED)


@root_test("a directory that another has left there is taken back, a link is not followed")
def _():
	gate = start("left", True)
	gate.stop()
	os.chown(directory_of(gate), USER.pw_uid, USER.pw_gid)
	os.chmod(directory_of(gate), 0o777)
	again = Gate(lab, "left-again", root=True, server=gate.groups["server"], dns=gate.groups["dns"], policy=gate.groups["policy"])
	equal(facts(directory_of(again)), (0, 0, 0o750))
	again.stop()
	os.rename(directory_of(again), directory_of(again) + "-elsewhere")
	os.symlink(directory_of(again) + "-elsewhere", directory_of(again))
	os.chmod(directory_of(again) + "-elsewhere", 0o777)
	third = Gate(lab, "left-third", root=True, wait=False, server=gate.groups["server"], dns=gate.groups["dns"],
		policy=gate.groups["policy"])
	equal(third.wait() == 0, False)
	contains("\n".join(third.lines), "/admin: ")
	equal(facts(directory_of(again) + "-elsewhere")[2], 0o777)


@root_test("started as root with the capabilities that the unit for systemd leaves: it starts, reloads and serves")
def _():
	with open(os.path.join(TOP, "contrib", "systemd", "gatepost.service"), encoding="utf-8") as file:
		words = next(line for line in file if line.startswith("CapabilityBoundingSet=")).split("=")[1].split()
	given = ",".join("+" + word.removeprefix("CAP_").lower() for word in words)
	state_dir = lab.make_directory("bounded-state")
	os.chown(state_dir, 0, 0)
	gate = start("bounded", True, ("setpriv", "--bounding-set=-all," + given), state_dir=state_dir)
	expect(gate, {"root": True}, SERVED)
	expect(gate, user(USER.pw_name), "PermissionError")
	gate.reload(log={"level": "debug"})


@root_test("run by an ordinary user: that user and root are served, another user is not, also with the directory open")
def _():
	gate = start("ordinary", False)
	equal(facts(directory_of(gate)), (USER.pw_uid, facts(directory_of(gate))[1], 0o700))
	expect(gate, user(USER.pw_name), SERVED)
	expect(gate, {"root": True}, SERVED)
	expect(gate, user("daemon", "root"), "PermissionError")
	open_up(gate)
	expect(gate, user("daemon", "root"), "refused: ")


@test("run by an ordinary user: the commands are served")
def _():
	gate = start("mine", False)
	for words in (("status",), ("policy", "list"), ("policy", "override", "a.test", "none", "--until", "1d", "--reason", "a test")):
		done = gatepost(lab, *words, "-c", gate.config)
		equal((words, done.returncode, done.stderr), (words, 0, ""))
	contains(gatepost(lab, "policy", "list", "-c", gate.config).stdout, "a.test")
	contains(gatepost(lab, "status", "--socket", os.path.join(gate.groups["server"]["run_dir"], "control.sock")).stdout, "sessions-open")
	mark = gate.mark()
	gate.groups["server"]["admin_group"] = "games"
	gate.write_config()
	contains(gate.hup("reload-refused")["reason"], "admin-group")
	equal(gate.events("reloaded", mark), [])


@test("a group that does not exist stops the start, with a sentence")
def _():
	gate = Gate(lab, "nogroup", wait=False, server={"admin_group": "no-such-group"}, dns={"dnssec": "off"},
		policy={"addresses": [lab.address(8461)]})
	equal(gate.wait() == 0, False)
	contains("\n".join(gate.lines), "server.admin-group: there is no such group")


run(lab)
