#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Started as root, each kind of process has a user of its own (server.separate-users)."""

import os
import signal
import stat
import sys
from functools import cache

sys.dont_write_bytecode = True
from gate import Gate, certificate, gatepost, listener  # noqa: E402
from lab import Lab, command, contains, equal, eventually, move_inside, proc_status, replace_file, run, test  # noqa: E402
from pki import Pki  # noqa: E402
from wire import Backend, imap_server  # noqa: E402

EX_NOUSER, EX_CONFIG = 67, 78
USERS = {"gp": 61001, "gp-web": 61002, "gp-policy": 61003, "gp-fetch": 61004}
PROCESSES = {"gatepost-edge": "gp", "gatepost-web": "gp-web", "gatepost-policy": "gp-policy", "gatepost-fetch": "gp-fetch"}

move_inside(ordinary=False)
lab = Lab()


@cache
def pki():
	return Pki(lab)


@cache
def leaf():
	return pki().leaf("mail", ["mail.example.test"])


for place in ("passwd", "group"):
	replace_file(lab, f"/etc/{place}", "")


def rewrite(place, lines):
	"""In place: what is mounted is the file, not its name."""
	with open(lab.path(place), "w", encoding="utf-8") as file:
		file.writelines(line + "\n" for line in lines)


def accounts(names, **other):
	"""These users and groups, and root, are all that there are; `other`: numbers that differ from USERS."""
	numbers = {"root": 0} | {name: USERS[name] for name in names} | other
	rewrite("passwd", [f"{name}:x:{number}:{number}::/:/bin/false" for name, number in numbers.items()])
	rewrite("group", [f"{name}:x:{number}:" for name, number in numbers.items()])


def start(name, wait=True, policy=True, before=(), **server):
	"""One with all four kinds of processes."""
	place = server.get("run_dir", lab.directory)
	groups = {"web": {"address": f"unix:{place}/{name}.web", "hosts": ["www.example.test"]}} if policy else {}
	if policy:
		groups |= {"policy": {"addresses": [lab.address(8642), f"unix:{place}/{name}.map"], "mta_sts_ca": pki().root},
			"dns": {"dnssec": "off"}}
	return Gate(lab, name, root=True, wait=wait, before=before, certificates=[certificate(leaf())], server={"user": "gp", "workers": 1} | server,
		listeners=[listener("imaps", lab.address(993), leaf(), Backend(lab, imap_server).address)], **groups)


def users_of(gate):
	"""Process name -> user and group."""
	found = {}
	for pid in gate.workers():
		status = proc_status(pid)
		found[status["Name"]] = [sorted(set(status[kind].split())) for kind in ("Uid", "Gid")] + [status["Groups"]]
	return found


def expected(name):
	return [[str(USERS[name])], [str(USERS[name])], ""]


def facts(path):
	state = os.stat(path)
	return state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)


@test("each kind of process has a user of its own, and no group but that user's")
def _():
	accounts(USERS)
	gate = start("apart", separate_users=True)
	equal(users_of(gate), {process: expected(user) for process, user in PROCESSES.items()})
	store = gate.path("state", "policy")
	equal(facts(store), (USERS["gp-policy"], USERS["gp-policy"], 0o700))
	equal(facts(os.path.join(store, "policy.db"))[:2], (USERS["gp-policy"],) * 2)
	# what others connect to is server.user's
	equal(facts(gate.path("run", "verdict.sock")), (USERS["gp"], USERS["gp"], 0o660))
	equal(facts(lab.path("apart.web"))[:2], (USERS["gp"], USERS["gp"]))
	gate.stop()


@test("none of these users may administer, even where the directory was opened up")
def _():
	accounts(USERS)
	gate = start("locked", separate_users=True)
	admin = gate.path("run", "admin")
	os.chmod(admin, 0o755)
	for name in ("control.sock", "policy.sock"):
		os.chmod(os.path.join(admin, name), 0o666)
	for user in PROCESSES.values():
		ids = {"root": True, "user": USERS[user], "group": USERS[user], "extra_groups": [0]}
		for words in (("status",), ("policy", "list")):
			done = gatepost(lab, *words, "-c", gate.config, **ids)
			contains(done.stderr, f"refused: user {USERS[user]} may not administer")
	equal(command(lab.program(), "policy", "list", "-c", gate.config, root=True).returncode, 0)
	gate.stop()


@test("server.separate-users = false: all processes are server.user, and the store goes with them, both ways")
def _():
	accounts(USERS)
	gate = start("merged", separate_users=True)
	command(lab.program(), "policy", "override", "kept.test", "may", "--until", "1d", "--reason", "test", "-c", gate.config, root=True)
	for separate, user in ((False, "gp"), (True, "gp-policy")):
		gate.stop()
		gate = start("merged", separate_users=separate)
		equal(users_of(gate)["gatepost-policy"], expected(user))
		contains(command(lab.program(), "policy", "list", "-c", gate.config, root=True).stdout, "kept.test")
		for name in ("policy.db", "overrides.db"):
			equal(facts(gate.path("state", "policy", name))[0], USERS[user])
	gate.stop()


@test("what root repairs belongs to the policy process")
def _():
	accounts(USERS)
	gate = start("repaired", separate_users=True)
	gate.stop()
	path = gate.path("state", "policy", "overrides.db")
	with open(path, "r+b") as file:
		file.write(b"no database" * 10)
	contains(command(lab.program(), "policy", "repair", "-c", gate.config, root=True).stdout, "could be read")
	equal(facts(path)[0], USERS["gp-policy"])
	again = start("repaired", separate_users=True)
	equal(command(lab.program(), "policy", "list", "-c", again.config, root=True).returncode, 0)
	again.stop()


@test("a link in the store's directory is not given away, and stops nothing")
def _():
	accounts(USERS)
	gate = start("linked", separate_users=True)
	gate.stop()
	path, secret = gate.path("state", "policy", "policy.db"), lab.write("secret", "x")
	before = facts(secret)
	os.unlink(path)
	for make in (os.symlink, os.link):
		make(secret, path)
		again = start("linked", separate_users=True)
		eventually(lambda gate=again: "store-unusable file=policy.db" in gate.tail() or
			"store-salvaged file=policy.db" in gate.tail(), "a line about the file")
		equal(facts(secret)[:2], before[:2])
		with open(secret, encoding="utf-8") as file:
			equal(file.read(), "x")
		again.stop()
		os.unlink(path)


@test("with the capabilities that the unit for systemd leaves, it starts again where its sockets were left")
def _():
	accounts(USERS)
	given = "+net_bind_service,+setuid,+setgid,+kill,+chown,+dac_read_search"
	places = {name: lab.make_directory("again-" + name) for name in ("run_dir", "state_dir")}
	for place in places.values():
		os.chown(place, 0, 0)
	for name in ("first", "second", "third"):
		gate = start("again", before=("setpriv", "--bounding-set=-all," + given), separate_users=True, **places)
		equal((name, users_of(gate)), (name, {process: expected(user) for process, user in PROCESSES.items()}))
		if name == "second":
			gate.signal(signal.SIGKILL)
			gate.wait()
		else:
			gate.stop()


@test("a user that is missing is named, and how to do without")
def _():
	accounts(["gp", "gp-web", "gp-policy"])
	gate = start("missing", wait=False, separate_users=True)
	equal(gate.wait(), EX_NOUSER)
	contains(gate.tail(), 'user "gp-fetch" does not exist: create it, or set server.separate-users = false')
	# what is started before a restart is told by the check
	done = gatepost(lab, "serve", "--check", "-c", gate.config, root=True)
	equal((done.returncode, "no errors" in done.stdout), (EX_NOUSER, False))
	contains(done.stderr, 'user "gp-fetch" does not exist')


@test("only the users of processes that run must exist")
def _():
	accounts(["gp"])
	gate = start("edge-alone", policy=False, separate_users=True)
	equal(users_of(gate), {"gatepost-edge": expected("gp")})
	gate.stop()


@test("a user that is root under another name is refused")
def _():
	accounts(USERS, **{"gp-web": 0})
	gate = start("rooted", wait=False, separate_users=True)
	equal(gate.wait(), EX_CONFIG)
	contains(gate.tail(), 'user "gp-web" has uid 0: gatepost does not run this process as root')


run(lab)
