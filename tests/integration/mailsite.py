# SPDX-License-Identifier: MIT
"""A complete private mail site: an authority, a real Dovecot with mail for alice and bob, gatepost in front; and a
Prosody where XMPP is asked for, a DNS and the policy service where `zones` are given.

Mail that is submitted goes through Dovecot's submission service to a relay, which here hands it back to Dovecot.
"""

import mails
from dovecot import Dovecot
from gate import Gate, certificate, listener
from peers import PROTOCOL, Scene
from pki import Pki
from smtpserver import SmtpServer
from xmpp import Prosody
from zones import Zones

BEHIND = PROTOCOL | {"submissions": "submission", "submission": "submission", "sieve": "sieve"}
DOMAIN = "example.test"
REAL_PORTS = {"imaps": 993, "imap": 143, "pop3s": 995, "pop3": 110}


class Relay(SmtpServer):
	"""Every mail is for us."""

	def __init__(self, lab):
		self.dovecot = None
		super().__init__(lab)

	def finish(self, session, mail):
		for recipient in mail.recipients:
			user = recipient.split(b"<")[1].split(b"@")[0].decode()
			self.dovecot.deliver(user, bytes(mail.data))
		super().finish(session, mail)


class MailSite:
	"""`host` is a name that clients can find; its address is where gatepost listens; `ports` says for which roles;
	`zones` are those of zones.py, and Postfix could ask about them at `policy`, an address."""

	def __init__(self, lab, host, address, ports, zones=None, policy=None):
		self.lab = lab
		self.pki = Pki(lab)
		self.leaf = self.pki.leaf("mail", [host, "mail.example.test", DOMAIN, address])
		self.relay = Relay(lab)
		self.dovecot = self.relay.dovecot = Dovecot(lab, self.pki, relay=self.relay.address)
		self.fill()
		xmpp = [role for role in ports if "xmpp" in role]
		self.prosody = Prosody(lab, self.pki, DOMAIN) if xmpp else None
		rows = [listener(role, f"{address}:{ports[role]}", self.leaf, self.dovecot.port(BEHIND[role] + "-proxy"),
			"proxy-v2") for role in ports if role in BEHIND]
		rows += [listener(role, f"{address}:{ports[role]}", self.leaf, self.prosody.c2s, domains=[DOMAIN]) for role in xmpp]
		self.zones = Zones(lab, zones) if zones else None
		self.gate = Gate(lab, certificates=[certificate(self.leaf)], listeners=rows, **self.delivery(policy))
		self.scene = Scene(lab, host, ports, self.pki.root)

	def delivery(self, policy):
		"""The groups of the policy service, if there is one."""
		if not self.zones:
			return {}
		return {"dns": {"trust-anchors": self.zones.anchor, "unbound-conf": self.zones.unbound_conf(), "self-test": "test"},
			"policy": {"addresses": [policy], "mta-sts-ca": self.pki.root, "mta-sts-networks": ["127.0.0.0/8"]}}

	def fill(self):
		"""alice gets everything, bob what fits on a page."""
		for message in mails.all_kinds():
			self.dovecot.deliver("alice", message)
		for message in mails.small_kinds():
			self.dovecot.deliver("bob", message)

	def stored(self, user):
		return self.dovecot.stored(user)
