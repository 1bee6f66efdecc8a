#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The look of the sources (.clang-format) and of the man pages (mandoc's lint), one test a directory or page."""

import glob
import os
import subprocess
import sys

sys.dont_write_bytecode = True
from tap import run, test  # noqa: E402

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
FOLDERS = "bench cli daemon fuzz include lib/* tests".split()


def quiet(*command):
	done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
	if done.returncode:
		raise AssertionError("\n" + done.stdout)


def sources(directory):
	return sorted(os.path.join(where, name) for where, _, names in os.walk(directory) for name in names
		if name.endswith((".c", ".h")))


def add_format(directory, files):
	@test(f"format: {directory}")
	def _():
		quiet("clang-format", "--dry-run", "-Werror", *files)


def add_page(page):
	@test(f"man page: {page}")
	def _():
		quiet("mandoc", "-T", "lint", "-W", "warning", page)


os.chdir(TOP)
for pattern in FOLDERS:
	for found in sorted(glob.glob(pattern)):
		if sources(found):
			add_format(found, sources(found))
for found in sorted(glob.glob("docs/man/*.[1-8]")):
	add_page(found)
run()
