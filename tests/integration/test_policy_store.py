#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the policy service keeps, on disks that fill up and in files that are damaged."""

import os
import signal
import sys
from functools import cache

sys.dont_write_bytecode = True
from lab import Lab, command, contains, equal, eventually, move_inside, run, test  # noqa: E402
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


def zone_text():
	lines = ["$TTL 0"]
	for name in NAMES:
		lines += [f"{name} MX 10 mx.{name}", f"mx.{name} A 127.0.0.21", f"mta-sts.{name} A POLICYHOST",
			f'_mta-sts.{name} TXT "v=STSv1; id=1;"']
	return "\n".join(lines)


@cache
def service():
	made = PolicyLab(lab, {ZONE: (zone_text(), "insecure"), SIGNED: "$TTL 0\n@ MX 10 mx\n"}, [domain(name) for name in NAMES],
		resolver="  cache-max-negative-ttl: 0\n  val-override-date: -1\n", start=False)
	lab.make_folder("gate", "state", "policy")
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
	contains(done.stderr, "because this could not be written: store: database or disk is full; gatepost does not try again")
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


if __name__ == "__main__":
	run(lab)
