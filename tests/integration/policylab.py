# SPDX-License-Identifier: MIT
"""A policy service with all that it asks: zones.py, dnswatch.py between, policyhost.py for the policies.

	service = PolicyLab(lab, zones={"signed.test": ..., "plain.test": (..., "insecure")}, hosts=["a.plain.test"])
	service.gate                          # `gatepost policy`, as in gate.py
	service.ask("a.plain.test")           # "NOTFOUND", "OK dane-only", "TEMP ..."
	service.show("a.plain.test")          # `policy show --json --fresh` as a dictionary
"""

import json
import socket

from dnswatch import DnsWatch
from gate import Gate, gatepost
from lab import command, split_address
from pki import Pki
from policyhost import PolicyHost
from wire import Client, Talk
from zones import Zones

QUERY, TLSRPT = "QUERY", "QUERYwithTLSRPT"


def netstring(text):
	data = text if isinstance(text, bytes) else text.encode()
	return b"%d:%s," % (len(data), data)


class Socketmap(Client):
	"""A client that speaks netstrings."""

	def request(self, key, name=QUERY):
		self.send(netstring(f"{name} {key}"))

	def reply(self):
		size = int(self.until(b":")[:-1])
		text = self.exactly(size + 1)
		if text[-1:] != b",":
			raise ValueError(f"{text!r} is no netstring")
		return text[:-1].decode().strip()

	def ask(self, key, name=QUERY):
		self.request(key, name)
		return self.reply()


class UnixSocketmap(Talk):
	"""The same by a unix socket."""

	request, reply, ask = Socketmap.request, Socketmap.reply, Socketmap.ask

	def __init__(self, path):
		sock = socket.socket(socket.AF_UNIX)
		sock.connect(path)
		super().__init__(sock)


class VerdictClient(Talk):
	"""A client that asks a line and is answered a line of JSON."""

	def __init__(self, path):
		sock = socket.socket(socket.AF_UNIX)
		sock.connect(path)
		super().__init__(sock)

	def reply(self):
		return json.loads(self.until(b"\n"))

	def ask(self, domain):
		self.send(f"{domain}\n".encode())
		return self.reply()


class PolicyLab:
	def __init__(self, lab, zones, hosts, *, start=True, resolver="", **policy):
		self.lab = lab
		self.pki = Pki(lab)
		self.host = PolicyHost(lab, self.pki, hosts)
		self.zones = Zones(lab, {name: self.fill_in(what) for name, what in zones.items()})
		self.watch = DnsWatch(lab, self.zones)
		self.conf = self.zones.unbound_conf(resolver, server=self.watch.place)
		self.address = lab.address(8461)
		self.dns = {"trust_anchors": self.zones.anchor, "unbound_conf": self.conf, "self_test": "test"}
		self.policy = {"addresses": [self.address], "mta_sts_ca": self.pki.root, "mta_sts_networks": ["127.0.0.0/8"], **policy}
		self.gate = self.new_gate() if start else None

	def fill_in(self, what):
		"""POLICYHOST in zones is its address."""
		if isinstance(what, str):
			return what.replace("POLICYHOST", self.host.ip)
		return (self.fill_in(what[0]), *what[1:])

	def new_gate(self, name="gate", **more):
		groups = {"dns": self.dns, "policy": self.policy, **{key: more.pop(key) for key in ("dns", "policy") if key in more}}
		return Gate(self.lab, name, mode="policy", **groups, **more)

	def restart(self, **more):
		"""Stop it and start it anew, with the same files."""
		self.gate.stop()
		self.gate = self.new_gate(**more)
		return self.gate

	def set(self, zone, text):
		self.zones.set(zone, self.fill_in(text))

	# ---- questions ----

	def client(self):
		return Socketmap(self.address)

	def admin(self):
		"""What the commands talk to."""
		return UnixSocketmap(self.gate.path("run", "admin", "policy.sock"))

	def verdicts(self):
		"""What a relay talks to."""
		return VerdictClient(self.gate.path("run", "verdict.sock"))

	def ask(self, key, name=QUERY):
		with self.client() as client:
			return client.ask(key, name)

	def postmap(self, key, name=QUERY):
		"""Postfix's own client: the value, "" for NOTFOUND, or its complaint."""
		host, port = split_address(self.address)
		done = command("postmap", "-q", key, f"socketmap:inet:{host}:{port}:{name}", check=False)
		# in a name space nothing belongs to root
		complaints = [line for line in done.stderr.splitlines() if "skipping this file" not in line]
		return "\n".join([done.stdout.strip(), *complaints]).strip()

	def run(self, *words, check=True):
		done = gatepost(self.lab, "policy", words[0], "-c", self.gate.config, *words[1:])
		if check and done.returncode:
			raise AssertionError(f"policy {' '.join(words)}: {done.returncode}: {done.stderr}{done.stdout}")
		return done

	def show(self, domain, fresh=True):
		done = self.run("show", domain, "--json", *["--fresh"] * fresh, check=False)
		if done.returncode > 2 or not done.stdout:
			raise AssertionError(f"{done.returncode}: {done.stderr}")
		return json.loads(done.stdout)

	def status(self):
		"""All counters."""
		return self.gate.status()["counters"]

	def failure(self, domain):
		"""The result type and the detail of the last failed fetch."""
		found = self.show(domain)["mta-sts"]["failure"]
		return (found["type"], found["detail"]) if found else None

	def listed(self, domain):
		"""What `policy list` says of it."""
		lines = map(json.loads, self.run("list", "--json").stdout.splitlines())
		return next((line for line in lines if line["domain"] == domain), None)
