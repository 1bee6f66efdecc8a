# SPDX-License-Identifier: MIT
"""A DNS of our own: Knot with signed, unsigned and broken zones below "test.".

	zones = Zones(lab, {"signed.test": SIGNED, "unsigned.test": (UNSIGNED, "insecure")})
	zones.anchor                     # a file: the trust anchor
	zones.unbound_conf()             # a file for libunbound, or unbound itself
	zones.set("signed.test", TEXT)   # other records, served when this returns
	zones.silence("dead.test")       # where nobody answers
	Zones(lab, {...}, root=True)     # with a signed root above "test.", whose key is the anchor then

A zone is "secure" (signed, with its key in the parent), "insecure" (signed by nobody), "bogus" (the parent vouches
for another key), "expired" (its signatures are of long ago) or "failing" (its server has no such zone: SERVFAIL).
"""

import re

from lab import command, connects, eventually

SOA = "$TTL {ttl}\n@ SOA ns.test. hostmaster.test. {serial} 3600 600 86400 {ttl}\n@ NS ns.test.\n"

CONFIGURATION = """
server:
  rundir: "{run}"
  listen: {host}@{port}
control:
  listen: "{run}/control"
log:
  - target: stdout
    any: warning
database:
  storage: "{db}"
  kasp-db-max-size: 20M
  journal-db-max-size: 20M
  timer-db-max-size: 20M
policy:
  - id: p
    algorithm: ecdsap256sha256
    single-type-signing: on
    ksk-lifetime: 0
template:
  - id: default
    storage: "{zones}"
    file: "%s.zone"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    dnssec-policy: p
zone:
"""


class Zones:
	def __init__(self, lab, zones, port=None, host=None, ttl=5, root=False, directory="knot"):
		"""`zones`: name -> records, or (records, kind). Names of records are relative to the zone. Two at a time need
		two directories."""
		self.lab, self.root, self.place = lab, root, directory
		self.host = host or lab.host()
		self.port = port or lab.free_port(self.host)
		self.kinds, self.texts, self.dead = {}, {}, []
		self.serial, self.ttl = 1, ttl
		self.max_rtt_ms = 1000  # how long a resolver waits for a server at most; None: as it does by itself
		for name, what in zones.items():
			self.texts[name], self.kinds[name] = (what, "secure") if isinstance(what, str) else what
		for inner in ("run", "db", "zones"):
			lab.make_directory(directory, inner)
		self.conf = lab.write(f"{directory}/knot.conf", self.configuration())
		self.publish()
		self.process = lab.start("knotd", ["knotd", "-c", self.conf])
		eventually(lambda: connects(self.address), "knotd")
		for name, kind in self.kinds.items():
			if kind != "failing":
				self.wait_for_zone(name)
		self.wait_for_zone("test")
		if self.root:
			self.wait_for_zone(".")

	@property
	def address(self):
		return f"{self.host}:{self.port}"

	def directory(self, name):
		return self.lab.path(self.place, name)

	def signed_by_knot(self, name):
		return self.kinds.get(name, "secure") in ("secure", "bogus")

	def configuration(self):
		text = CONFIGURATION.format(run=self.directory("run"), db=self.directory("db"), zones=self.directory("zones"),
			host=self.host, port=self.port)
		for name in ["test", *self.kinds]:
			text += f"  - domain: {name}\n    dnssec-signing: {'on' if self.signed_by_knot(name) else 'off'}\n"
		if self.root:
			text += "  - domain: .\n    file: root.zone\n    dnssec-signing: on\n"
		return text

	# ---- keys and files ----

	def key_of(self, name):
		"""The DS record of a new key: one line, without the owner."""
		old = [f"{timer}=20010101000000" for timer in ("created", "publish", "ready", "active")]
		command("keymgr", "-c", self.conf, name, "generate", "algorithm=13", "ksk=yes", "zsk=yes", *old)
		lines = command("keymgr", "-c", self.conf, name, "ds").stdout.splitlines()
		return next(line.split(" ", 1)[1] for line in lines if re.search(r" 13 2 ", line))

	def write_zone(self, name, records):
		self.lab.write(f"{self.place}/zones/{name}.zone", SOA.format(serial=self.serial, ttl=self.ttl) + records + "\n")

	def sign_long_ago(self, name):
		"""Signatures of the year 2001, served as they are."""
		before = self.lab.path(self.place, "ago")
		self.lab.make_directory(self.place, "ago")
		conf = self.lab.write(f"{self.place}/ago.conf", re.sub("(?m)^  - domain: " + re.escape(name) + "\n    .*\n",
			f"  - domain: {name}\n    dnssec-signing: on\n", self.configuration()))
		command("kzonesign", "-c", conf, "-o", before, "-t", "1000000000", name)
		with open(f"{before}/{name}.zone", encoding="utf-8") as file:
			self.lab.write(f"{self.place}/zones/{name}.zone", file.read())

	def publish(self):
		"""All zone files, children first, as the parent holds their keys."""
		delegations = f"ns A {self.host}\n"
		for name, kind in self.kinds.items():
			owner = name[:-len(".test")]
			delegations += f"{owner} NS ns.test.\n"
			if kind == "failing":
				continue
			self.write_zone(name, self.texts[name])
			if kind == "insecure":
				continue
			key = self.key_of(name)
			if kind == "bogus":
				key = re.sub(r"[0-9A-Fa-f]{8}$", "00000000", key.strip())
			delegations += f"{owner} {key}\n"
			if kind == "expired":
				self.sign_long_ago(name)
		key = self.key_of("test")
		self.write_zone("test", delegations)
		if self.root:
			self.write_zone("root", f"test NS ns.test.\nns.test A {self.host}\ntest {key}\n")
			key = self.key_of(".")
		self.anchor = self.lab.write(f"{self.place}/anchor", f"{'.' if self.root else 'test.'} 3600 IN {key}\n")

	# ---- while it runs ----

	def set(self, name, records):
		"""Other records for a zone; they are served when this returns."""
		self.serial += 1
		self.texts[name] = records
		self.write_zone(name, records)
		command("knotc", "-c", self.conf, "-b", "zone-reload", name)
		eventually(lambda: f" {self.serial} " in self.dig(name, "SOA") or
			int(self.dig(name, "SOA").split()[2]) >= self.serial, f"{name} to be served anew")

	def dig(self, name, kind):
		return command("kdig", f"@{self.host}", "-p", str(self.port), "+short", name, kind, check=False).stdout

	def wait_for_zone(self, name):
		kind = "DNSKEY" if self.kinds.get(name, "secure") != "insecure" else "SOA"
		eventually(lambda: self.dig(name, kind).strip(), f"zone {name}")

	def silence(self, name):
		"""Nobody answers for what is below this name."""
		self.dead.append(name)

	def unbound_conf(self, more="", server=None, file="unbound.conf"):
		"""What makes a resolver ask here, or `server` (address@port). A silent server is one that is there but never
		answers."""
		text = "server:\n  do-not-query-localhost: no\n  local-zone: \"test.\" nodefault\n  do-ip6: no\n"
		# else what A says of a name may deny AAAA before it is asked, and a fault of its server is never met
		text += "  aggressive-nsec: no\n"
		if self.max_rtt_ms:
			text += f"  infra-cache-max-rtt: {self.max_rtt_ms}\n"
		text += more
		for name in (".", "test.") if self.root else ("test.",):
			text += f"stub-zone:\n  name: \"{name}\"\n  stub-addr: {server or f'{self.host}@{self.port}'}\n"
		for name in self.dead:
			text += f"stub-zone:\n  name: \"{name}.\"\n  stub-addr: {self.lab.host()}@{self.port}\n"
		return self.lab.write(file, text)
