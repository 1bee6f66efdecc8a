#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each manual is installed, names all the others under SEE ALSO, and what it describes is complete."""

import glob
import json
import os
import re
import sys

sys.dont_write_bytecode = True
TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
from tap import equal, run, test  # noqa: E402

PAGES = sorted(os.path.basename(path) for path in glob.glob(os.path.join(TOP, "docs", "man", "*.[1-8]")))


def read(path):
	with open(os.path.join(TOP, path), encoding="utf-8") as file:
		return file.read()


def add_page(page):
	@test(f"SEE ALSO of {page} names all other manuals")
	def _():
		section = re.search(r"\n\.Sh SEE ALSO\n(.*?)(?:\n\.Sh |\Z)", read(f"docs/man/{page}"), re.S)
		named = re.findall(r"^\.Xr (gatepost\S*) (\d)", section[1], re.M) if section else []
		equal(sorted(f"{name}.{number}" for name, number in named), [other for other in PAGES if other != page])


for found in PAGES:
	add_page(found)


@test("all manuals are installed")
def _():
	equal(sorted(re.findall(r"'man/([\w.-]+)'", read("docs/meson.build"))), PAGES)


@test("the README names all manuals")
def _():
	text = read("README.md")
	equal([page for page in PAGES if "`{}({})`".format(*page.rsplit(".", 1)) not in text], [])


def members(value):
	"""The names of all members of JSON, however deep."""
	if isinstance(value, list):
		return set().union(*map(members, value))
	if isinstance(value, dict):
		return set(value) | members(list(value.values()))
	return set()


@test("gatepost-policy(8) names all members of a verdict")
def _():
	section = read("docs/man/gatepost-policy.8").split(".Sh VERDICTS FOR OTHER PROGRAMS")[1].split("\n.Sh ")[0]
	seeds = [json.loads(read(path)) for path in glob.glob(os.path.join(TOP, "fuzz", "verdict_wire.in", "*"))]
	equal(sorted(members(seeds) - set(re.findall(r"[\w+-]+", section))), [])
	equal({"records", "policy", "failure", "error"} - members(seeds), set())


run()
