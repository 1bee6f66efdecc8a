# SPDX-License-Identifier: MIT
"""Real XMPP servers and clients: Prosody 0.12, ejabberd 23.01, slixmpp.

	prosody = Prosody(lab, pki, "example.test", {"other.test": "127.1.2.3:5269"})     # or a domain that is an address
	prosody.c2s, prosody.s2s                          # addresses
	prosody.trusted_c2s, prosody.trusted_s2s          # where it believes the edge
	ejabberd = Ejabberd(lab, "example.test")
	ejabberd.c2s                                      # expects PROXY headers
	with Slixmpp(lab, "alice@example.test", "secret", address, pki.root) as alice:    # leaf=: by SASL EXTERNAL
		alice.say("bob@example.test", "hello")
		bob.wait_message("hello")
"""

import os
import sys

from lab import HERE, connects, eventually, split_address

USERS = {"alice": "secret", "bob": "hush"}
C2S, S2S = 15222, 15269
TRUSTED_C2S, TRUSTED_S2S = 15223, 15270
MODULES = os.path.join(HERE, "mod_lab_dns.lua"), os.path.join(HERE, "../../contrib/prosody/mod_gatepost.lua")

# As docs/man/gatepost-edge.8 shows it, with what a lab needs besides.
PROSODY = """
daemonize = false
pidfile = "{directory}/pid"
data_path = "{directory}/data"
certificates = "{directory}/certs"
plugin_paths = {{ "{modules}" }}
interfaces = {{ "{host}" }}
c2s_ports = {{ {c2s}, {trusted_c2s} }}
s2s_ports = {{ {s2s}, {trusted_s2s} }}
gatepost_ports = {{ {trusted_c2s}, {trusted_s2s} }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
s2s_require_encryption = {s2s_tls}
s2s_secure_auth = false
authentication = "internal_plain"
modules_enabled = {{ "roster", "saslauth", "tls", "dialback", "disco", "ping", "register", "gatepost", "lab_dns" }}
lab_hosts = {{ {hosts} }}
log = {{ {{ levels = {{ min = "debug" }}, to = "console" }} }}
VirtualHost "{domain}"
"""

EJABBERD = """
hosts:
  - {domain}
loglevel: debug
log_rotate_size: infinity
listen:
  -
    port: {port}
    ip: "{host}"
    module: ejabberd_c2s
    use_proxy_protocol: true
    access: all
  -
    port: {s2s}
    ip: "{host}"
    module: ejabberd_s2s_in
    use_proxy_protocol: true
outgoing_s2s_port: {s2s}
outgoing_s2s_families: [ipv4]
s2s_use_starttls: optional
auth_method: internal
disable_sasl_mechanisms: ["digest-md5"]
certfiles: []
modules:
  mod_ping: {{}}
  mod_roster: {{}}
  mod_s2s_dialback: {{}}
"""


class Prosody:
	def __init__(self, lab, pki, domain, remote=None, s2s_tls=False):
		self.lab, self.domain = lab, domain
		self.host = domain if domain[0].isdigit() else lab.host()
		name = "prosody-" + domain
		self.directory = lab.make_directory(name)
		for part in ("data", "certs"):
			lab.make_directory(name, part)
		self.c2s, self.s2s = f"{self.host}:{C2S}", f"{self.host}:{S2S}"
		self.trusted_c2s, self.trusted_s2s = f"{self.host}:{TRUSTED_C2S}", f"{self.host}:{TRUSTED_S2S}"
		leaf = pki.leaf("prosody-" + domain, [domain])
		for source, kind in ((leaf.chain, "crt"), (leaf.key, "key")):
			with open(source, "rb") as file:
				lab.write(f"{name}/certs/{domain}.{kind}", file.read(), 0o600)
		for user, password in USERS.items():
			self.write_user(lab, name, user, password)
		lab.make_directory(name, "modules")
		for module in MODULES:
			with open(module, "rb") as file:
				lab.write(f"{name}/modules/{os.path.basename(module)}", file.read())
		text = PROSODY.format(directory=self.directory, modules=os.path.join(self.directory, "modules"), host=self.host, c2s=C2S,
			s2s=S2S, trusted_c2s=TRUSTED_C2S, trusted_s2s=TRUSTED_S2S, s2s_tls="true" if s2s_tls else "false", domain=domain,
			hosts=", ".join(f'["{key}"] = "{value}"' for key, value in (remote or {}).items()))
		self.process = lab.start(name, ["prosody", "-F", "--config", lab.write(f"{name}/prosody.cfg.lua", text)])
		await_ports(self.process, self.c2s, self.s2s, self.trusted_c2s, self.trusted_s2s)

	def stop(self):
		self.process.stop()
		self.lab.processes.remove(self.process)

	def write_user(self, lab, name, user, password):
		directory = self.domain.replace(".", "%2e")
		lab.make_directory(name, "data", directory)
		lab.make_directory(name, "data", directory, "accounts")
		lab.write(f"{name}/data/{directory}/accounts/{user}.dat", f'return {{ ["password"] = "{password}"; }};\n')

	def mark(self):
		return self.process.mark()

	def wait_log(self, *parts, since=0):
		return self.process.wait_line(lambda line: all(part in line for part in parts), since, " ".join(parts))


class Ejabberd:
	"""Knows no DNS: other domains are addresses, whose s2s port is our own."""

	def __init__(self, lab, domain):
		self.domain, self.host = domain, lab.host()
		self.directory = lab.make_directory("ejabberd")
		self.c2s, self.s2s = f"{self.host}:{C2S}", f"{self.host}:{S2S}"
		config = lab.write("ejabberd/ejabberd.yml", EJABBERD.format(domain=domain, host=self.host, port=C2S,
			s2s=S2S))
		users = ", ".join(f'ok = ejabberd_auth:try_register(<<"{user}">>, <<"{domain}">>, <<"{password}">>)'
			for user, password in USERS.items())
		environment = {**os.environ, "HOME": self.directory, "ERL_CRASH_DUMP": os.path.join(self.directory, "dump"),
			"EJABBERD_CONFIG_PATH": config, "EJABBERD_LOG_PATH": os.path.join(self.directory, "log"),
			"ERL_LIBS": "/usr/lib/" + os.uname().machine + "-linux-gnu"}
		self.process = lab.start("ejabberd", ["erl", "-noinput", "-mnesia", "dir", f'"{self.directory}/spool"',
			"-s", "ejabberd", "-eval", users + ', io:format("users are registered~n").'], env=environment)
		self.process.wait_line(lambda line: "users are registered" in line, what="its users")
		await_ports(self.process, self.c2s, self.s2s)

	def mark(self):
		return self.process.mark()

	def wait_log(self, *parts, since=0):
		return self.process.wait_line(lambda line: all(part in line for part in parts), since, " ".join(parts))


def await_ports(process, *addresses):
	eventually(lambda: not process.running() or all(map(connects, addresses)), process.name)
	if not process.running():
		process.wait()
		raise AssertionError(f"{process.name} did not start:\n" + process.tail(40))


def await_header(session):
	"""A stream header at a backend of our own; False when the connection ends before it."""
	while session.until(b">"):
		if not session.heard.endswith(b"?>"):
			return True
	return False


class Slixmpp:
	"""A client in a process of its own, see xmpp_client.py. It prints what happens to it."""

	number = 0

	def __init__(self, lab, jid, password, address, root=None, direct=False, leaf=None):
		Slixmpp.number += 1
		host, port = split_address(address)
		way = "clear" if root is None else "direct" if direct else "starttls"
		script = os.path.join(HERE, "xmpp_client.py")
		with open(script, "rb") as file:
			script = lab.write("xmpp_client.py", file.read())
		self.lab = lab
		self.process = lab.start(f"slixmpp-{Slixmpp.number}", [python(), "-u", script, jid, password, host, str(port),
			way, root or "-", lab.make_directory("slixmpp-%d" % Slixmpp.number), *([leaf.chain, leaf.key] if leaf else [])])
		self.directory = lab.path("slixmpp-%d" % Slixmpp.number)
		self.said = 0

	def wait(self, word):
		return self.process.wait_line(lambda line: line.startswith(word), what=word)

	def wait_message(self, text):
		return self.process.wait_line(lambda line: line.startswith("message ") and line.endswith(" " + text), what=text)

	def say(self, to, text):
		self.said += 1
		self.lab.write(os.path.join(self.directory, f"say-{self.said}"), f"{to} {text}")

	def stop(self):
		self.process.stop()
		self.lab.processes.remove(self.process)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.stop()


def python():
	"""The interpreter that has slixmpp."""
	return "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
