# SPDX-License-Identifier: MIT
"""What a `meson test` run found, subtest by subtest.

Meson's JUnit file names every TAP subtest but says nothing of a program that crashed, ran out of time, ended with a
status of its own or stopped before its plan was done; testlog.json has one verdict a program. Both lie side by side in
meson-logs, and both are needed (tried with Meson 1.0.1, which also copies control bytes of a test's output into the
XML, where they are not allowed).
"""

import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections import namedtuple

PASS, FAIL, SKIP = "pass", "fail", "skip"

# program: as Meson prints it, "gatepost:unit / buf"; name: of the subtest, empty for the program as a whole
Result = namedtuple("Result", "program name outcome reason")


def read(junit_path):
	"""All results of one run, given its testlog.junit.xml."""
	results = subtests(junit_path)
	verdicts = programs(os.path.join(os.path.dirname(junit_path), "testlog.json"))
	for program, verdict in verdicts.items():
		mine = [r for r in results if r.program == program]
		if verdict == "SKIP" or (verdict in ("OK", "EXPECTEDFAIL") and mine):
			continue
		if not any(r.outcome == FAIL for r in mine):
			results = [r for r in results if r.program != program or r.name]
			results.append(Result(program, "", FAIL, verdict.lower()))
	return results


def subtests(junit_path):
	with open(junit_path, encoding="utf-8", errors="replace") as file:
		text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "?", file.read())
	found = []
	for suite in ElementTree.fromstring(text.encode()).iter("testsuite"):
		for case in suite.iter("testcase"):
			if suite.get("name") == case.get("classname") and "." in suite.get("name"):
				program = suite.get("name").split(".", 1)[1]
				name = re.sub(r"^\d+\s*(- )?", "", case.get("name"))
			else:
				program, name = case.get("name"), ""
			said = (case.findtext("system-out") or "").strip()
			if case.find("failure") is not None or case.find("error") is not None:
				outcome = FAIL
			elif case.find("skipped") is not None:
				outcome = SKIP
				said = re.sub(r"^1\.\.0\s*#\s*skip\S*\s*", "", said, flags=re.IGNORECASE)
			else:
				outcome = PASS
			found.append(Result(program, name, outcome, said if outcome == SKIP else ""))
	return found


def programs(json_path):
	"""program -> Meson's verdict."""
	with open(json_path, encoding="utf-8") as lines:
		rows = [json.loads(line) for line in lines if line.strip()]
	return {row["name"]: row["result"] for row in rows}
