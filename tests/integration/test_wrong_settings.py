#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every setting with every kind of wrong value, through --check and through a reload of a running gatepost.

The cases come from the schema itself (tests/unit/conf/test_schema.c --list).
"""

import os
import re
import subprocess
import sys
from collections import namedtuple

sys.dont_write_bytecode = True
from gate import EX_CONFIG, Gate, Literal, certificate, check_config, config_text, listener, parse_event  # noqa: E402
from lab import PROGRAM, Lab, contains, equal, run, test  # noqa: E402
from pki import Pki  # noqa: E402
from wire import Backend, context, imap_server, implicit  # noqa: E402

CASES = os.environ.get("SCHEMA_CASES") or os.path.join(os.path.dirname(PROGRAM), "tests/unit/conf/unit-conf-schema")
Case = namedtuple("Case", "group path literal may_load")

lab = Lab()
pki = Pki(lab)
leaf = pki.leaf("mail", ["mail.example.test"])
address = lab.address(1993)
backend = Backend(lab, imap_server)


def cases():
	done = subprocess.run([CASES, "--list"], capture_output=True, text=True, check=True)
	for line in done.stdout.splitlines():
		group, path, literal, may_load = line.split("\t")
		yield Case(group, [part for part in path.split(".") if part], literal, may_load == "1")


def base():
	"""A right configuration in which each list has an element."""
	return {
		"certificates": [certificate(leaf)],
		"client_certificates": [{"name": "staff", "keys": [{"spki": "00" * 32, "account": "alice"}]}],
		"listeners": [listener("imaps", address, leaf, backend.address)],
		"domains": [{"names": ["example.test"], "mail_host": "mail.example.test"}],
	}


def wrong(case, groups):
	"""The groups with the case's value at its place."""
	*inner, last = (part.replace("-", "_") for part in [case.group, *case.path])
	at = groups
	for part in inner:
		at = at.setdefault(part.removesuffix("[]"), {})
		at = at[0] if isinstance(at, list) else at
	at[last] = Literal(case.literal)
	return groups


def name_of(case):
	return case.path[-1] if case.path else case.group


def judge(case, sentences, path):
	"""One sentence with file, line and setting."""
	equal((case, len(sentences)), (case, 1))
	equal((case, sentences[0], bool(re.match(re.escape(path) + r":\d+: \S", sentences[0]))), (case, sentences[0], True))
	contains(sentences[0], name_of(case))


@test("--check: a wrong value of any setting is one sentence with file, line and setting, and never a crash")
def _():
	count = 0
	for case in cases():
		status, lines = check_config(lab, config_text(wrong(case, base())))
		if case.may_load:
			equal((case, status in (0, EX_CONFIG)), (case, True))
		else:
			equal((case, status), (case, EX_CONFIG))
			judge(case, lines, lab.path("checked.conf"))
		equal((case, [line for line in lines if "(null)" in line]), (case, []))
		count += 1
	equal(count > 500, True)


@test("reload: a wrong value of any setting is refused by one sentence, and gatepost goes on as it was")
def _():
	gate = Gate(lab, **base())
	workers = gate.workers()
	for case in cases():
		mark = gate.mark()
		groups = wrong(case, base() | {"server": dict(gate.groups["server"])})
		gate.write_config(config_text(groups))
		answer = hup(gate)
		if answer.name == "reloaded":
			equal((case, case.may_load), (case, True))
		elif not case.may_load:
			refused = gate.events("reload-refused", mark)
			judge(case, [event["reason"] for event in refused], gate.config)
	equal((gate.ended, gate.workers()), (False, workers))
	gate.write_config(config_text(base() | {"server": gate.groups["server"]}))
	equal(hup(gate).name, "reloaded")
	contains(implicit(address, context(pki.root), "mail.example.test").line(), b"* OK")
	gate.stop()


def hup(gate):
	"""SIGHUP, and the event that answers it, whichever it is."""
	def accept(line):
		event = parse_event(line)
		return event if event and event.name in ("reloaded", "reload-refused") else None
	mark = gate.mark()
	gate.signal(1)
	return gate.wait_line(accept, mark, "the answer to SIGHUP")


run(lab)
