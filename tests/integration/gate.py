# SPDX-License-Identifier: MIT
"""gatepost under test: its configuration, its processes, its log.

All that depends on the spelling of log lines stands here: the words of events and their fields.
"""

import contextlib
import json
import os
import re
import signal

from lab import PATIENCE_S, USER, Gone, Process, children, command, eventually

LINE = re.compile(r"^\S+Z (?P<level>\w+) (?P<component>[\w-]+) (?P<event>[\w-]+)(?P<fields>( .*)?)$")
FIELD = re.compile(r' ([\w-]+)=("(?:[^"\\]|\\.)*"|\S*)')
EX_CONFIG = 78
EX_USAGE = 64


class Event(dict):
	"""One log line: its fields, and .level, .component, .name, .text (the line itself)."""

	def __init__(self, match):
		super().__init__()
		self.level, self.component, self.name = match["level"], match["component"], match["event"]
		self.text = match.string
		for key, value in FIELD.findall(match["fields"]):
			self[key] = json.loads(value) if value.startswith('"') else value

	def __bool__(self):
		return True  # also without fields

	def fits(self, name, fields):
		return self.name == name and all(self.get(key) == str(value) for key, value in fields.items())


def parse_event(line):
	match = LINE.match(line)
	return Event(match) if match else None


# ---- configuration ----


class Literal(str):
	"""A value in the words of libconfig already."""


def to_libconfig(value, depth=0):
	"""Python values in the words of libconfig; underscores in names become hyphens."""
	if isinstance(value, Literal):
		return value
	if isinstance(value, bool):
		return "true" if value else "false"
	if isinstance(value, int):
		return str(value)
	if isinstance(value, str):
		return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
	inner = "\t" * (depth + 1)
	if isinstance(value, dict):
		rows = "".join(f"{inner}{name} = {text};\n" for name, text in settings(value, depth + 1))
		return "{\n" + rows + "\t" * depth + "}"
	rows = ",\n".join(inner + to_libconfig(item, depth + 1) for item in value)
	return "(\n" + rows + "\n" + "\t" * depth + ")"


def settings(group, depth):
	for name, value in group.items():
		yield name.replace("_", "-"), to_libconfig(value, depth)


def config_text(groups):
	return "".join(f"{name} = {text};\n" for name, text in settings(groups, 0))


def certificate(leaf, name=None):
	"""An entry of `certificates`."""
	return {"name": name or leaf.label, "chain": leaf.chain, "key": leaf.key}


def listener(role, address, leaf, backend, facts=None, **more):
	"""An entry of `listeners`. `backend` is an address, or a dictionary of settings. That it learns nothing of the client is
	written out."""
	backend = {"facts": "none"} | (backend if isinstance(backend, dict) else {"address": backend})
	if facts:
		backend["facts"] = facts
	name = leaf if isinstance(leaf, str) else leaf.label
	return {"role": role, "address": address, "certificate": name, "backend": backend, **more}


# ---- the program ----


def clean_environment():
	"""Nothing that a service manager may have told the test itself."""
	return {key: value for key, value in os.environ.items() if not key.startswith(("NOTIFY_", "LISTEN_"))}


class Gate(Process):
	"""A running `gatepost serve`."""

	def __init__(self, lab, name="gate", *, mode="serve", before=(), environment=None, root=False, wait=True,
			server=None, pass_fds=(), **groups):
		self.lab = lab
		self.directory = lab.make_directory(name)
		self.groups = {"server": self.default_server() | (server or {}), **groups}
		self.config = self.write_config()
		super().__init__(name, [*before, lab.program(), mode, "-c", self.config], root=root,
			own_group=lab.own_group, env=clean_environment() | (environment or {}), pass_fds=pass_fds)
		lab.adopt(self)
		if wait:
			self.wait_for("ready")

	def default_server(self):
		directories = {part + "_dir": self.lab.make_directory(self.directory, part) for part in ("run", "state")}
		return {"user": USER.pw_name, "separate_users": False, "workers": 2, "drain_time": "1s", **directories}

	def path(self, *parts):
		return os.path.join(self.directory, *parts)

	def write_config(self, text=None):
		return self.lab.write(self.path("gatepost.conf"), config_text(self.groups) if text is None else text)

	# -- its log

	def events(self, name=None, since=0, **fields):
		"""All events so far, or those of one name."""
		found = [event for event in map(parse_event, list(self.lines[since:])) if event]
		return [event for event in found if name is None or event.fits(name, fields)]

	def wait_for(self, name, since=0, patience=PATIENCE_S, **fields):
		"""The first event with that name and these fields."""
		def accept(line):
			event = parse_event(line)
			return event if event and event.fits(name, fields) else None
		wanted = " ".join([name] + [f"{key}={value}" for key, value in fields.items()])
		return self.wait_line(accept, since, f"the event `{wanted}`", patience)

	# -- its life

	def workers(self):
		"""The pids of the worker processes that live now."""
		return children(self.pid)

	def reload(self, **groups):
		"""New settings for some groups, SIGHUP, and the event that answers."""
		self.groups |= groups
		self.write_config()
		return self.hup("reloaded")

	def hup(self, answer):
		mark = self.mark()
		self.signal(signal.SIGHUP)
		return self.wait_for(answer, mark)

	def status(self, *words):
		"""What `gatepost status --json` says."""
		return json.loads(command(self.lab.program(), "status", *words, "-c", self.config, "--json").stdout)

	def counter(self, name):
		"""A counter of `gatepost status`, over all workers."""
		return self.status()["counters"][name]

	def wait_counter(self, name, value):
		return eventually(lambda: self.counter(name) >= value, f"{name} to reach {value}")

	def stop(self):
		"""Two SIGTERM end it at once; the second only counts when the first has been heard."""
		mark = self.mark()
		self.signal(signal.SIGTERM)
		with contextlib.suppress(Gone):
			self.wait_for("draining", mark, patience=5)
		return super().stop()


def check_config(lab, text, *words, name="checked.conf"):
	"""`gatepost serve --check`: exit status and the lines of complaint."""
	path = lab.write(name, text)
	done = command(lab.program(), "serve", "--check", *words, "-c", path, check=False)
	return done.returncode, done.stderr.splitlines()


def gatepost(lab, *words, **more):
	"""Run a gatepost command to its end."""
	return command(lab.program(), *words, check=False, **more)
