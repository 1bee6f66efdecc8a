#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real Postfix 3.7 that asks the policy service sends to real servers: it verifies, puts off, and recovers.

Beside it another service, postfix-mta-sts-resolver, on the same zones: what it says otherwise."""

import hashlib
import os
import smtplib
import sys
from functools import cache

sys.dont_write_bytecode = True
from lab import (Lab, command, connects, contains, equal, eventually, move_inside, run, split_address,  # noqa: E402
	test)
from pki import Pki  # noqa: E402
from policyhost import enforce  # noqa: E402
from policylab import PolicyLab, Socketmap  # noqa: E402
from postfix import Postfix  # noqa: E402
from smtpserver import SmtpServer  # noqa: E402
from wire import server_context  # noqa: E402

move_inside(ordinary=False)
SENDER = "alice@sender.test"
TLSA = {"wrong": "3 1 1 " + "00" * 32, "unusable": "1 1 1 " + "00" * 32}
lab = Lab()

# name -> (kind of zone, TLSA record or None, whether a policy is enforced)
DOMAINS = {
	"dane.test": ("secure", "right", False),
	"ta.test": ("secure", "right", False),
	"mismatch.test": ("secure", "wrong", False),
	"both.test": ("secure", "wrong", True),
	"unusable.test": ("secure", "unusable", True),
	"sts.test": ("insecure", None, True),
	"badsts.test": ("insecure", None, True),
	"hub.test": ("insecure", None, True),
	"open.test": ("insecure", None, False),
	"bogus.test": ("bogus", None, False),
}


@cache
def pki():
	return Pki(lab, "mxpki")


@cache
def leaf(name):
	return pki().leaf(name, [name])


def spki_sha256(certificate):
	pem = command("openssl", "x509", "-in", certificate, "-noout", "-pubkey").stdout
	der = command("openssl", "pkey", "-pubin", "-outform", "DER", input=pem.encode(), text=False).stdout
	return hashlib.sha256(der).hexdigest()


def right_tlsa(domain):
	if domain == "ta.test":
		der = command("openssl", "x509", "-in", pki().file("intermediate.crt"), "-outform", "DER", text=False).stdout
		return "2 0 1 " + hashlib.sha256(der).hexdigest()
	return "3 1 1 " + spki_sha256(leaf("mx." + domain).certificate)


@cache
def server(domain):
	"""The MX host of the domain."""
	made = SmtpServer(lab, extensions=(b"PIPELINING", b"8BITMIME"), address=lab.address(25))
	if domain != "open.test":
		made.starttls = server_context(leaf("mx." + domain))
	return made


def zone(domain, kind=None):
	kind = kind or DOMAINS[domain][1]
	text = f"$TTL 1\n@ MX 10 mx\nmx A {server(domain).address.rpartition(':')[0]}\n"
	if kind:
		text += f"_25._tcp.mx TLSA {TLSA.get(kind) or right_tlsa(domain)}\n"
	if DOMAINS[domain][2]:
		text += '_mta-sts TXT "v=STSv1; id=1;"\nmta-sts A POLICYHOST\n'
	return text


@cache
def service():
	zones = {domain: (zone(domain), DOMAINS[domain][0]) for domain in DOMAINS}
	made = PolicyLab(lab, zones, list(DOMAINS), answer_time="10s")
	for domain, (_, _, enforced) in DOMAINS.items():
		if enforced:
			made.host.site(domain, enforce("mx." + domain))
	return made


@cache
def resolver():
	"""unbound on 127.0.0.1:53, which validates; the machine's resolver in here."""
	more = '  interface: 127.0.0.1\n  chroot: ""\n  username: ""\n  pidfile: ""\n  use-syslog: no\n  logfile: ""\n'
	more += f"  trust-anchor-file: \"{service().zones.anchor}\"\n  cache-max-negative-ttl: 1\n"
	conf = service().zones.unbound_conf(more, server=service().watch.place, file="resolver.conf")
	process = lab.start("unbound", ["unbound", "-d", "-c", conf], root=True)
	eventually(lambda: connects("127.0.0.1:53"), "unbound")
	for path, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\noptions trust-ad\n"),
			("/etc/hosts", "127.0.0.1 localhost\n"), ("/etc/nsswitch.conf", "hosts: files dns\n")):
		if os.path.exists(path):
			command("mount", "--bind", lab.write(os.path.basename(path), text), path, root=True)
	return process


@cache
def postfix():
	resolver()
	return Postfix(lab, settings={
		"smtpd_relay_restrictions": "permit_mynetworks, reject",
		"smtp_dns_support_level": "dnssec",
		"smtp_host_lookup": "dns",
		"smtp_tls_security_level": "may",
		"smtp_tls_loglevel": "1",
		"smtp_tls_CAfile": pki().root,
		"smtp_tls_policy_maps": f"socketmap:inet:{service().address}:QUERY",
		"transport_maps": "inline:{ { elsewhere.test = smtp:hub.test } }",
		"minimal_backoff_time": "1000s"})


sent = []


def send(domain, through=None):
	"""One message; returns its subject."""
	postfix()
	subject = f"number {len(sent)} to {domain}"
	with smtplib.SMTP(*split_address(postfix().port("plain"))) as client:
		client.sendmail(SENDER, [f"bob@{domain}"], f"Subject: {subject}\r\n\r\nHello\r\n")
	sent.append((subject, through or domain))
	return subject


def arrived(subject, domain):
	return [mail for mail in server(domain).mails if mail.fields("Subject") == [subject]]


def goes(domain, through=None):
	"""A message gets there, and Postfix says how it saw the other side."""
	mark = postfix().mark() if sent else 0
	subject = send(domain, through)
	eventually(lambda: arrived(subject, through or domain), f"{subject} to be delivered")
	return [line for line in postfix().process.lines[mark:] if "TLS connection established to" in line and
		f"mx.{through or domain}[" in line]


def waits(domain, *parts):
	"""A message is put off, for this reason, and nobody has seen it. Returns its subject."""
	postfix()
	mark = postfix().mark()
	subject = send(domain)
	line = postfix().wait_log(f"to=<bob@{domain}>", "status=deferred", since=mark)
	for part in parts:
		contains(line, part)
	equal(arrived(subject, domain), [])
	return subject


def recovers(subject, domain):
	"""What waited goes when it is tried again."""
	def tried():
		postfix().flush()
		return eventually_soon(lambda: arrived(subject, domain))
	eventually(tried, f"{subject} to be delivered after all")


def eventually_soon(check):
	try:
		return eventually(check, "", patience=1)
	except Exception:  # not yet
		return None


@test("[7672-2.1.2-3] DANE: Postfix verifies the server by its TLSA record")
def _():
	line, = goes("dane.test")
	contains(line, "Verified TLS connection")
	line, = goes("ta.test")
	contains(line, "Verified TLS connection")


@test("[7672-2.2.1-9] DANE: what does not match waits; when the record is right it goes")
def _():
	subject = waits("mismatch.test", "Server certificate not verified")
	service().set("mismatch.test", zone("mismatch.test", "right"))
	recovers(subject, "mismatch.test")
	contains(goes("mismatch.test")[0], "Verified TLS connection")


@test("[7672-3.2.2-1] DANE-TA: a certificate of the right authority for another name is refused")
def _():
	server("ta.test").starttls = server_context(pki().leaf("stray", ["mx.elsewhere.test"]))
	subject = waits("ta.test", "Server certificate not verified")
	server("ta.test").starttls = server_context(leaf("mx.ta.test"))
	recovers(subject, "ta.test")


@test("[X-PFX-1] MTA-STS enforce: Postfix verifies the server by its name and authority")
def _():
	contains(goes("sts.test")[0], "Verified TLS connection")


@test("[X-PFX-1] MTA-STS enforce: a certificate of another name waits; with the right one it goes")
def _():
	server("badsts.test").starttls = server_context(pki().leaf("strange", ["mx.other.test"]))
	subject = waits("badsts.test", "Server certificate not verified")
	server("badsts.test").starttls = server_context(leaf("mx.badsts.test"))
	recovers(subject, "badsts.test")


@test("MTA-STS enforce: a server that offers no TLS gets nothing")
def _():
	kept, server("badsts.test").starttls = server("badsts.test").starttls, None
	subject = waits("badsts.test", "TLS is required, but was not offered")
	server("badsts.test").starttls = kept
	recovers(subject, "badsts.test")


@test("[7672-2.1.2-1] a bogus domain waits, and Postfix connects to no host")
def _():
	waits("bogus.test")
	equal(server("bogus.test").count, 0)


@test("a domain that promises nothing gets its mail, in cleartext if that is all it has")
def _():
	equal(goes("open.test"), [])


@test("[8461-3.4-1] with a smart host it is the smart host whose policy counts")
def _():
	postfix()
	start = len(service().watch.asked)
	contains(goes("elsewhere.test", "hub.test")[0], "Verified TLS connection")
	asked = [name for name, kind in service().watch.asked[start:] if kind == "TXT"]
	equal(("_mta-sts.hub.test" in asked, [name for name in asked if "elsewhere" in name]), (True, []))


@test("DANE that fails is not made good by MTA-STS: the mail waits, and goes when DANE is right")
def _():
	subject = waits("both.test", "Server certificate not verified")
	service().set("both.test", zone("both.test", "right"))
	recovers(subject, "both.test")
	service().set("both.test", zone("both.test"))


@test("[X-DANE-STS-2] TLSA records that cannot be used leave MTA-STS in force")
def _():
	server("unusable.test").starttls = server_context(pki().leaf("foreign", ["mx.unusable.test"], signer="other"))
	subject = waits("unusable.test", "Server certificate not verified")
	server("unusable.test").starttls = server_context(leaf("mx.unusable.test"))
	recovers(subject, "unusable.test")


@test("without the policy service mail waits for it, whatever its domain")
def _():
	service().gate.stop()
	subjects = [(waits(domain), domain) for domain in ("dane.test", "sts.test", "open.test")]
	service().gate = service().new_gate()
	for subject, domain in subjects:
		recovers(subject, domain)


@test("postfix-mta-sts-resolver puts MTA-STS before DANE, ours does not; of DANE alone it knows nothing")
def _():
	resolver()
	address = lab.address(8462)
	host, port = split_address(address)
	conf = lab.write("mta-sts-daemon.yml", f"host: {host}\nport: {port}\nreuse_port: true\nshutdown_timeout: 5\n"
		"cache:\n  type: internal\n  options:\n    cache_size: 100\ndefault_zone:\n  strict_testing: false\n  timeout: 10\n")
	lab.start("mta-sts-daemon", ["mta-sts-daemon", "-c", conf], env={**os.environ, "SSL_CERT_FILE": service().pki.root})
	eventually(lambda: connects(address), "mta-sts-daemon")

	def theirs(domain):
		with Socketmap(address) as client:
			return client.ask(domain)
	contains(theirs("both.test"), "OK secure match=mx.both.test")
	equal(service().ask("both.test"), "OK dane-only")
	contains(theirs("sts.test"), "OK secure match=mx.sts.test")
	contains(service().ask("sts.test"), "OK secure match=mx.sts.test")
	equal((theirs("dane.test"), service().ask("dane.test")), ("NOTFOUND", "OK dane-only"))
	# nobody knows whether there is a policy: they let the mail go
	equal(theirs("bogus.test"), "NOTFOUND")
	contains(service().ask("bogus.test"), "TEMP")


@test("nothing is lost and nothing comes twice")
def _():
	waiting = [mail["recipients"][0]["address"] for mail in postfix().queue()]
	equal(waiting, ["bob@bogus.test"])
	for subject, domain in sent:
		equal((subject, len(arrived(subject, domain))), (subject, 0 if domain == "bogus.test" else 1))


if __name__ == "__main__":
	run(lab)
