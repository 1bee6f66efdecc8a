# SPDX-License-Identifier: MIT
"""A real Dovecot 2.3 behind gatepost: IMAP, POP3 and LMTP, users alice and bob.

	dovecot = Dovecot(lab, pki)
	dovecot.deliver("alice", message)
	dovecot.port("imap-proxy")         # an address: imap, pop3 plain; -proxy expects PROXY headers; -tls speaks TLS
	dovecot.stored("alice")            # the bytes of each message as they lie in the mailbox
"""

import glob
import os
import smtplib

from lab import USER, connects, eventually, split_address

PASSWORDS = {"alice": "secret", "bob": "hush"}
PORTS = {"imap": 11143, "imap-proxy": 12143, "imap-tls": 10993, "pop3": 11110, "pop3-proxy": 12110,
	"pop3-tls": 10995, "lmtp": 11024, "submission": 11587, "submission-proxy": 12587, "submission-tls": 10465,
	"sieve": 14190, "sieve-proxy": 15190, "sieve-tls": 16190, "auth": 12345}

CONFIG = """
base_dir = {directory}/run
state_dir = {directory}/state
log_path = /dev/stderr
protocols = imap pop3 lmtp submission sieve
listen = {host}
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 1
last_valid_uid = 0
mail_location = maildir:~/Maildir
mail_save_crlf = yes
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
disable_plaintext_auth = yes
login_trusted_networks = {trusted}
haproxy_trusted_networks = 127.0.0.0/8
auth_failure_delay = 0
mail_max_userip_connections = 0
auth_mechanisms = plain login
auth_verbose = yes
login_log_format_elements = user=<%u> mpid=%e method=%m rip=%r rport=%b lip=%l lport=%a %c name=<%{{local_name}}> session=<%{{session}}>
default_process_limit = 300
default_client_limit = 4000
passdb {{
  driver = passwd-file
  args = {directory}/users
}}
userdb {{
  driver = passwd-file
  args = {directory}/users
}}
service imap-login {{
  chroot =
  {imap_listeners}
}}
service pop3-login {{
  chroot =
  {pop3_listeners}
}}
service submission-login {{
  chroot =
  {submission_listeners}
}}
service managesieve-login {{
  chroot =
  {sieve_listeners}
}}
service auth {{
  inet_listener {{
    port = {auth_port}
  }}
}}
submission_relay_host = {relay_host}
submission_relay_port = {relay_port}
service lmtp {{
  chroot =
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""

LISTENER = """inet_listener {name} {{
    port = {port}
    haproxy = {haproxy}
    ssl = {ssl}
  }}
  """


class Dovecot:
	def __init__(self, lab, pki, leaf=None, trusted="127.0.0.1", relay="127.0.0.1:25", more=""):
		self.lab, self.relay = lab, relay
		self.host = lab.host()
		self.directory = lab.make_directory(f"dovecot{self.host}")
		self.write_users()
		leaf = leaf or pki.leaf("imap.backend.test", ["imap.backend.test"])
		lab.make_directory(self.directory, "run")
		lab.make_directory(self.directory, "state")
		self.config = lab.write(f"{self.directory}/dovecot.conf", self.config_text(leaf, trusted) + more)
		self.process = None
		self.start()

	def config_text(self, leaf, trusted):
		return CONFIG.format(directory=self.directory, host=self.host, user=USER.pw_name, group=group_name(),
			chain=leaf.chain, key=leaf.key, trusted=trusted, lmtp_port=PORTS["lmtp"],
			auth_port=PORTS["auth"], relay_host=self.relay.rsplit(":", 1)[0], relay_port=self.relay.rsplit(":", 1)[1],
			imap_listeners=listeners("imap"), pop3_listeners=listeners("pop3"),
			submission_listeners=listeners("submission"), sieve_listeners=listeners("sieve"))

	def write_users(self):
		rows = [f"{name}:{{PLAIN}}{password}:{USER.pw_uid}:{USER.pw_gid}::{self.home(name)}::"
			for name, password in PASSWORDS.items()]
		for name in PASSWORDS:
			self.lab.make_directory(self.directory, name)
		self.lab.write(f"{self.directory}/users", "\n".join(rows) + "\n")

	def home(self, name):
		return os.path.join(self.directory, name)

	def start(self):
		self.process = self.lab.start("dovecot", ["dovecot", "-F", "-c", self.config])
		eventually(lambda: not self.process.running() or all(map(connects, map(self.port, ("imap", "pop3", "lmtp")))),
			"Dovecot")
		if not self.process.running():
			self.process.wait()
			raise AssertionError("Dovecot did not start:\n" + self.process.tail())

	def stop(self):
		self.process.stop()
		self.lab.processes.remove(self.process)

	def port(self, name):
		return f"{self.host}:{PORTS[name]}"

	def mark(self):
		return self.process.mark()

	def wait_log(self, *parts, since=0):
		"""The first log line that holds all parts."""
		return self.process.wait_line(lambda line: all(part in line for part in parts), since, " ".join(parts))

	def deliver(self, user, message):
		"""Hand a message over by LMTP, as an MTA would."""
		with smtplib.LMTP(*split_address(self.port("lmtp"))) as lmtp:
			lmtp.sendmail("sender@example.test", [user], message)

	def stored(self, user):
		"""The messages in the inbox, oldest first, as bytes with CRLF."""
		paths = glob.glob(os.path.join(self.home(user), "Maildir", "new", "*"))
		paths += glob.glob(os.path.join(self.home(user), "Maildir", "cur", "*"))
		found = []
		for path in sorted(paths, key=lambda path: name_order(os.path.basename(path))):
			with open(path, "rb") as file:
				found.append(file.read())
		return found


def name_order(name):
	"""Maildir names begin with seconds, then M and microseconds."""
	seconds, micro = name.split(".")[:2]
	return int(seconds), int(micro[1:].split("P")[0])


def group_name():
	import grp
	return grp.getgrgid(USER.pw_gid).gr_name


def listeners(protocol):
	"""Plain, behind PROXY headers, and TLS; the names that Dovecot has itself are switched off."""
	rows = [(protocol, PORTS[protocol], "no", "no"), (protocol + "s", 0, "no", "no"),
		(protocol + "_proxy", PORTS[protocol + "-proxy"], "yes", "no"),
		(protocol + "_tls", PORTS[protocol + "-tls"], "no", "yes")]
	return "".join(LISTENER.format(name=name, port=port, haproxy=haproxy, ssl=tls) for name, port, haproxy, tls in rows)
