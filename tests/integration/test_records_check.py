#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gatepost records check: what a real DNS server, real ports and a policy host have, held against the configuration.

Everything is right first; then one thing after the other is broken, and each has its line."""

import json
import os
import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki  # noqa: E402
from dnswatch import DnsWatch  # noqa: E402
from gate import EX_USAGE, Gate, certificate, config_text, gatepost, listener  # noqa: E402
from lab import contains, equal, eventually, move_inside, run, test  # noqa: E402
from policyhost import PolicyHost, enforce  # noqa: E402
from smtpserver import SmtpServer  # noqa: E402
from wire import Backend, server_context  # noqa: E402
from zones import Zones  # noqa: E402

move_inside()
DOMAIN, MAIL, MX, WEB = "site.test", "mail.site.test", "mx.site.test", "web.site.test"
GUEST, PLAIN = "guest.test", "plain.test"
POLICY_HOST = "mta-sts." + DOMAIN
WRONG = "3 1 1 " + 64 * "0"
IMPLICIT = {"imaps": 993, "pop3s": 995, "submissions": 465, "xmpps-client": 5223, "xmpps-server": 5270}
STARTTLS = {"imap": 143, "pop3": 110, "sieve": 4190, "submission": 587, "xmpp-client": 5222, "xmpp-server": 5269}
MAIL_PORTS = [f"{MAIL}:{port}" for port in [*IMPLICIT.values(), *STARTTLS.values(), 25]]
GATE, ELSEWHERE = lab.host(), lab.host()


@cache
def leaves():
	return {"mail": pki().leaf("mail", [MAIL, "mail." + PLAIN, DOMAIN]), "mx": pki().leaf("mx", [MX]),
		"web": pki().leaf("web", [POLICY_HOST])}


@cache
def backend():
	return SmtpServer(lab)


def listeners():
	path = "unix:" + os.path.join(lab.make_directory("web"), "web.sock")
	rows = [listener(role, f"{GATE}:{port}", leaves()["mail"], backend().address, **({"domains": [DOMAIN]} if "xmpp" in role else {}))
		for role, port in (IMPLICIT | STARTTLS).items()]
	rows += [listener("smtp", f"{GATE}:25", leaves()["mx"], backend().address),
		listener("https", f"{GATE}:443", leaves()["web"], path)]
	return {"listeners": rows, "web": {"address": path}}


def domains(**more):
	return {"domains": [
		{"names": [DOMAIN], "mail_host": MAIL, "mx": [MX], "web_host": WEB, "signed": True, "mta_sts": "enforce",
			"tlsrpt_rua": ["mailto:tls@site.test"], **more},
		{"names": [GUEST], "mail_host": MAIL, "signed": True},
		{"names": [PLAIN], "mail_host": "mail." + PLAIN, "signed": True}]}


@cache
def zones():
	return Zones(lab, {DOMAIN: base(), GUEST: "", PLAIN: ("mail A " + GATE, "insecure")}, ttl=0)


@cache
def watch():
	return DnsWatch(lab, zones())


@cache
def gate():
	return Gate(lab, certificates=[certificate(leaf) for leaf in leaves().values()], **listeners(), **domains(),
		dns={"trust_anchors": zones().anchor, "unbound_conf": zones().unbound_conf(server=watch().place), "self_test": "test"},
		policy={"mta_sts_ca": pki().root, "mta_sts_networks": ["127.0.0.0/8"]})


def base(mail=GATE, mx=GATE, more=""):
	return f"@ MX 10 mx\nmail A {mail}\nmx A {mx}\nweb A {GATE}\n{more}\n"


def wanted(domain=DOMAIN, conf=None):
	"""What `records --json` asks for."""
	done = gatepost(lab, "records", domain, "--json", "-c", conf or gate().config)
	equal((done.returncode, done.stderr), (0, ""))
	return json.loads(done.stdout)["records"]


def line_of(record):
	text = f'"{record["text"]}"' if record["type"] == "TXT" else record["text"]
	return f"{record['owner']}. {record['ttl']} IN {record['type']} {text}"


def served():
	"""The records, when the running gatepost serves the policy that they announce."""
	return eventually(lambda: [records := wanted(), not any("later" in record for record in records)][1] and records,
		"the policy to be served")


def publish(records, domain=DOMAIN, **more):
	zones().set(domain, (base(**more) if domain == DOMAIN else f"mail A {GATE}\n") + "\n".join(map(line_of, records)))


def check(*words, domain=DOMAIN, conf=None):
	"""Exit status and lines, each with single blanks."""
	done = gatepost(lab, "records", "check", domain, *words, "-c", conf or gate().config)
	equal(done.stderr, "")
	return done.returncode, [" ".join(line.split()) for line in done.stdout.splitlines()]


def changed(records, owner, kind, text):
	"""The same with another text at one owner."""
	return [record | {"text": text} if (record["owner"], record["type"]) == (owner, kind) else record for record in records]


def text_at(records, owner, kind):
	return next(record["text"] for record in records if (record["owner"], record["type"]) == (owner, kind))


def without(records, owner, kind):
	return [record for record in records if (record["owner"], record["type"]) != (owner, kind)]


@test("[7671-8-1 8314-4-6 8460-3-1 8461-3.1-1] all is as it should be, when just what is printed is published")
def _():
	publish(served())
	equal(check(), (0, [f"{DOMAIN}: all records are correct"]))


@test("--all: each record is found, and every port answers with a key that a TLSA record stands for")
def _():
	records = served()
	publish(records)
	status, lines = check("--all")
	equal(status, 0)
	equal([line for line in lines if line.startswith("found ")],
		[f"found {record['owner']} {record['type']}: {record['text']}" for record in records])
	equal(sorted(line for line in lines if line.startswith("live ")),
		sorted(f"live {place}: a TLSA record matches its key" for place in [*MAIL_PORTS, MX + ":25"]))
	equal(lines[-3:], [f"policy https://{POLICY_HOST}: it is the same as in the configuration",
		f"mx {MX}: listed, and its certificate is valid for it", f"{DOMAIN}: all records are correct"])


@test("[8460-3-1] a record is missing")
def _():
	records = served()
	publish(without(records, "_smtp._tls." + DOMAIN, "TXT"))
	equal(check(), (1, [f"missing _smtp._tls.{DOMAIN} TXT: v=TLSRPTv1; rua=mailto:tls@site.test"]))


@test("another id is told with the one that there is; TXT records of others are not")
def _():
	records = served()
	owner = "_mta-sts." + DOMAIN
	right = text_at(records, owner, "TXT")
	publish(changed(records, owner, "TXT", "v=STSv1; id=old;") + [records[0] | {"owner": owner, "type": "TXT", "text": "v=other1"}])
	equal(check(), (1, [f"other {owner} TXT: expected {right}; the DNS has v=STSv1; id=old;"]))


@test("SRV: priority and weight may differ, port and host may not")
def _():
	records = served()
	owner = "_imaps._tcp." + DOMAIN
	publish(changed(records, owner, "SRV", f"7 3 993 {MAIL}."))
	equal(check()[0], 0)
	publish(changed(records, owner, "SRV", f"0 0 993 {MX}."))
	equal(check(), (1, [f"other {owner} SRV: expected 0 0 993 {MAIL}.; the DNS has 0 0 993 {MX}."]))


@test("[7671-8-1 7672-3.1-1] a TLSA record of another key, while the port answers with one that none stands for")
def _():
	records = served()
	owner = "_993._tcp." + MAIL
	right = text_at(records, owner, "TLSA")
	publish(changed(records, owner, "TLSA", WRONG))
	equal(check(), (1, [f"missing {owner} TLSA: {right}", f"extra {owner} TLSA: {WRONG}",
		f"live {MAIL}:993: no TLSA record matches the key that it answers with: senders with DANE cannot deliver mail "
		"(RFC 7671 section 8.1)"]))


@test("[8314-4.5.4-2] TLSA records of a zone that is not signed")
def _():
	records = wanted(PLAIN)
	publish(records, PLAIN)
	status, lines = check(domain=PLAIN)
	equal(status, 1)
	tlsa = [record for record in records if record["type"] == "TLSA"]
	equal(lines, [f"unsigned {record['owner']} TLSA: {record['text']}" for record in tlsa])
	contains(lines[0], "_")


@test("the keys of a host in another zone are that zone's business")
def _():
	records = wanted(GUEST)
	equal([record for record in records if record["type"] == "TLSA"], [])
	zones().set(GUEST, "\n".join(map(line_of, records)))
	equal(check(domain=GUEST), (0, [f"{GUEST}: all records are correct"]))


@test("an MX host that the policy does not list")
def _():
	publish(served(), more=f"@ MX 20 backup\nbackup A {ELSEWHERE}")
	equal(check(), (1, [f"mx backup.{DOMAIN}: the MTA-STS policy does not list it"]))


@test("the policy that senders get is another site's, or there is none")
def _():
	records = without(served(), POLICY_HOST, "CNAME")
	other = PolicyHost(lab, pki(), [DOMAIN])
	site = other.site(DOMAIN, enforce(MX, "*.other.test"))
	publish(records, more="mta-sts A " + other.ip)
	equal(check(), (1, [f"policy https://{POLICY_HOST}: it differs from the configuration"]))
	site.set(b"", status=404)
	status, lines = check()
	equal(status, 1)
	contains(lines[0], f"policy https://{POLICY_HOST}: ")
	contains(lines[0], "HTTP status 404")
	publish(without(records, "_mta-sts." + DOMAIN, "TXT"), more="mta-sts A " + other.ip)
	status, lines = check()
	equal(status, 1)
	contains(lines, f"policy https://{POLICY_HOST}: senders find no MTA-STS policy")


def mx_at(context, extension=b"PIPELINING"):
	return SmtpServer(lab, extensions=(extension,), address=lab.address(25), starttls=context).address.rpartition(":")[0]


@test("the certificate of an MX host is not good: another authority, another name, another key")
def _():
	records = served()
	key = leaves()["mx"].key
	foreign = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	foreign.load_cert_chain(pki().sign("mx-foreign", "other", key, pki().config("mx-foreign", [MX]), "leaf"), key)
	publish(records, mx=mx_at(foreign))
	equal(check(), (1, [f"mx {MX}: not-trusted"]))
	publish(records, mx=mx_at(server_context(leaves()["web"])))
	status, lines = check()
	equal((status, len(lines)), (1, 2))
	contains(lines[0], f"live {MX}:25: no TLSA record matches the key")
	equal(lines[1], f"mx {MX}: name-mismatch")


@test("an MX host without STARTTLS, or that refuses it, is reported")
def _():
	records = served()
	for extension, fault in ((b"PIPELINING", "starttls-not-offered: 250 PIPELINING"), (b"STARTTLS", "starttls-refused: 454 4.7.0 No")):
		publish(records, mx=mx_at(None, extension))
		equal(check(), (1, [f'unknown {MX}:25: it answers "454 4.7.0 No"', f"mx {MX}: {fault}"]))


@test("ports that are closed, and a lookup that fails, are not known")
def _():
	records = served()
	publish(records, mail=ELSEWHERE)
	status, lines = check()
	equal(status, 2)
	equal(sorted(lines), sorted(f"unknown {place}: Connection refused" for place in MAIL_PORTS))
	publish(records)
	watch().faults[f"_smtp._tls.{DOMAIN}", "TXT"] = "servfail"
	try:
		status, lines = check()
	finally:
		watch().faults.clear()
	equal(status, 2)
	equal(lines, [f"unknown _smtp._tls.{DOMAIN} TXT: no answer"])


def closing(session):
	session.send(b"* BYE go away\r\n")
	session.line()


@test("a port that refuses TLS, or hangs up, says so at once")
def _():
	records = served()
	address = f"{ELSEWHERE}:143"
	refusing = Backend(lab, closing, address=address)
	publish(records, mail=ELSEWHERE)
	status, lines = check()
	equal(status, 2)
	contains(lines, f'unknown {MAIL}:143: it answers "* BYE go away"')
	refusing.close()


@test("[8461-8.1-2] the record of a policy that is not served yet is early")
def _():
	records = served()
	publish(records)
	conf = lab.write("early.conf", config_text(gate().groups | domains(other_mx=["*.backup.test"])))
	early = wanted(conf=conf)
	equal([record["owner"] for record in early if "later" in record], ["_mta-sts." + DOMAIN])
	status, lines = check(conf=conf)
	equal((status, lines), (1, [f"policy https://{POLICY_HOST}: it differs from the configuration"]))
	publish(early)
	status, lines = check(conf=conf)
	equal((status, len(lines)), (1, 2))
	contains(lines[0], f"early _mta-sts.{DOMAIN} TXT: v=STSv1; id=")
	contains(lines[0], "RFC 8461 section 8.1")


@test("[8461-8.3-1] a policy of mode none lists no host, and that is fine")
def _():
	gate().reload(**domains(mta_sts="none", mta_sts_max_age="1d"))
	publish(served())
	equal(check(), (0, [f"{DOMAIN}: all records are correct"]))
	gate().reload(**domains())


@test("words that do not go together are refused")
def _():
	for words in (["check", DOMAIN, "--json"], ["check", DOMAIN, "--zone"], [DOMAIN, "--all"], ["check"]):
		equal(gatepost(lab, "records", *words, "-c", gate().config).returncode, EX_USAGE)


run(lab)
