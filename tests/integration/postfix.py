# SPDX-License-Identifier: MIT
"""A real Postfix 3.7 behind gatepost. It runs under several users, so it needs root, or sudo. It trusts what
Debian's default mynetworks holds, this machine: a client that it takes for a local one may relay.

	postfix = Postfix(lab, next_hop="127.1.2.3:10025", sasl="127.1.2.4:12345")
	postfix.port("plain")        # an address: plain, or proxy (expects PROXY headers)
	postfix.wait_log("client=...")
"""

import json
import os
import re

from lab import ROOT, command, connects, eventually

PORTS = {"plain": 10587, "proxy": 11587}

MAIN = """
compatibility_level = 3.6
config_directory = {etc}
queue_directory = {queue}
data_directory = {data}
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
daemon_directory = /usr/lib/postfix/sbin
maillog_file = /dev/stdout
myhostname = mx.backend.test
mydestination =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
inet_interfaces = all
inet_protocols = ipv4
relayhost = {relayhost}
smtp_dns_support_level = disabled
smtp_host_lookup = native
message_size_limit = 209715200
mailbox_size_limit = 0
alias_maps =
alias_database =
smtpd_sasl_auth_enable = {sasl}
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:{sasl_path}
smtpd_authorized_xclient_hosts = {xclient}
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
relay_domains = {domains}
smtpd_upstream_proxy_timeout = 5s
"""

SERVICES = """
{host}:{plain} inet n - n - - smtpd
{host}:{proxy} inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
flush unix n - n 1000? 0 flush
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
	"""`domains`: takes mail for them without AUTH, as an MX does. `xclient`: who may say XCLIENT. Without `next_hop` it
	sends by MX records. `settings`: more of main.cf, by name."""

	def __init__(self, lab, next_hop=None, sasl=None, domains="", xclient="127.0.0.0/8", settings=None):
		self.lab = lab
		self.host = lab.host()
		self.directory = lab.make_directory(f"postfix{self.host}")
		self.sudo = sudo = [] if ROOT else ["sudo", "-n"]
		etc, queue, data = (os.path.join(self.directory, name) for name in ("etc", "queue", "data"))
		relayhost = "[{}]:{}".format(*next_hop.rsplit(":", 1)) if next_hop else ""
		self.etc = etc
		for path in (etc, queue, data):
			command(*sudo, "mkdir", "-p", path, root=True)
		command(*sudo, "chown", "root", self.directory, etc, queue, root=True)
		command(*sudo, "chown", "postfix", data, root=True)
		main = MAIN.format(etc=etc, queue=queue, data=data, relayhost=relayhost,
			sasl="yes" if sasl else "no", sasl_path=sasl or "127.0.0.1:1", domains=domains,
			xclient=xclient)
		for name, value in (settings or {}).items():
			main = re.sub(f"(?m)^{name} = .*\n", "", main) + f"{name} = {value}\n"
		master = SERVICES.format(host=self.host, **PORTS)
		for name, text in (("main.cf", main), ("master.cf", master)):
			command(*sudo, "tee", os.path.join(etc, name), input=text, root=True)
		lab.closers.callback(command, *sudo, "rm", "-rf", self.directory, root=True, check=False)
		self.process = lab.start("postfix", [*sudo, "/usr/sbin/postfix", "-c", etc, "start-fg"], root=True)
		# The script behind start-fg dies alone; "stop" waits for the master.
		lab.closers.callback(command, *sudo, "/usr/sbin/postfix", "-c", etc, "stop", root=True, check=False)
		eventually(lambda: not self.process.running() or all(map(connects, map(self.port, PORTS))), "Postfix")
		if not self.process.running():
			raise AssertionError("Postfix did not start:\n" + self.process.tail())

	def port(self, name):
		return f"{self.host}:{PORTS[name]}"

	def queue(self):
		"""What waits, as `postqueue -j` has it."""
		return [json.loads(line) for line in command(*self.sudo, "postqueue", "-c", self.etc, "-j", root=True).stdout.splitlines()]

	def flush(self):
		"""Try at once what waits."""
		command(*self.sudo, "postqueue", "-c", self.etc, "-f", root=True)

	def mark(self):
		return self.process.mark()

	def wait_log(self, *parts, since=0):
		"""The first log line that holds all parts."""
		return self.process.wait_line(lambda line: all(part in line for part in parts), since, " ".join(parts))
