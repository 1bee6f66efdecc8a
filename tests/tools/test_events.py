#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each call of an event passes the fields of its row: none that the row lacks, in its order, and all of them somewhere."""

import glob
import os
import re
import sys

sys.dont_write_bytecode = True
TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
from tap import equal, run, test  # noqa: E402

MACROS = {
	"GP_SESSION_LOG_FIELDS": "sid listener client",
	"GP_TLS_LOG_FIELDS": "sni tls cipher group resumed ems certificate",
}
# lib/base/log.c says these itself
OF_THE_LOG = {"LOG_LIMITED": ["event", "count"], "LOG_LOST": ["count"]}
PART = re.compile(r'(GP_SESSION_LOG_FIELDS|GP_TLS_LOG_FIELDS)\b|GP_LOG_(?:TEXT|NUMBER)_FIELD\("([\w-]+)"')


def read(path):
	with open(os.path.join(TOP, path), encoding="utf-8") as file:
		return file.read()


def argument_list(text, start):
	"""The text from the bracket at `start` to the one that closes it; brackets in strings do not count."""
	depth, in_string, place = 0, False, start
	while True:
		letter = text[place]
		if in_string:
			place += letter == "\\"
			in_string = text[place] != '"' or letter == "\\"
		elif letter == '"':
			in_string = True
		else:
			depth += (letter == "(") - (letter == ")")
		place += 1
		if not depth:
			return text[start + 1:place - 1]


def fields_of(arguments):
	found = []
	for macro, name in PART.findall(arguments):
		found += MACROS[macro].split() if macro else [name]
	return found


def rows():
	"""id -> its fields"""
	text = re.sub(r"\\\n", "\n", read("daemon/process/event_rows.h"))
	text = text[text.index("#define GP_SESSION_FIELDS"):]
	for name, value in re.findall(r'#define (GP_\w+_FIELDS)\s+"([^"]*)"', text):
		text = text.replace(" " + name, f' "{value}"').replace("\t" + name, f'\t"{value}"')
	found = {}
	for match in re.finditer(r"\b(?:ROW|OFTEN)(?=\()", text):
		parts = argument_list(text, match.end())
		head = re.match(r'(\w+),\s*"[\w-]+",\s*\w+,\s*"[\w-]+",\s*((?:"[^"]*"\s*)+),', parts)
		if head:
			found[head[1]] = "".join(re.findall(r'"([^"]*)"', head[2])).split()
	return found


def calls():
	"""(place, id, fields)"""
	for path in sorted(glob.glob("daemon/*/*.c", root_dir=TOP) + glob.glob("cli/*.c", root_dir=TOP)):
		text = read(path)
		for match in re.finditer(r"\bgp_event\((\w+)", text):
			line = text.count("\n", 0, match.start()) + 1
			yield f"{path}:{line}", match[1], fields_of(argument_list(text, match.start() + len("gp_event")))


@test("the rows and the macros of fields are understood")
def _():
	equal(len(rows()) > 30, True)
	equal(rows()["LIMIT"], ["listener", "client", "reason"])
	header = read("daemon/edge/session_base.h")
	for macro, names in MACROS.items():
		body = header[header.index("#define " + macro):].split("\n\n")[0]
		equal((macro, re.findall(r'_FIELD\("([\w-]+)"', body)), (macro, names.split()))


@test("no call passes a field that its row lacks, or in another order")
def _():
	known = rows()
	for place, event, fields in calls():
		equal((place, event in known), (place, True))
		equal((place, fields), (place, [name for name in known[event] if name in fields]))


@test("each event is logged somewhere, and each field of its row is passed by some call")
def _():
	passed = {event: set(fields) for event, fields in OF_THE_LOG.items()}
	for _, event, fields in calls():
		passed.setdefault(event, set()).update(fields)
	for event, fields in rows().items():
		equal((event, [name for name in fields if name not in passed.get(event, ())]), (event, []))
		equal((event, event in passed), (event, True))


run()
