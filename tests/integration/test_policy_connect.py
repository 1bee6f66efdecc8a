#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gatepost policy show DOMAIN --connect: each way in which a host can show TLS, or none, on port 25.

What would be done with the mail, what a TLS report would hold, and the exit status: 0 protected, 1 not, 2 it would wait."""

import hashlib
import json
import os
import sys
from collections import namedtuple
from functools import cache

sys.dont_write_bytecode = True
from gate import config_text, gatepost  # noqa: E402
from lab import Lab, command, contains, equal, move_inside, run, test  # noqa: E402
from policyhost import policy  # noqa: E402
from policylab import PolicyLab  # noqa: E402
from smtpserver import SmtpServer  # noqa: E402
from wire import Backend, server_context  # noqa: E402

move_inside()
SIGNED, PLAIN = "signed.test", "plain.test"
PROTECTED, NOT_PROTECTED, WAITS = 0, 1, 2
OTHER_NAME, EXPIRED, OLD_AND_OTHER, SELF_SIGNED, FOREIGN, GOOD = "other-name", "expired", "old-and-other", "self-signed", "foreign", "good"
lab = Lab()


# ---- hosts ----


def leaf(kind, name):
	host = "mx." + name
	if kind in (OTHER_NAME, OLD_AND_OTHER):
		host = "mx.elsewhere.test"
	signer = {SELF_SIGNED: None, FOREIGN: "other"}.get(kind, "intermediate")
	return service.pki.leaf(name, [host], signer=signer, **({"expired": True} if kind in (EXPIRED, OLD_AND_OTHER) else {}))


def talks(text, starttls=b""):
	"""A server that greets so, and says so to STARTTLS."""
	def talk(session):
		session.send(text)
		while line := session.line():
			verb = line.split()[0].upper()
			session.send({b"EHLO": b"250-mx.test\r\n250 STARTTLS\r\n", b"STARTTLS": starttls, b"QUIT": b"221 bye\r\n"}[verb])
	return lambda: Backend(lab, talk, address=lab.address(25)).address


def says_nothing():
	return Backend(lab, lambda session: session.rest(), address=lab.address(25)).address


def clear(extension=b"PIPELINING"):
	return lambda: SmtpServer(lab, extensions=(extension,), address=lab.address(25)).address


def closed():
	return lab.address(25)


INJECTS = talks(b"220 mx.test\r\n", b"220 go\r\n250 and more\r\n")
BUSY = talks(b"421 4.3.2 busy\r\n")


def sha256(data):
	return hashlib.sha256(data).hexdigest()


def spki(certificate):
	pem = command("openssl", "x509", "-in", certificate, "-noout", "-pubkey").stdout
	return sha256(command("openssl", "pkey", "-pubin", "-outform", "DER", input=pem.encode(), text=False).stdout)


def tlsa(kind, certificate):
	if kind == "EE":
		return "3 1 1 " + spki(certificate)
	if kind == "TA":
		der = command("openssl", "x509", "-in", service.pki.file("intermediate.crt"), "-outform", "DER", text=False).stdout
		return "2 0 1 " + sha256(der)
	return {"wrong": "3 1 1 ", "unusable": "1 1 1 "}[kind] + 64 * "0"


# ---- what each shows ----

# `records`: policy type -> (result type, reason) or None for a success
Row = namedtuple("Row", "name domain host tlsa policy status action records dane pkix error", defaults=(None, None, None))
NO_MATCH = ("certificate-not-trusted", "X509_V_ERR_DANE_NO_MATCH")
MISMATCH = ("certificate-host-mismatch", "X509_V_ERR_HOSTNAME_MISMATCH")
OLD = ("certificate-expired", "X509_V_ERR_CERT_HAS_EXPIRED")
UNTRUSTED = ("certificate-not-trusted", "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY")
OWN = ("certificate-not-trusted", "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT")
FOR_US, UNPROVED, IN_CLEARTEXT, SKIP = "deliver", "deliver-unauthenticated", "clear", "skip"

ROWS = (
	Row("[6698-2.1.1-2 7672-3.2-1] DANE-EE matches, whatever CA signed it", "ee", SELF_SIGNED, "EE", None,
		PROTECTED, FOR_US, {"tlsa": None}, "matched", "not-trusted"),
	Row("[7672-3.1.1-1 7672-3.1.1-2 7672-3.2.1-1] DANE-EE matches, names and dates do not matter", "eeold", OLD_AND_OTHER, "EE", None,
		PROTECTED, FOR_US, {"tlsa": None}, "matched", "expired"),
	Row("[6698-2.1.1-1] DANE-TA matches, and so does the name", "ta", GOOD, "TA", None, PROTECTED, FOR_US, {"tlsa": None}, "matched", "ok"),
	Row("[7672-2.2-2 7672-3.2-2 8460-4.3.1-4 8460-4.3.1-5] no TLSA record matches, though the certificate is public", "wrong", GOOD, "wrong", None,
		WAITS, SKIP, {"tlsa": NO_MATCH}, "not-matched", "ok"),
	Row("[7672-3.2.2-1 8460-4.3.1-2] DANE-TA matches, the name does not", "taname", OTHER_NAME, "TA", None,
		WAITS, SKIP, {"tlsa": MISMATCH}, "name-mismatch", "name-mismatch"),
	Row("[8460-4.3.1-3] DANE-TA matches, the certificate has expired", "taold", EXPIRED, "TA", None,
		WAITS, SKIP, {"tlsa": OLD}, "expired", "expired"),
	Row("[7672-2.2-3 8460-4.3.2.1-1] only unusable TLSA records: unauthenticated TLS", "unusable", SELF_SIGNED, "unusable", None,
		NOT_PROTECTED, UNPROVED, {"tlsa": ("tlsa-invalid", "all-unusable")}, "not-applicable", "not-trusted"),
	Row("[7672-2.2-2] TLSA records, and no STARTTLS", "eeclear", clear(), "wrong", None,
		WAITS, SKIP, {"tlsa": ("starttls-not-supported", None)}, error="starttls-not-offered"),
	Row("[8461-4-1] MTA-STS: listed, and a good certificate", "sts", GOOD, None, "enforce", PROTECTED, FOR_US, {"sts": None}, "not-applicable", "ok"),
	Row("[8461-4-1 8461-4.2-3 8460-4.3.1-2] MTA-STS: another name", "stsname", OTHER_NAME, None, "enforce",
		WAITS, SKIP, {"sts": MISMATCH}, "not-applicable", "name-mismatch"),
	Row("[8461-4-1 8461-4.2-1 8460-4.3.1-3] MTA-STS: expired", "stsold", EXPIRED, None, "enforce",
		WAITS, SKIP, {"sts": OLD}, "not-applicable", "expired"),
	Row("[8461-4-1 8461-4.2-1 8460-4.3.1-4 8460-4.3.1-5] MTA-STS: another authority", "stsother", FOREIGN, None, "enforce",
		WAITS, SKIP, {"sts": UNTRUSTED}, "not-applicable", "not-trusted"),
	Row("[8461-4-1 8460-4.3.1-1] MTA-STS: no STARTTLS", "stsclear", clear(), None, "enforce",
		WAITS, SKIP, {"sts": ("starttls-not-supported", None)}, error="starttls-not-offered"),
	Row("[8461-4-1 8460-4.3.1-1] MTA-STS: STARTTLS is refused", "stsrefused", clear(b"STARTTLS"), None, "enforce",
		WAITS, SKIP, {"sts": ("starttls-not-supported", "454 4.7.0 No")}, error="starttls-refused: 454 4.7.0 No"),
	Row("[8461-4-1 8460-4.3.1-6 8460-4.3.1-7] MTA-STS: not listed, so not called", "stsunlisted", GOOD, None, "unlisted",
		WAITS, SKIP, {"sts": ("validation-failure", "sts-mx-not-listed")}),
	Row("MTA-STS in testing: another name is told, and does not stop the mail", "ststest", OTHER_NAME, None, "testing",
		NOT_PROTECTED, UNPROVED, {"sts": MISMATCH}, "not-applicable", "name-mismatch"),
	Row("[X-DANE-STS-1] DANE matches, MTA-STS fails: DANE decides, both are told", "both", SELF_SIGNED, "EE", "enforce",
		PROTECTED, FOR_US, {"tlsa": None, "sts": OWN}, "matched", "not-trusted"),
	Row("[X-DANE-STS-2] only unusable TLSA records, MTA-STS fails", "unusablests", SELF_SIGNED, "unusable", "enforce",
		WAITS, SKIP, {"tlsa": ("tlsa-invalid", "all-unusable"), "sts": OWN}, "not-applicable", "not-trusted"),
	Row("[8461-2-1] MTA-STS succeeds, DANE fails", "bothwrong", GOOD, "wrong", "enforce",
		WAITS, SKIP, {"tlsa": NO_MATCH, "sts": None}, "not-matched", "ok"),
	Row("nothing is promised: unauthenticated TLS", "open", SELF_SIGNED, None, None,
		NOT_PROTECTED, UNPROVED, {"no-policy-found": None}, "not-applicable", "not-trusted"),
	Row("[7672-2.2-4] nothing is promised, and no STARTTLS: in cleartext", "openclear", clear(), None, None,
		NOT_PROTECTED, IN_CLEARTEXT, {"no-policy-found": ("starttls-not-supported", None)}, error="starttls-not-offered"),
	Row("[3207r-4.2-2 8460-4.3.1-7] bytes behind the 220 are an attack, not an answer", "injects", INJECTS, None, "enforce",
		WAITS, SKIP, {"sts": ("validation-failure", "starttls-injection")}, error="starttls-injection"),
	Row("[8460-4.3.4-1] 421: nothing to report", "busy", BUSY, None, "enforce", WAITS, SKIP, {}, error="421 4.3.2 busy"),
	Row("[8460-4.3.4-1] no server listens: nothing to report", "closed", closed, None, "enforce", WAITS, SKIP, {}, error="Connection refused"),
	Row("[8460-4.3.4-1] silence: given up, nothing to report", "silent", says_nothing, None, "enforce",
		WAITS, SKIP, {}, error="the host did not answer: timeout"),
)


def zone_of(row):
	return SIGNED if row.tlsa or row.domain.startswith(("ee", "ta")) else PLAIN


def domain_of(row):
	return f"{row.domain}.{zone_of(row)}"


class Service(PolicyLab):
	"""Zones, policies and hosts; there is no service that runs."""

	def __init__(self):
		super().__init__(lab, {SIGNED: "", PLAIN: ("", "insecure")}, [*map(domain_of, ROWS), "two." + PLAIN], start=False)

	def furnish(self):
		texts = {SIGNED: "$TTL 0\n", PLAIN: "$TTL 0\n"}
		for row in ROWS:
			texts[zone_of(row)] += self.furnish_one(row)
		texts[PLAIN] += self.two_hosts()
		for zone, text in texts.items():
			self.set(zone, text)
		self.config = self.write_config("gatepost.conf")
		self.strict = self.write_config("strict.conf", combine="strict-both")

	def write_config(self, name, **more):
		server = {"run_dir": lab.directory, "state_dir": lab.directory, "hostname": "probe.test"}
		return lab.write(name, config_text({"server": server, "dns": self.dns, "policy": self.policy | more}))

	def furnish_one(self, row):
		name = domain_of(row)
		certificate = None
		if callable(row.host):
			address = row.host()
		else:
			certificate = leaf(row.host, name)
			address = SmtpServer(lab, address=lab.address(25), starttls=server_context(certificate)).address
		text = f"{row.domain} MX 10 mx.{row.domain}\nmx.{row.domain} A {address.rpartition(':')[0]}\n"
		if row.tlsa:
			text += f"_25._tcp.mx.{row.domain} TLSA {tlsa(row.tlsa, certificate and certificate.certificate)}\n"
		if row.policy:
			text += f'_mta-sts.{row.domain} TXT "v=STSv1; id=1;"\nmta-sts.{row.domain} A POLICYHOST\n'
			mode = "testing" if row.policy == "testing" else "enforce"
			self.host.site(name, policy(mode, "mx.elsewhere.test" if row.policy == "unlisted" else "mx." + name))
		return text

	def two_hosts(self):
		"""The first is away, the second has two addresses, of which one is."""
		name = "two." + PLAIN
		good = SmtpServer(lab, address=lab.address(25), starttls=server_context(self.pki.leaf("two", ["b." + name])))
		self.host.site(name, policy("enforce", "*." + name))
		return (f"two MX 10 a.two\ntwo MX 20 b.two\na.two A {lab.host()}\nb.two A {good.address.rpartition(':')[0]}\n"
			f'b.two A {lab.host()}\n_mta-sts.two TXT "v=STSv1; id=1;"\nmta-sts.two A POLICYHOST\n')


service = None


@cache
def furnished():
	global service
	service = Service()
	service.furnish()
	return service


def show(domain, *words, conf=None, **more):
	done = gatepost(lab, "policy", "show", domain, "--connect", *words, "-c", conf or furnished().config, **more)
	equal(done.stderr, "")
	return done.returncode, done.stdout


def faketime():
	"""Another time for the program: what it waits for is soon over."""
	library = command("sh", "-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1").stdout.split()[0]
	return {"env": os.environ | {"LD_PRELOAD": library, "FAKETIME": "+0 x10"}}


def results(connect):
	"""The records as the rows have them."""
	found = {}
	for record in connect["records"]:
		equal(record["success"], not record["results"])
		found[record["policy-type"]] = tuple(record["results"][0][key] for key in ("result-type", "failure-reason-code")) \
			if record["results"] else None
	return found


def outcome(connect, name):
	return connect[name] and connect[name]["outcome"]


def judge(row):
	@test(row.name)
	def _():
		status, text = show(domain_of(row), "--json", **(faketime() if row.domain == "silent" else {}))
		found = json.loads(text)
		connect = found["hosts"][0]["connect"]
		equal((found["course"] == "deliver", found["protected"]), (row.status != WAITS, row.status == PROTECTED))
		equal((connect["action"], results(connect), outcome(connect, "dane"), outcome(connect, "pkix"), status),
			(row.action, row.records, row.dane, row.pkix, row.status))
		contains(connect["error"] or "", row.error or "")
		equal(connect["tried"], row.policy != "unlisted")
		equal(connect["tls"] is not None, row.pkix is not None)


for one in ROWS:
	judge(one)


@test("[X-DANE-STS-1] strict-both: DANE matches, MTA-STS fails, and the mail waits")
def _():
	status, text = show("both." + SIGNED, "--json", conf=furnished().strict)
	connect = json.loads(text)["hosts"][0]["connect"]
	equal((status, connect["action"], results(connect)), (WAITS, SKIP, {"tlsa": None, "sts": OWN}))


@test("what TLS a host speaks, its certificate and the record that matches are shown; also as text")
def _():
	_, text = show("ta." + SIGNED, "--json")
	connect = json.loads(text)["hosts"][0]["connect"]
	equal((connect["tls"]["version"], connect["certificate"]["names"], connect["peer-name"]), ("TLSv1.3", ["mx.ta." + SIGNED], "sink.test"))
	equal(connect["dane"]["record"], tlsa("TA", None))
	status, text = show("ta." + SIGNED)
	equal(status, PROTECTED)
	contains(text, "connected to")
	contains(text, "TLSv1.3")


@test("a host that is away, and an address that is, do not matter where another answers")
def _():
	status, text = show("two." + PLAIN, "--json")
	hosts = json.loads(text)["hosts"]
	equal(status, PROTECTED)
	equal([(host["name"], host["connect"]["action"]) for host in hosts], [("a.two." + PLAIN, SKIP), ("b.two." + PLAIN, FOR_US)])
	equal(hosts[0]["connect"]["address"], None)


@test("a domain that does not exist takes no mail")
def _():
	status, text = show("nowhere." + SIGNED)
	equal((status, text.splitlines()[0]), (NOT_PROTECTED, f"nowhere.{SIGNED}: no-mail"))


@test("no host passes: the first line does not say that mail is sent")
def _():
	status, text = show("stsname." + PLAIN)
	equal((status, text.splitlines()[0]), (WAITS, f"stsname.{PLAIN}: defer"))
	contains(text, "no host passed the connect test")


run(lab)
