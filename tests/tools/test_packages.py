#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/packages with stand-ins for dpkg-query, apt-get, systemctl and sudo, on a scratch directory in place of /."""

import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
from tap import contains, equal, run, test  # noqa: E402

STANDINS = {
	# what $T/installed lists is installed, the rest is unknown
	"dpkg-query": 'shift 3; for n; do grep -qx "$n" $T/installed && echo "installed $n"; done; exit 1',
	"apt-get": """echo "apt-get $*" >>$T/calls
		[ -x $T/usr/sbin/policy-rc.d ] || echo "no policy" >>$T/calls
		$T/usr/sbin/policy-rc.d; echo "policy says $?" >>$T/calls
		case "$1" in $APT_FAILS) echo "apt is unhappy"; exit 100 ;; esac
		if [ "$1" = install ]; then
			[ -z "$APT_SIGNAL" ] || kill -$APT_SIGNAL $PPID
			[ "$APT_SIGNAL" != KILL ] || exit 1 # an orphan must not go on beside the test
			for n; do case $n in -*|*=*|install) ;; *) echo "$n" >>$T/installed ;; esac; done
			touch $T/lib/systemd/system/new.service $T/lib/systemd/system/new.socket $T/etc/init.d/new
		fi""",
	"systemctl": 'echo "systemctl $*" >>$T/calls',
	"update-rc.d": 'echo "update-rc.d $*" >>$T/calls',
	"sudo": 'echo "sudo $*" >>$T/calls; AS_ROOT=1 exec "$@"',
	"id": '[ "$AS_ROOT" = 1 ] && echo 0 || echo 1000',
}
TOOLS = "sh cat sed sort tr grep dirname mktemp tail rm mv chmod touch flock env".split()


class Machine:
	"""A scratch directory that plays a small Debian."""

	def __init__(self, installed=(), without=()):
		self.root = tempfile.mkdtemp()
		for directory in ("usr/sbin", "lib/systemd/system", "etc/init.d", "bin", "project/tools", "project/packages"):
			os.makedirs(os.path.join(self.root, directory))
		for name in TOOLS:
			os.symlink(shutil.which(name), self.path("bin", name))
		for name, body in STANDINS.items():
			if name not in without:
				self.write(f"bin/{name}", "#!/bin/sh\n" + body + "\n", 0o755)
		shutil.copy(os.path.join(TOP, "tools/packages"), self.path("project/tools/packages"))
		self.write("project/packages/a.txt", "# a list\nalpha\nbeta  # the second\n")
		self.write("project/packages/b.txt", "beta\ngamma+x\n")
		self.write("installed", "".join(name + "\n" for name in installed))
		self.write("calls", "")
		self.write("lib/systemd/system/old.service", "")

	def __enter__(self):
		return self

	def __exit__(self, *_):
		shutil.rmtree(self.root)

	def path(self, *parts):
		return os.path.join(self.root, *parts)

	def write(self, name, text, mode=0o644):
		with open(self.path(name), "w", encoding="utf-8") as file:
			file.write(text)
		os.chmod(self.path(name), mode)

	def read(self, name):
		with open(self.path(name), encoding="utf-8") as file:
			return file.read()

	def packages(self, *lists, **environment):
		variables = {"PATH": self.path("bin"), "T": self.root, "PACKAGES_ROOT": self.root, "AS_ROOT": "1",
			"APT_FAILS": "never", "APT_SIGNAL": "", **environment}

		def heed_signals():
			"""What runs behind nohup or in the background of a shell ignores them, and so would its children."""
			for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
				signal.signal(number, signal.SIG_DFL)

		done = subprocess.run(["/bin/dash", self.path("project/tools/packages"), *lists], env=variables, text=True,
			stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
			preexec_fn=heed_signals)  # pylint: disable=subprocess-popen-preexec-fn
		return done.returncode, done.stdout

	def policy_left(self):
		return sorted(os.listdir(self.path("usr/sbin")))


@test("nothing is done when all is there")
def _():
	with Machine(["alpha", "beta", "gamma+x"]) as machine:
		equal(machine.packages("a", "b"), (0, ""))
		equal(machine.read("calls"), "")


@test("NO_INSTALL=1 prints what is missing and fails")
def _():
	with Machine(["beta"]) as machine:
		status, out = machine.packages("a", "b", NO_INSTALL="1")
		equal(status, 69)
		contains(out, "missing packages: alpha gamma+x\n")
		contains(out, "NO_INSTALL=1 is set")
		equal(machine.read("calls"), "")


@test("an unknown list and a missing argument are usage errors")
def _():
	with Machine() as machine:
		equal(machine.packages("nonsense")[0], 64)
		equal(machine.packages()[0], 64)


@test("root installs what is missing, under a policy that forbids starts")
def _():
	with Machine(["beta"]) as machine:
		status, out = machine.packages("a", "b")
		equal((status, "missing packages: alpha gamma+x" in out), (0, True))
		calls = machine.read("calls")
		contains(calls, "apt-get update")
		contains(calls, "apt-get install -y --no-install-recommends")
		contains(calls, "alpha gamma+x")
		equal((calls.count("policy says 101"), calls.count("no policy"), calls.count("sudo")), (2, 0, 0))
		equal(machine.policy_left(), [])


@test("new units and init scripts are disabled, older ones are left alone")
def _():
	with Machine() as machine:
		equal(machine.packages("a")[0], 0)
		calls = machine.read("calls")
		for line in ("systemctl disable new.service", "systemctl disable new.socket", "update-rc.d new disable"):
			contains(calls, line)
		equal("old.service" in calls, False)


@test("it works where there is no systemctl")
def _():
	with Machine(without=["systemctl", "update-rc.d"]) as machine:
		equal(machine.packages("a")[0], 0)


@test("an administrator's policy-rc.d is kept and put back")
def _():
	with Machine() as machine:
		machine.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 104\n", 0o755)
		equal(machine.packages("a")[0], 0)
		equal(machine.read("calls").count("policy says 101"), 2)
		equal(machine.policy_left(), ["policy-rc.d"])
		contains(machine.read("usr/sbin/policy-rc.d"), "exit 104")


@test("it is put back after a failure of apt-get too, whose log is shown")
def _():
	for step in ("update", "install"):
		with Machine() as machine:
			machine.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 104\n", 0o755)
			status, out = machine.packages("a", APT_FAILS=step)
			equal(status, 69)
			contains(out, "apt is unhappy")
			contains(out, f"apt-get {step}")
			contains(machine.read("usr/sbin/policy-rc.d"), "exit 104")


@test("it is put back after a signal too, and new units are disabled")
def _():
	for name in ("HUP", "INT", "TERM"):
		with Machine() as machine:
			machine.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 104\n", 0o755)
			status, _ = machine.packages("a", APT_SIGNAL=name)
			equal(status, 128 + getattr(signal, "SIG" + name))
			contains(machine.read("usr/sbin/policy-rc.d"), "exit 104")
			contains(machine.read("calls"), "systemctl disable new.service")


@test("what a killed run left behind is mended by the next one")
def _():
	with Machine() as machine:
		machine.packages("a", APT_SIGNAL="KILL")
		equal(machine.policy_left(), ["policy-rc.d"])
		machine.write("installed", "")
		equal(machine.packages("a")[0], 0)
		equal(machine.policy_left(), [])
	with Machine() as machine:
		machine.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 104\n", 0o755)
		machine.packages("a", APT_SIGNAL="KILL")
		equal(machine.policy_left(), ["policy-rc.d", "policy-rc.d.before-gatepost"])
		machine.write("installed", "")
		equal(machine.packages("a")[0], 0)
		equal(machine.policy_left(), ["policy-rc.d"])
		contains(machine.read("usr/sbin/policy-rc.d"), "exit 104")


@test("an ordinary user installs through sudo")
def _():
	with Machine() as machine:
		equal(machine.packages("a", AS_ROOT="0")[0], 0)
		contains(machine.read("calls"), "sudo tools/packages --install alpha beta")


@test("without sudo an ordinary user gets a sentence")
def _():
	with Machine(without=["sudo"]) as machine:
		status, out = machine.packages("a", AS_ROOT="0")
		equal(status, 77)
		contains(out, "only root can install packages and there is no sudo")


@test("the lists are sorted, without doubles, and run stays under 25 names")
def _():
	names = {}
	for path in glob.glob(os.path.join(TOP, "packages", "*.txt")):
		with open(path, encoding="utf-8") as file:
			words = " ".join(line.split("#")[0] for line in file).split()
		names[os.path.basename(path)] = words
		equal(words, sorted(set(words)))
	equal(len(names["run.txt"]) < 25, True)


run()
