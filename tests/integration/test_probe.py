#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`gatepost policy show --connect`: the hosts of a domain are tried, and what would come of mail to them is said."""

import hashlib
import json
import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from lab import Lab, command, contains, equal, move_inside, run, test  # noqa: E402
from policyhost import enforce, policy  # noqa: E402
from policylab import PolicyLab  # noqa: E402
from wire import Backend, server_context  # noqa: E402

move_inside()
lab = Lab()
SIGNED, PLAIN = "signed.test", "plain.test"
STS = ("mismatch.signed.test", "sts.plain.test", "wrong.plain.test", "testing.plain.test")


class MailHost(Backend):
	"""Says what a client may hear before mail. `starttls`: its answer to STARTTLS; None: not offered."""

	def __init__(self, starttls="220 2.0.0 go", context=None):
		self.starttls, self.context = starttls, context
		super().__init__(lab, self.talk, address=lab.address(25))

	@property
	def ip(self):
		return self.address.rpartition(":")[0]

	def talk(self, session):
		session.verbs, session.sni = [], None
		session.send("220 mail.test ESMTP\r\n")
		while line := session.line():
			verb = line.split()[0].decode().upper()
			session.verbs.append(verb)
			if verb == "EHLO":
				offered = "REQUIRETLS" if session.sni else "STARTTLS" if self.starttls else "SIZE"
				session.send(f"250-mail.test\r\n250 {offered}\r\n")
			elif verb == "STARTTLS":
				session.send(self.starttls + "\r\n")
				if self.starttls.startswith("220"):
					self.secure(session)
			else:
				session.send("221 2.0.0 bye\r\n")
				return

	def secure(self, session):
		def note(_, name, __):
			session.sni = name
		self.context.sni_callback = note
		session.sock = self.context.wrap_socket(session.sock, server_side=True)


def digest(path, key=True):
	"""SHA-256 of a certificate, or of its key."""
	with open(path, encoding="ascii") as file:
		bytes = ssl.PEM_cert_to_DER_cert(file.read())
	if key:
		pem = command("openssl", "x509", "-in", path, "-noout", "-pubkey").stdout
		bytes = ssl.PEM_cert_to_DER_cert(pem.replace("PUBLIC KEY", "CERTIFICATE"))
	return hashlib.sha256(bytes).hexdigest()


def host(name, ip, tlsa=None, sts=False):
	"""The records of a domain with one mail host."""
	lines = [f"{name} MX 10 mx.{name}", f"mx.{name} A {ip}"]
	if tlsa:
		lines.append(f"_25._tcp.mx.{name} TLSA {tlsa}")
	if sts:
		lines += [f"mta-sts.{name} A POLICYHOST", f'_mta-sts.{name} TXT "v=STSv1; id=1;"']
	return "\n".join(lines) + "\n"


@cache
def place():
	"""The service, and the mail hosts by the names of their domains."""
	made = PolicyLab(lab, {SIGNED: "", PLAIN: ("", "insecure")}, STS)
	pki = made.pki

	def mail(label, names, starttls="220 2.0.0 go", **more):
		leaf = pki.leaf(label, names, **more)
		mails[label], leaves[label] = MailHost(starttls, server_context(leaf)), leaf
		return mails[label].ip

	mails, leaves = {}, {}
	own = mail("dane", ["whatever.test"], signer=None)
	other = mail("mismatch", ["mx.mismatch.signed.test"])
	wrong_ta = mail("anchor", ["whatever.test"])
	unusable = mail("unusable", ["whatever.test"], signer=None)
	anchor = digest(pki.file("intermediate.crt"), key=False)
	made.set(SIGNED, host("dane", own, f"3 1 1 {digest(leaves['dane'].certificate)}") +
		host("mismatch", other, f"3 1 1 {digest(leaves['dane'].certificate)}", sts=True) +
		host("anchor", wrong_ta, f"2 0 1 {anchor}") + host("unusable", unusable, f"1 1 1 {anchor}"))
	good = mail("sts", ["mx.sts.plain.test"])
	bad = mail("wrong", ["wrong.plain.test"])
	tested = mail("testing", ["whatever.test"])
	clear = mail("clear", ["mx.clear.plain.test"], None)
	two = f"two MX 10 dead.two\ntwo MX 20 mx.two\ndead.two A {lab.host()}\nmx.two A {mail('two', ['mx.two.plain.test'])}\n"
	made.set(PLAIN, host("sts", good, sts=True) + host("wrong", bad, sts=True) + host("testing", tested, sts=True) +
		host("clear", clear) + two)
	for name in STS:
		made.host.site(name, (policy if name.startswith("testing") else enforce)(*(["testing"] if name.startswith("testing")
			else []), "mx." + name))
	made.mails = mails
	return made


def show(domain):
	"""The hosts of a domain, each with its connection."""
	done = place().run("show", domain, "--connect", "--json", check=False)
	if done.returncode > 2 or not done.stdout:
		raise AssertionError(f"{done.returncode}: {done.stderr}")
	return [one["connect"] for one in json.loads(done.stdout)["hosts"]]


def records(connect):
	"""policy type -> result types"""
	return {one["policy-type"]: [result["result-type"] for result in one["results"]] for one in connect["records"]}


def heard(label):
	session = place().mails[label].sessions[-1]
	return " ".join(session.verbs)


@test("[7672-3.1.1-1] a TLSA record of the key is enough, whatever the certificate says")
def _():
	connect, = show("dane.signed.test")
	equal((connect["dane"]["outcome"], connect["pkix"]["outcome"], connect["action"]), ("matched", "not-trusted", "deliver"))
	equal((connect["tls"]["version"], connect["requiretls"], records(connect)), ("TLSv1.3", True, {"tlsa": []}))
	contains(connect["dane"]["record"], "3 1 1 ")
	equal(heard("dane"), "EHLO STARTTLS EHLO QUIT")


@test("[7672-8.1-1] SNI is the TLSA base domain")
def _():
	show("dane.signed.test")
	equal(place().mails["dane"].sessions[-1].sni, "mx.dane.signed.test")


@test("[8461-2-1 7672-3.2-2 3207r-4.1-2] where DANE fails MTA-STS does not stand in, and the next word is QUIT")
def _():
	connect, = show("mismatch.signed.test")
	equal((connect["dane"]["outcome"], connect["pkix"]["outcome"], connect["action"]), ("not-matched", "ok", "skip"))
	equal(records(connect), {"tlsa": ["certificate-not-trusted"], "sts": []})
	equal(heard("mismatch"), "EHLO STARTTLS QUIT")


@test("[7672-3.2.2-1 8460-4.3.1-2] a trust anchor by TLSA signs for names")
def _():
	connect, = show("anchor.signed.test")
	equal((connect["dane"]["outcome"], connect["action"]), ("name-mismatch", "skip"))
	equal(records(connect), {"tlsa": ["certificate-host-mismatch"]})


@test("[7672-2.2-3 8460-4.3.2.1-1] records that cannot be used demand TLS, and no more")
def _():
	connect, = show("unusable.signed.test")
	equal((connect["dane"]["outcome"], connect["action"]), ("not-applicable", "deliver-unauthenticated"))
	equal(records(connect), {"tlsa": ["tlsa-invalid"]})


@test("[8461-4-1 8461-4.2-1 8461-7.1-3] MTA-STS: a public certificate for the MX host")
def _():
	connect, = show("sts.plain.test")
	equal((connect["pkix"]["outcome"], connect["action"], records(connect)), ("ok", "deliver", {"sts": []}))
	equal(place().mails["sts"].sessions[-1].sni, "mx.sts.plain.test")


@test("[8461-4.2-3 8461-5-1] MTA-STS: the domain's own name is not that of the MX host")
def _():
	connect, = show("wrong.plain.test")
	equal((connect["pkix"]["outcome"], connect["action"]), ("name-mismatch", "skip"))
	equal(records(connect), {"sts": ["certificate-host-mismatch"]})
	equal(heard("wrong"), "EHLO STARTTLS QUIT")


@test("[8461-5-2] MTA-STS: what is tested is told, and goes")
def _():
	connect, = show("testing.plain.test")
	equal((connect["action"], records(connect)), ("deliver-unauthenticated", {"sts": ["certificate-host-mismatch"]}))


@test("[7672-2.2-4 8460-4.3.1-1] no policy and no STARTTLS: in cleartext")
def _():
	connect, = show("clear.plain.test")
	equal((connect["action"], connect["tls"], records(connect)), ("clear", None, {"no-policy-found": ["starttls-not-supported"]}))
	equal(heard("clear"), "EHLO QUIT")


@test("[8460-4.3.4-1] a host that does not answer is skipped, and the next one tried")
def _():
	dead, alive = show("two.plain.test")
	equal((dead["address"], dead["action"], dead["records"]), (None, "skip", []))
	contains(dead["error"], "Connection refused")
	equal(alive["action"], "deliver-unauthenticated")


@test("the text says the same")
def _():
	text = place().run("show", "mismatch.signed.test", "--connect", check=False).stdout
	for part in ("TLS           TLSv1.3", "DANE          not-matched (X509_V_ERR_DANE_NO_MATCH)", "outcome       skip",
			"report        tlsa: certificate-not-trusted (X509_V_ERR_DANE_NO_MATCH)", "report        sts: success"):
		contains(text, part)


run(lab)
