#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/test-all and tools/mutants on a toy project of their own."""

import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TOOLS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tools")
from tap import contains, equal, run, test  # noqa: E402

MESON = """project('toy', 'c', default_options: ['warning_level=2'])
program = executable('answer', 'answer.c')
test('answer', program, suite: ['unit', 'wire', 'integration', 'style', 'fuzz'], protocol: 'tap')
"""
OPTIONS = "option('hardening', type: 'boolean', value: true)\n"
SOURCE = """#include <stdio.h>
#include <stdlib.h>

static int answer(void)
{
	return 42;
}

int main(void)
{
	printf("1..2\\nok 1 - [8461-1-1] it runs\\n%s 2 - it is 42\\n", answer() == 42 ? "ok" : "not ok");
	return 0;
}
"""
PATCH = """# rule: The answer is 42.
# tests: answer
# expect: it is 42
--- a/answer.c
+++ b/answer.c
@@ -5,3 +5,3 @@
 {
-	return 42;
+	return WRONG;
 }
"""


class Project:
	def __init__(self, source=SOURCE, ledger_status=0, **patches):
		self.root = tempfile.mkdtemp()
		self.write("meson.build", MESON)
		self.write("meson_options.txt", OPTIONS)
		self.write("answer.c", source)
		self.write(".gitignore", "/build-*/\n")
		for name, text in patches.items():
			self.write(f"tests/mutants/{name}.patch", text)
		for name in ("test-all", "mutants", "results.py"):
			self.write(f"tools/{name}", "")
			shutil.copy(os.path.join(TOOLS, name), os.path.join(self.root, "tools", name))
		self.write("tools/conformance", f"#!/bin/sh\nexit {ledger_status}\n")
		os.chmod(os.path.join(self.root, "tools/conformance"), 0o755)
		subprocess.run(["git", "init", "-q", self.root], check=True)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		shutil.rmtree(self.root)

	def write(self, name, text):
		path = os.path.join(self.root, name)
		os.makedirs(os.path.dirname(path), exist_ok=True)
		with open(path, "w", encoding="utf-8") as file:
			file.write(text)

	def tool(self, name, *arguments, **environment):
		"""(exit status, last line, whole output)"""
		done = subprocess.run([sys.executable, os.path.join(self.root, "tools", name), *arguments], text=True,
			env={**os.environ, "ALLOW_SKIP": "", **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
			stderr=subprocess.STDOUT, check=False)
		return done.returncode, done.stdout.rstrip("\n").split("\n")[-1], done.stdout


@test("test-all: builds, subtests of both runs and the ledger are counted")
def _():
	with Project() as project:
		equal(project.tool("test-all")[:2], (0, "8 passed, 0 failed"))
		equal(project.tool("test-all", "unit")[:2], (0, "6 passed, 0 failed"))


@test("test-all: failed subtests and a failed ledger are counted")
def _():
	with Project(SOURCE.replace("return 42", "return 41"), ledger_status=1) as project:
		status, last, out = project.tool("test-all")
		equal((status, last), (1, "5 passed, 3 failed"))
		contains(out, "FAILED toy:")


@test("test-all: a warning fails the build of gcc and of clang, with its log")
def _():
	with Project(SOURCE.replace("return 42", "int unused; return 42")) as project:
		status, last, out = project.tool("test-all")
		equal((status, last), (1, "4 passed, 2 failed"))
		contains(out, "unused variable")


@test("test-all: a crash after the last subtest counts as failed")
def _():
	with Project(SOURCE.replace("return 0", "fflush(stdout); abort()")) as project:
		equal(project.tool("test-all", "integration")[:2], (1, "3 passed, 1 failed"))


@test("test-all: what the sanitizers find counts as failed")
def _():
	with Project(SOURCE.replace("return 0", "volatile int i = 2147483647; i = i + 1; return 0")) as project:
		equal(project.tool("test-all")[:2], (1, "6 passed, 1 failed"))


@test("test-all: a skip is an error unless the kernel or the user is the reason, or it is allowed")
def _():
	for reason, status in (("no peer", 1), ("kernel: no kTLS", 0), ("root: only root", 1 if os.getuid() == 0 else 0)):
		with Project(SOURCE.replace("it runs", f"it runs # SKIP {reason}")) as project:
			equal(project.tool("test-all", "integration")[:2], (status, "2 passed, 0 failed, 1 skipped"))
			equal(project.tool("test-all", "integration", ALLOW_SKIP="1")[0], 0)


@test("test-all: a suite without tests is a failure")
def _():
	with Project() as project:
		project.write("meson.build", MESON.replace("'wire', ", ""))
		status, _, out = project.tool("test-all", "unit", "wire")
		equal(status, 1)
		contains(out, "suite wire (there is no test in it)")


@test("mutants: one that turns its subtest red is caught")
def _():
	with Project(good=PATCH.replace("WRONG", "41")) as project:
		status, last, out = project.tool("mutants")
		equal((status, last), (0, "1 caught, 0 missed"))
		contains(out, "caught by it is 42")
		equal(project.tool("mutants")[0], 0)


@test("mutants: those that change nothing, do not apply, do not build or expect the impossible are missed")
def _():
	good = PATCH.replace("WRONG", "41")
	with Project(same=PATCH.replace("WRONG", "6 * 7"), stale=good.replace("-\treturn 42", "-\treturn 43"),
			broken=PATCH.replace("WRONG", "what"), vague=good.replace("it is 42\n", "no such test\n", 1),
			fine=good) as project:
		status, last, out = project.tool("mutants")
		equal((status, last), (1, "1 caught, 4 missed"))
		for text in ("did not fail", "does not apply", "does not build", "no passing test is named 'no such test'"):
			contains(out, text)


run()
