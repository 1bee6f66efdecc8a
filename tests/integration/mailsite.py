# SPDX-License-Identifier: MIT
"""A complete private mail site: an authority, a real Dovecot with mail for alice and bob, gatepost in front."""

import mails
from dovecot import Dovecot
from gate import Gate, certificate, listener
from peers import PROTOCOL, ROLES, Scene
from pki import Pki

REAL_PORTS = {"imaps": 993, "imap": 143, "pop3s": 995, "pop3": 110}


class MailSite:
	"""`host` is a name that clients can find; its address is where gatepost listens."""

	def __init__(self, lab, host, address, ports):
		self.lab = lab
		self.pki = Pki(lab)
		self.leaf = self.pki.leaf("mail", [host, "mail.example.test", address])
		self.dovecot = Dovecot(lab, self.pki)
		self.fill()
		self.gate = Gate(lab, certificates=[certificate(self.leaf)], listeners=[
			listener(role, f"{address}:{ports[role]}", self.leaf, self.dovecot.port(PROTOCOL[role] + "-proxy"), "proxy-v2")
			for role in ROLES])
		self.scene = Scene(lab, host, ports, self.pki.root)

	def fill(self):
		"""alice gets everything, bob what fits on a page."""
		for message in mails.all_kinds():
			self.dovecot.deliver("alice", message)
		for message in mails.small_kinds():
			self.dovecot.deliver("bob", message)

	def stored(self, user):
		return self.dovecot.stored(user)
