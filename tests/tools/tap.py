# SPDX-License-Identifier: MIT
"""The least that makes a Python program print TAP: functions marked @test, then run()."""

import sys
import traceback

tests = []


def test(name):
	def keep(function):
		# two names for one body: the body of the other one would never run
		if any(function is other for _, other in tests):
			raise ValueError(f"{name!r} stands over another test")
		# all are called _: a traceback says the test's own name
		function.__code__ = function.__code__.replace(co_name=name)
		tests.append((name, function))
		return function
	return keep


def run():
	print(f"1..{len(tests)}")
	failed = 0
	for number, (name, function) in enumerate(tests, 1):
		try:
			function()
			print(f"ok {number} - {name}", flush=True)
		except Exception:  # a failing check must not end the others
			failed += 1
			print(f"not ok {number} - {name}")
			for line in traceback.format_exc().splitlines():
				print("# " + line, flush=True)
	sys.exit(1 if failed else 0)


def equal(got, wanted):
	if got != wanted:
		raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def contains(text, part):
	if part not in text:
		raise AssertionError(f"{part!r} is not in {text!r}")


def load(path, name):
	"""A program without .py as a module."""
	from importlib.machinery import SourceFileLoader
	from importlib.util import module_from_spec, spec_from_loader
	loader = SourceFileLoader(name, path)
	module = module_from_spec(spec_from_loader(name, loader))
	loader.exec_module(module)
	return module
