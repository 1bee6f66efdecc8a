# SPDX-License-Identifier: MIT
"""The HTTPS server of MTA-STS policies: one address, port 443, many hosts `mta-sts.DOMAIN`, each with its own faults.

	host = PolicyHost(lab, pki, ["a.test", "b.test"])          # who has a good certificate
	site = host.site("a.test", enforce("mx.a.test"))           # what is served from now on
	host.site("b.test", b"", status=301, more=["Location: https://mta-sts.a.test/.well-known/mta-sts.txt"])
	site.requests[0].path, .method, .host, .sni

Ports below 1024 need a name space (lab.move_inside).
"""

import ssl
import threading
from collections import namedtuple

from lab import eventually
from wire import Backend

PATH = "/.well-known/mta-sts.txt"
Request = namedtuple("Request", "method path host sni fields")


def policy(mode, *mx, max_age=604800):
	"""The text of a policy."""
	return "".join(f"{line}\r\n" for line in ["version: STSv1", f"mode: {mode}", *(f"mx: {name}" for name in mx),
		f"max_age: {max_age}"]).encode()


def enforce(*mx, **more):
	return policy("enforce", *mx, **more)


class Site:
	"""How one host answers. `length`: say Content-Length (a number: say that one). `cut`: leave without close_notify
	behind so many bytes of the body. `held`: an answer waits until release()."""

	def __init__(self, body):
		self.requests = []
		self.gate = threading.Event()
		self.set(body)

	def set(self, body, *, status=200, media="text/plain", more=(), length=True, cut=None, certificate="good", held=False):
		self.body, self.status, self.media, self.more = body, status, media, list(more)
		self.length, self.cut, self.certificate, self.held = length, cut, certificate, held
		self.gate.clear()

	@property
	def count(self):
		return len(self.requests)

	def wait_count(self, count):
		eventually(lambda: self.count >= count, f"{count} requests for a policy")

	def release(self):
		self.held = False
		self.gate.set()

	def head(self):
		lines = [f"HTTP/1.1 {self.status} Whatever", "Connection: close", *self.more]
		if self.media:
			lines.append("Content-Type: " + self.media)
		if self.length is not False:
			lines.append(f"Content-Length: {len(self.body) if self.length is True else self.length}")
		return "".join(line + "\r\n" for line in lines + [""]).encode()


class PolicyHost(Backend):
	def __init__(self, lab, pki, domains, address=None):
		self.lab, self.pki = lab, pki
		self.sites = {}
		self.contexts = {"good": self.context(pki.leaf("policy-good", ["mta-sts." + name for name in domains]))}
		front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		front.load_cert_chain(*self.good_files())
		front.sni_callback = self.choose
		super().__init__(lab, self.talk, tls=front, address=address or lab.address(443))

	@property
	def ip(self):
		return self.address.rpartition(":")[0]

	def good_files(self):
		return self.pki.file("policy-good.chain"), self.pki.file("policy-good.key")

	@staticmethod
	def context(leaf):
		made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		made.load_cert_chain(leaf.chain, leaf.key)
		return made

	def certificate(self, kind, leaf):
		"""A certificate that sites may have: site(..., certificate=kind)."""
		self.contexts[kind] = self.context(leaf)

	def site(self, domain, body=b"", **behaviour):
		site = self.sites.setdefault("mta-sts." + domain, Site(body))
		site.set(body, **behaviour)
		return site

	def choose(self, tls, name, _):
		tls.sni = name
		site = self.sites.get(name)
		if site:
			tls.context = self.contexts[site.certificate]

	def talk(self, session):
		lines = session.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
		words = lines[0].split(" ")
		if len(words) != 3:
			return
		fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
		sni = getattr(session.sock, "sni", None)
		site = self.sites.get(fields.get("host"))
		if not site:
			session.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
			return
		site.requests.append(Request(words[0], words[1], fields["host"], sni, fields))
		if site.held:
			site.gate.wait()
		session.send(site.head() + site.body[:site.cut])
		if site.cut is None:
			session.sock.unwrap()
