#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the policy service keeps, on disks that fill up and in files that are damaged."""

import contextlib
import os
import signal
import socket
import sqlite3
import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from gate import Gate, certificate, listener  # noqa: E402
from lab import Lab, command, contains, equal, eventually, move_inside, run, split_address, test  # noqa: E402
from policyhost import enforce  # noqa: E402
from policylab import PolicyLab  # noqa: E402

move_inside()
ZONE, SIGNED = "plain.test", "signed.test"
EX_TEMPFAIL = 75
NAMES = "kept late full one two".split()
lab = Lab()


def domain(name):
	return f"{name}.{ZONE}"


def secure(name):
	return f"OK secure match=mx.{domain(name)} servername=hostname"


def zone_text(**texts):
	lines = ["$TTL 0"]
	for name in NAMES:
		lines += [f"{name} MX 10 mx.{name}", f"mx.{name} A 127.0.0.21", f"mta-sts.{name} A POLICYHOST"]
		text = texts.get(name, "v=STSv1; id=1;")
		lines += [f'_mta-sts.{name} TXT "{text}"'] if text else []
	return "\n".join(lines)


@cache
def service():
	made = PolicyLab(lab, {ZONE: (zone_text(), "insecure"), SIGNED: "$TTL 0\n@ MX 10 mx\n"}, [domain(name) for name in NAMES],
		resolver="  cache-max-negative-ttl: 0\n  val-override-date: -1\n", start=False)
	lab.make_directory("gate", "state", "policy")
	command("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "none", disk(), root=True)
	made.gate = made.new_gate()
	for name in NAMES:
		made.host.site(domain(name), enforce("mx." + domain(name)))
	return made


def disk(*parts):
	return lab.path("gate", "state", "policy", *parts)


def fill():
	"""To the last byte."""
	with open(disk("filler"), "wb", buffering=0) as file:
		try:
			while file.write(bytes(512)):
				pass
		except OSError:
			pass


def kill_policy_server():
	"""As a power cut, but for what the kernel has not written yet."""
	pid = next(pid for pid in service().gate.workers() if "policy" in open(f"/proc/{pid}/comm", encoding="utf-8").read())
	mark = service().gate.mark()
	os.kill(pid, signal.SIGKILL)
	service().gate.wait_for("worker-started", mark, process="policy-server")
	eventually(answers, "the service to answer again")


def answers():
	try:
		return service().ask(".parent") == "NOTFOUND"
	except (OSError, ValueError):
		return False


def refused(*words):
	"""A command that could not be carried out says so."""
	done = service().run(*words, check=False)
	equal((words, done.returncode), (words, EX_TEMPFAIL))
	contains(done.stderr, "because the change could not be written: store: database or disk is full; gatepost does not try again")
	return done.stderr


def override(name, level):
	return ("override", domain(name), level, "--until", "7d", "--reason", "a test")


# ---- a full disk ----


@test("a full disk: override and purge say that nothing has changed, and nothing has, also after kill -9")
def _():
	equal(service().ask(domain("kept")), secure("kept"))
	service().run(*override("late", "may"))
	fill()
	mark = service().gate.mark()
	contains(refused(*override("late", "encrypt")), "the override has not been set")
	contains(refused(*override("one", "none")), "the override has not been set")
	contains(refused("override", domain("late"), "off"), "the override has not been ended")
	contains(refused("purge", domain("kept")), "nothing has been purged")
	contains(refused("purge", "--all"), "nothing has been purged")
	contains(service().gate.wait_for("store-failed", mark)["reason"], "full")
	equal(service().gate.events("store-works-again"), [])

	def as_before():
		equal(service().ask(domain("late")), "OK may")
		equal(service().listed(domain("one")), None)
		equal(service().listed(domain("kept"))["policy"]["mode"], "enforce")
	as_before()
	kill_policy_server()
	as_before()


@test("the end of a full disk is logged, and what was fetched meanwhile is in the file")
def _():
	mark = service().gate.mark()
	fill()
	equal(service().ask(domain("full")), secure("full"))
	service().gate.wait_for("store-failed", mark)
	os.remove(disk("filler"))
	service().gate.wait_for("store-works-again", mark)
	kill_policy_server()
	equal(service().listed(domain("full"))["policy"]["mode"], "enforce")
	# none of what was refused has happened
	equal(service().ask(domain("late")), "OK may")
	equal(service().listed(domain("one")), None)


@test("what override and purge have confirmed is there after kill -9")
def _():
	service().run(*override("two", "encrypt"))
	kill_policy_server()
	equal(service().ask(domain("two")), "OK encrypt")
	service().run("override", domain("two"), "off")
	service().run("purge", domain("full"))
	kill_policy_server()
	equal(service().listed(domain("two")), None)
	equal(service().listed(domain("full")), None)
	service().run("purge", "--all")
	kill_policy_server()
	equal(service().run("list").stdout.split()[0], domain("late"))


# ---- damaged files ----

JUNK = b"this is no database, whatever its name says" * 100


def damage(name):
	"""Beyond recognition, while the service is stopped."""
	for file in os.listdir(disk()):
		if file.startswith(name + "-"):
			os.remove(disk(file))
	with open(disk(name), "r+b") as file:
		file.write(JUNK)


def set_version(name, version):
	"""As if another gatepost had written it. Returns what it was."""
	with contextlib.closing(sqlite3.connect(disk(name))) as db:
		before, = db.execute("PRAGMA user_version").fetchone()
		db.execute(f"PRAGMA user_version = {version}")
		return before


def announce(**texts):
	"""Other TXT records for some domains; "" for none."""
	service().set(ZONE, zone_text(**texts))


def set_aside(name):
	return [file for file in os.listdir(disk()) if file.startswith(name + ".damaged-") and not file.endswith(("-wal", "-shm"))]


UNKNOWN = "TEMP gatepost could not find out whether there is an MTA-STS policy"


@test("after a damaged policy.db, a policy that cannot be found out is TEMP and not none, also after a restart, until it was once")
def _():
	for name in ("one", "two"):
		equal(service().ask(domain(name)), secure(name))
	service().gate.stop()
	damage("policy.db")
	service().gate = service().new_gate()
	line = service().gate.wait_for("store-salvaged", file="policy.db", policies=0)
	contains(line["reason"], "file is not a database")
	aside, = set_aside("policy.db")
	equal(line["moved-to"], disk(aside))
	with open(disk(aside), "rb") as file:
		equal(file.read(len(JUNK)), JUNK)
	# one's record cannot be asked for, two's policy cannot be fetched, and late has none
	service().watch.faults["_mta-sts." + domain("one"), "TXT"] = "servfail"
	service().host.site(domain("two"), b"", status=503)
	announce(late="")
	service().run("override", domain("late"), "off")
	for turn in range(3):
		contains(service().ask(domain("one")), UNKNOWN)
		contains(service().ask(domain("two")), UNKNOWN)
		equal(service().show(domain("two"))["mta-sts"]["unknown"], True)
		equal(service().ask(domain("late")), "NOTFOUND")
		if turn == 1:
			# and now late is known
			service().watch.faults["_mta-sts." + domain("late"), "TXT"] = "servfail"
		if turn < 2:
			kill_policy_server()
	service().watch.faults.clear()
	service().host.site(domain("two"), enforce("mx." + domain("two")))
	announce()
	eventually(lambda: service().ask(domain("one")) == secure("one"), "the policy")
	contains(service().run("refresh", domain("two")).stdout, "enforce")
	equal(service().ask(domain("two")), secure("two"))


@test("the operator can say that nothing was lost: purge")
def _():
	for name in ("kept", "full"):
		service().watch.faults["_mta-sts." + domain(name), "TXT"] = "servfail"
		contains(service().ask(domain(name)), UNKNOWN)
	service().run("purge", domain("kept"))
	equal(service().ask(domain("kept")), "NOTFOUND")
	kill_policy_server()
	equal(service().ask(domain("kept")), "NOTFOUND")
	contains(service().ask(domain("full")), UNKNOWN)
	service().run("purge", "--all")
	equal(service().ask(domain("full")), "NOTFOUND")
	kill_policy_server()
	equal(service().ask(domain("full")), "NOTFOUND")
	service().watch.faults.clear()


@test("a damaged overrides.db: every answer is TEMP, and the line names the command that mends it")
def _():
	service().run(*override("late", "may"))
	service().gate.stop()
	damage("overrides.db")
	service().gate = gate = service().new_gate()
	contains(gate.wait_for("store-unusable", file="overrides.db")["reason"], '"gatepost policy repair" makes a new one of what can be read')
	for name in ("late", "one"):
		contains(service().ask(domain(name)), "TEMP overrides.db cannot be read, so an override may be missing")
	done = service().run(*override("late", "encrypt"), check=False)
	equal(done.returncode, EX_TEMPFAIL)
	contains(done.stderr, "overrides.db cannot be read")
	# a list that is not complete is none
	equal(service().run("list", check=False).returncode, EX_TEMPFAIL)
	done = service().run("repair")
	contains(done.stdout, "0 overrides could be read")
	equal(len(set_aside("overrides.db")), 1)
	gate.wait_for("store-usable", file="overrides.db")
	equal(service().ask(domain("one")), secure("one"))
	service().run(*override("late", "encrypt"))
	equal(service().ask(domain("late")), "OK encrypt")
	equal(service().run("repair", check=False).returncode == 0, False)  # it is in use


@test("policy repair makes a new file of the overrides that it can read, and prints them")
def _():
	service().run(*override("kept", "encrypt protocols=>=TLSv1.2"))
	service().gate.stop()
	with contextlib.closing(sqlite3.connect(disk("overrides.db"))) as db:
		db.executescript("CREATE TABLE more (x); INSERT INTO more VALUES (1); PRAGMA writable_schema = ON;"
			"UPDATE sqlite_master SET rootpage = 2 WHERE name = 'more';")
	done = service().run("repair")
	for part in ("override encrypt until", f"{domain('kept')} ", "override encrypt protocols=>=TLSv1.2 until", ": a test\n"):
		contains(done.stdout, part)
	equal(len(set_aside("overrides.db")), 2)
	service().gate = service().new_gate()
	equal(service().ask(domain("kept")), "OK encrypt protocols=>=TLSv1.2")
	service().run("override", domain("kept"), "off")
	equal(service().ask(domain("late")), "OK encrypt")


@test("overrides that an older gatepost left in policy.db are taken over, once")
def _():
	service().gate.stop()
	os.remove(disk("overrides.db"))
	with contextlib.closing(sqlite3.connect(disk("policy.db"))) as db, db:
		db.executemany("INSERT INTO override VALUES (?, 'encrypt', 'older', 5000000000)", [(domain("kept"),), (domain("late"),)])
	service().gate = service().new_gate()
	for name in ("kept", "late"):
		equal(service().ask(domain(name)), "OK encrypt")
	service().run("override", domain("kept"), "off")
	service().gate.stop()
	with contextlib.closing(sqlite3.connect(disk("policy.db"))) as db:
		equal(db.execute("SELECT count(*) FROM override").fetchone(), (0,))
	service().gate = service().new_gate()
	equal(service().ask(domain("kept")), secure("kept"))
	equal(service().ask(domain("late")), "OK encrypt")


@test("a policy.db that has gone, while overrides.db is there, is noted as a loss")
def _():
	service().gate.stop()
	os.remove(disk("policy.db"))
	service().gate = gate = service().new_gate()
	contains(gate.wait_for("store-salvaged", file="policy.db")["reason"], "the file is not there any more")
	service().watch.faults["_mta-sts." + domain("one"), "TXT"] = "servfail"
	contains(service().ask(domain("one")), UNKNOWN)
	service().watch.faults.clear()
	service().run("purge", "--all")
	equal(service().ask(domain("two")), secure("two"))
	eventually(lambda: service().ask(domain("one")) == secure("one"), "the policy")


@test("a policy.db that cannot be opened: mail waits but for overrides, and when it can be opened all is well")
def _():
	service().gate.stop()
	version = set_version("policy.db", 99)
	service().gate = gate = service().new_gate()
	contains(gate.wait_for("store-unusable", file="policy.db")["reason"], "a newer gatepost has written this file")
	equal(service().ask(domain("late")), "OK encrypt")
	contains(service().ask(domain("one")), "TEMP the MTA-STS cache policy.db cannot be read")
	for words in (("purge", "--all"), ("refresh", domain("one"))):
		equal(service().run(*words, check=False).returncode, EX_TEMPFAIL)
	# what is found out by hand meanwhile is not lost
	equal(service().show(domain("two"))["mta-sts"]["policy"]["mode"], "enforce")
	set_version("policy.db", version)
	gate.wait_for("store-usable", file="policy.db")
	equal(service().ask(domain("one")), secure("one"))
	equal(service().listed(domain("two"))["policy"]["mode"], "enforce")


@test("whatever is wrong with its files, the policy service stops nobody else")
def _():
	service().gate.stop()
	damage("policy.db")
	damage("overrides.db")
	leaf, address = service().pki.leaf("imap", ["imap.test"]), lab.address(993)
	service().gate = Gate(lab, mode="serve", policy=service().policy, dns=service().dns | {"trust_anchors": lab.path("none.key")},
		certificates=[certificate(leaf)], listeners=[listener("imaps", address, leaf, lab.address(143))])
	service().gate.wait_for("store-unusable", file="overrides.db")
	service().gate.wait_for("resolver-failed")
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
	context.load_verify_locations(service().pki.root)
	with socket.create_connection(split_address(address)) as plain, context.wrap_socket(plain, server_hostname="imap.test") as tls:
		equal(tls.version(), "TLSv1.3")
	contains(service().ask(domain("one")), "TEMP overrides.db cannot be read")


if __name__ == "__main__":
	run(lab)
