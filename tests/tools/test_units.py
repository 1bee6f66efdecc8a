#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""contrib/systemd: systemd itself understands the unit, and finds it well locked up."""

import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
from tap import equal, run, test  # noqa: E402

UNIT = os.path.join(TOP, "contrib", "systemd", "gatepost.service")


def analyze(*words):
	"""systemd-analyze on the unit, whose program stands for gatepost where that is not installed."""
	with tempfile.TemporaryDirectory() as directory:
		path = os.path.join(directory, "gatepost.service")
		with open(UNIT, encoding="utf-8") as unit, open(path, "w", encoding="utf-8") as copy:
			copy.write(unit.read().replace("/usr/local/bin/gatepost", "/bin/true"))
		done = subprocess.run(["systemd-analyze", *words, path], capture_output=True, text=True, check=False)
		return done.returncode, done.stdout, done.stderr


@test("systemd-analyze verify has nothing to say")
def _():
	equal(analyze("verify", "--man=no"), (0, "", ""))


@test("systemd-analyze security finds an exposure below 3.0")
def _():
	status, report, _ = analyze("security", "--offline=true")
	level = re.search(r"Overall exposure level for gatepost.service: ([0-9.]+)", report)
	equal((status, float(level[1]) < 3.0), (0, True))


@test("the unit leaves the policy process its way to the store, and reloads without a package that Debian may lack")
def _():
	with open(UNIT, encoding="utf-8") as file:
		unit = dict(line.split("=", 1) for line in file.read().splitlines() if "=" in line)
	# the mode that daemon/supervisor/policy_sockets.c gives it; systemd would take it back at each reload
	with open(os.path.join(TOP, "daemon", "supervisor", "policy_sockets.c"), encoding="utf-8") as file:
		equal(unit["StateDirectoryMode"], re.search(r"chmod\(state_dir, (0\d+)\)", file.read())[1])
	equal(unit["ExecReload"].split()[0], "/bin/sh")  # /bin/kill is in procps


run()
