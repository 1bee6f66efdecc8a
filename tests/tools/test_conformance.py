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


def row(name, status="todo", part="edge", level="MUST", where=None, note=""):
	"""Its tests are in proof.c."""
	if where is None:
		where = "proof.c" if status.startswith(("met", "partial")) else ""
	return "\t".join([name, level, "server", "Do it.", "See.", part, status, where, note])


def entry(line, part=None):
	"""What the catalogue has for such a row."""
	fields = line.split("\t")
	return "\t".join([fields[0], part or fields[5], conformance.digest_of(fields[1:5])])


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


def judge(rows, subtests=(), expected=None, options=(), catalogue=None, others=None):
	"""(exit status, output) for a ledger of these rows and these subtests. `others`: files of another directory."""
	with tempfile.TemporaryDirectory() as directory:
		texts = {"email.tsv": [HEAD, *rows, "# a remark", ""], "proof.c": [line.split("\t")[0] for line in rows],
			"catalogue.tsv": ["id\tpart\twording", *(catalogue if catalogue is not None else map(entry, rows))],
			**(others or {})}
		for name, lines in texts.items():
			with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
				file.write("\n".join(lines))
		junit = write_junit(directory, subtests)
		out = io.StringIO()
		with contextlib.redirect_stdout(out):
			status = conformance.main([*options, junit], directory, {"email": expected or len(rows)}, directory)
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
	refuses("8 columns in place of 9", [row("8461-1-1").rsplit("\t", 1)[0]])
	refuses("unknown part 'egde'", [row("8461-1-1", part="egde")])
	refuses("unknown status 'done'", [row("8461-1-1", "done")])


@test("a row with another wording, or another part without a note, is refused")
def _():
	one, two = row("8461-1-1"), row("8461-1-1", part="relay")
	refuses("its wording is not that of the catalogue", [one], catalogue=[entry(one.replace("Do it.", "Do it soon."))])
	refuses("its part was edge; a note must say why it is relay", [two], catalogue=[entry(two, "edge")])
	equal(judge([row("8461-1-1", part="relay", note="no edge sends")], catalogue=[entry(two, "edge")])[0], 0)
	refuses("8461-1-1: is not in catalogue.tsv", [one], catalogue=[])
	refuses("catalogue.tsv: 8461-1-2 is missing in the ledger", [one], catalogue=[entry(one), entry(row("8461-1-2"))])


@test("--catalogue compares with the catalogue itself")
def _():
	one, head = row("8461-1-1", "met"), ["id\tlevel\trole\trequirement\thow_to_test"]
	works = [("[8461-1-1] x", "pass")]
	with tempfile.TemporaryDirectory() as other:
		def compare(*lines):
			with open(os.path.join(other, "email.tsv"), "w", encoding="utf-8") as file:
				file.write("\n".join([*head, *lines, "# a remark"]))
			return judge([one], works, options=["--catalogue", other])
		equal(compare("\t".join(one.split("\t")[:5]))[0], 0)
		contains(compare("8461-1-1\tMUST\tserver\tDo it now.\tSee.")[1], "8461-1-1: its wording is not that of")
		contains(compare("\t".join(one.split("\t")[:5]), "8461-1-2\tMUST\tserver\tx\ty")[1], "8461-1-2 is missing, and stands in")
		os.remove(os.path.join(other, "email.tsv"))
		contains(judge([one], works, options=["--catalogue", other])[1], "there is no email.tsv")


@test("where names files that are there and name the row, for met and partial rows only")
def _():
	works = [("[8461-1-1] x", "pass")]
	refuses("`where` is empty", [row("8461-1-1", "met", where="")], works)
	refuses("`where` names gone.c, which is not there", [row("8461-1-1", "met", where="proof.c gone.c")], works)
	refuses("`where` names email.c, which does not name the row", [row("8461-1-1", "met", where="email.c")], works,
		others={"email.c": ["[8461-1-11] [18461-1-1] 8461-1-1.2"]})
	refuses("'todo' has no place", [row("8461-1-1", where="proof.c")])


@test("the share counts all rows that apply; those that do not stand apart")
def _():
	rows = [row("8461-1-1", "met", level="SHOULD"), row("8461-1-2", level="SHOULD NOT"),
		row("8461-1-3", "partial: half", level="SHOULD"), row("8461-1-4", "not-applicable: no", level="SHOULD")]
	status, out = judge(rows, [("[8461-1-1 8461-1-3] x", "pass")])
	equal(status, 0)
	line, = [line.split() for line in out.splitlines() if line.startswith("8461 ")]
	equal(line, "8461 edge 0 of 0 - 1 of 3 1".split())


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
