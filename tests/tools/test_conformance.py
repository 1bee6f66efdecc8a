#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/conformance and tools/results.py on small made-up ledgers and results."""

import contextlib
import io
import json
import os
import sys
import tempfile
from xml.sax.saxutils import quoteattr

sys.dont_write_bytecode = True
TOOLS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tools")
sys.path.insert(0, TOOLS)
import results  # noqa: E402
from tap import contains, equal, load, run, test  # noqa: E402

conformance = load(os.path.join(TOOLS, "conformance"), "conformance")

HEAD = "\t".join(conformance.COLUMNS)


def row(name, status="todo", part="edge", level="MUST"):
	return "\t".join([name, level, "server", "Do it.", "See.", part, status, ""])


def write_junit(directory, subtests, verdict="OK", output=""):
	"""A run of one program `p` with these (name, outcome) subtests. Returns the path."""
	inner = {"pass": "", "fail": "<failure />", "skip": "<skipped /><system-out>kernel: old</system-out>"}
	cases = "".join(f"<testcase name={quoteattr(f'{n} - {name}')} classname='g.g:s / p'>{inner[outcome]}</testcase>"
		for n, (name, outcome) in enumerate(subtests, 1))
	path = os.path.join(directory, "testlog.junit.xml")
	with open(path, "w", encoding="utf-8") as file:
		file.write(f"<testsuites><testsuite name='g.g:s / p'>{cases}<system-out>{output}</system-out>"
			"</testsuite></testsuites>")
	with open(os.path.join(directory, "testlog.json"), "w", encoding="utf-8") as file:
		file.write(json.dumps({"name": "g:s / p", "result": verdict}) + "\n")
	return path


def judge(rows, subtests=(), expected=None, options=()):
	"""(exit status, output) for a ledger of these rows and these subtests."""
	with tempfile.TemporaryDirectory() as directory:
		with open(os.path.join(directory, "email.tsv"), "w", encoding="utf-8") as file:
			file.write("\n".join([HEAD, *rows, "# a remark", ""]))
		junit = write_junit(directory, subtests)
		out = io.StringIO()
		with contextlib.redirect_stdout(out):
			status = conformance.main([*options, junit], directory, {"email": expected or len(rows)})
		return status, out.getvalue()


def refuses(part_of_message, *arguments, **named):
	status, out = judge(*arguments, **named)
	equal(status, 1)
	contains(out, part_of_message)


@test("a met row with a passing test is fine, and counted")
def _():
	status, out = judge([row("8461-1-1", "met"), row("8461-1-2")], [("[8461-1-1] it works", "pass")])
	equal(status, 0)
	contains(out, "1 of 2")


@test("ids are found in one or several brackets, other brackets are left alone")
def _():
	equal(conformance.ids_of("[8461-3.2-4 9051-6.2.1-1] two [NST-B-1] more"), ["8461-3.2-4", "9051-6.2.1-1", "NST-B-1"])
	equal(conformance.ids_of("NO [PRIVACYREQUIRED] and [X-PLUS] and [] and [SYS/TEMP]"), [])
	equal(conformance.ids_of("[X-DANE-STS-1] [XEP0368-3-1] [3207r-4-1] [7457-x-1]"),
		["X-DANE-STS-1", "XEP0368-3-1", "3207r-4-1", "7457-x-1"])


@test("met without a test is refused")
def _():
	refuses("8461-1-1: 'met' without a passing test", [row("8461-1-1", "met")])


@test("met with a failed test is refused")
def _():
	refuses("(found: fail)", [row("8461-1-1", "met")], [("[8461-1-1] x", "fail")])


@test("met with a skipped test is refused")
def _():
	refuses("(found: skip)", [row("8461-1-1", "met")], [("[8461-1-1] x", "skip")])


@test("partial needs a test and a reason")
def _():
	refuses("'partial' without a passing test", [row("8461-1-1", "partial: half of it")])
	refuses("needs a reason", [row("8461-1-1", "partial")], [("[8461-1-1] x", "pass")])
	equal(judge([row("8461-1-1", "partial: half of it")], [("[8461-1-1] x", "pass")])[0], 0)


@test("not-applicable needs a reason")
def _():
	rows = [row(f"8461-1-{n}") for n in range(1, 21)]
	equal(judge(rows + [row("8461-2-1", "not-applicable: no such thing here")])[0], 0)
	refuses("needs a reason", rows + [row("8461-2-1", "not-applicable")])
	refuses("needs a reason", rows + [row("8461-2-1", "not-applicable: ")])


@test("a part with more than 5 % of its MUST rows not-applicable is refused")
def _():
	rows = [row(f"8461-1-{n}") for n in range(1, 19)]
	refuses("part edge: 1 of 19", rows + [row("8461-2-1", "not-applicable: why", level="MUST NOT")])
	equal(judge(rows + [row("8461-2-1", "not-applicable: why", level="MAY")])[0], 0)
	equal(judge(rows + [row("8461-2-1", "not-applicable: why", part="none")])[0], 0)


@test("unknown ids in test names are refused")
def _():
	refuses("unknown id 8461-9-9", [row("8461-1-1")], [("[8461-9-9] x", "pass")])
	refuses("unknown id typo", [row("8461-1-1")], [("[8461-1-1 typo] x", "pass")])


@test("more than five ids in one name are refused")
def _():
	rows = [row(f"8461-1-{n}") for n in range(1, 7)]
	name = "[" + " ".join(f"8461-1-{n}" for n in range(1, 7)) + "] x"
	refuses("names 6 ids", rows, [(name, "pass")])


@test("lost, doubled and damaged rows are refused")
def _():
	refuses("1 rows where 2 belong", [row("8461-1-1")], expected=2)
	refuses("stands twice", [row("8461-1-1"), row("8461-1-1")])
	refuses("7 columns in place of 8", [row("8461-1-1").rsplit("\t", 1)[0]])
	refuses("unknown part 'egde'", [row("8461-1-1", part="egde")])
	refuses("unknown status 'done'", [row("8461-1-1", "done")])


@test("--part lists the open rows of that part")
def _():
	rows = [row("8461-1-1", "met"), row("8461-1-2"), row("8461-1-3", part="relay")]
	status, out = judge(rows, [("[8461-1-1] x", "pass")], options=["--part", "edge"])
	equal(status, 0)
	contains(out, "8461-1-2\tMUST")
	contains(out, "1 rows of part edge are todo")


@test("the ledger of this project holds all its rows")
def _():
	equal(conformance.Ledger(conformance.DIRECTORY, conformance.ROWS).faults, [])


def outcomes(subtests, verdict, output=""):
	with tempfile.TemporaryDirectory() as directory:
		return [(r.name, r.outcome) for r in results.read(write_junit(directory, subtests, verdict, output))]


@test("results: a program that crashed or timed out after its last subtest counts as failed")
def _():
	for verdict in ("ERROR", "TIMEOUT", "FAIL", "INTERRUPT"):
		equal(outcomes([("a", "pass")], verdict), [("a", "pass"), ("", "fail")])
		equal(outcomes([], verdict), [("", "fail")])


@test("results: a failed subtest is not counted twice")
def _():
	equal(outcomes([("a", "pass"), ("b", "fail")], "FAIL"), [("a", "pass"), ("b", "fail")])


@test("results: control bytes in a test's output do no harm")
def _():
	equal(outcomes([("a", "pass")], "OK", "\x00\x16\x03\x01"), [("a", "pass")])


run()
