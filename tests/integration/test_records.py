#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gatepost records: what a domain should publish, held against what is served; requests for certificates."""

import hashlib
import json
import os
import re
import sys
import time
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki  # noqa: E402
from gate import EX_CONFIG, EX_USAGE, Gate, certificate, check_config, config_text, gatepost, listener  # noqa: E402
from lab import command, contains, equal, run, test  # noqa: E402
from wire import Backend, imap_server  # noqa: E402

DOMAIN, MAIL, MX = "example.test", "mail.example.test", "mx.example.test"
POLICY_HOST = "mta-sts." + DOMAIN
MONTH_S = 30 * 86400
GATE = lab.host()


@cache
def leaves():
	return {"mail": pki().leaf("mail", [MAIL]), "mx": pki().leaf("mx", [MX]), "mx-rsa": pki().leaf("mx-rsa", [MX], "rsa"),
		"web": pki().leaf("web", [POLICY_HOST]), "xmpp": pki().leaf("xmpp", [DOMAIN])}


@cache
def next_key():
	return pki().make_key("next", "ec")


def domain(**more):
	return {"names": [DOMAIN], "mail_host": MAIL, "mx": [MX], "signed": True, "mta_sts": "enforce",
		"tlsrpt_rua": ["mailto:tls@example.test", "https://reports.example.test/" + 300 * "x"], **more}


def rows(**more):
	path = os.path.join(lab.make_directory("web"), "web.sock")
	certificates = [certificate(leaf) for leaf in leaves().values()]
	certificates[0]["next_key"] = next_key()
	xmpp = {"domains": [DOMAIN]}
	ports = [("imaps", 1993, "mail"), ("imap", 1143, "mail"), ("submissions", 1465, "mail"), ("smtp", 1025, "mx")]
	listeners = [listener(role, f"{GATE}:{port}", leaves()[name], Backend(lab, imap_server).address)
		for role, port, name in ports]
	listeners += [listener("https", f"{GATE}:1443", leaves()["web"], f"unix:{path}"),
		listener("xmpp-client", f"{GATE}:1522", leaves()["xmpp"], lab.address(9), **xmpp)]
	return {"certificates": certificates, "web": {"address": f"unix:{path}"}, "listeners": listeners,
		"domains": [domain(**more)]}


@cache
def gate():
	return Gate(lab, **rows())


def records(*words, conf=None, check=True):
	done = gatepost(lab, "records", *words, "-c", conf or gate().config)
	if check:
		equal((done.returncode, done.stderr), (0, ""))
	return done


def lines(text):
	"""{(owner, type): [text]} of a zone, comments left out."""
	found = {}
	for line in text.splitlines():
		if not line.startswith(";"):
			owner, _, _, kind, rest = line.split(" ", 4)
			found.setdefault((owner, kind), []).append(rest)
	return found


def spki_sha256(*words):
	"""Of a public key in PEM, which openssl prints with these words."""
	pem = command("openssl", *words).stdout
	der = command("openssl", "pkey", "-pubin", "-outform", "DER", input=pem.encode(), text=False).stdout
	return hashlib.sha256(der).hexdigest()


def served_spki(port, name, *more):
	"""Of the certificate that the port shows."""
	shown = command("openssl", "s_client", "-connect", f"{GATE}:{port}", "-servername", name, *more, input="", check=False)
	pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", shown.stdout, re.DOTALL)[0]
	path = lab.write("shown.crt", pem)
	return spki_sha256("x509", "-in", path, "-noout", "-pubkey")


def policy():
	return command("curl", "-sS", "-f", "--http1.1", "--cacert", pki().root, "--resolve", f"{POLICY_HOST}:1443:{GATE}",
		f"https://{POLICY_HOST}:1443/.well-known/mta-sts.txt", text=False).stdout


def sts_id(body):
	return hashlib.sha256(body).hexdigest()[:32]


@test("[8314-4-6 8460-3-1 8461-3.1-1 7672-3.1-1 6698-2.2-2] the zone text is one that a DNS server takes")
def _():
	head = [f"{DOMAIN}. 3600 IN SOA ns.{DOMAIN}. admin.{DOMAIN}. 1 3600 900 604800 300", f"{DOMAIN}. 3600 IN NS ns.{DOMAIN}."]
	head += [f"{host}. 3600 IN A 192.0.2.1" for host in (f"ns.{DOMAIN}", MAIL, MX)]
	text = records(DOMAIN, "--zone").stdout
	path = lab.write("zone", "\n".join(head) + "\n" + text)
	command("kzonecheck", "-v", "-o", DOMAIN, path)
	equal(records(DOMAIN).stdout, text)
	found = lines(text)
	equal(found[f"_imaps._tcp.{DOMAIN}.", "SRV"], [f"0 0 1993 {MAIL}."])
	equal(found[f"_imap._tcp.{DOMAIN}.", "SRV"], [f"10 0 1143 {MAIL}."])
	equal(found[f"_pop3s._tcp.{DOMAIN}.", "SRV"], ["0 0 0 ."])
	equal(found[f"_xmpp-client._tcp.{DOMAIN}.", "SRV"], [f"10 0 1522 {MAIL}."])
	equal(found[f"mta-sts.{DOMAIN}.", "CNAME"], [f"{MAIL}."])
	rua = found[f"_smtp._tls.{DOMAIN}.", "TXT"][0]
	equal(len(re.findall(r'"[^"]*"', rua)), 2)
	equal(rua.replace('" "', ""), '"v=TLSRPTv1; rua=mailto:tls@example.test,https://reports.example.test/' + 300 * "x" + '"')


@test("[7672-3.1-1 7671-8-1 8314-4.5.4-1] TLSA records are those of the certificates that are shown, and of the next key")
def _():
	found = lines(records(DOMAIN).stdout)
	mail = [f"3 1 1 {served_spki(1993, MAIL)}", f"3 1 1 {spki_sha256('pkey', '-in', next_key(), '-pubout')}"]
	equal(found[f"_1993._tcp.{MAIL}.", "TLSA"], mail)
	equal(found[f"_1143._tcp.{MAIL}.", "TLSA"], mail)
	equal(served_spki(1143, MAIL, "-starttls", "imap"), mail[0].split()[-1])
	equal(found[f"_1522._tcp.{MAIL}.", "TLSA"], [f"3 1 1 {spki_sha256('x509', '-in', leaves()['xmpp'].certificate, '-noout', '-pubkey')}"])
	both = [spki_sha256("x509", "-in", leaves()[name].certificate, "-noout", "-pubkey") for name in ("mx", "mx-rsa")]
	equal(found[f"_1025._tcp.{MX}.", "TLSA"], [f"3 1 1 {digest}" for digest in both])
	equal([owner for owner, kind in found if kind == "TLSA" and "_1443." in owner], [])


@test("--json says the same")
def _():
	answer = json.loads(records(DOMAIN, "--json").stdout)
	zone = lines(records(DOMAIN).stdout)
	found = {}
	for record in answer["records"]:
		text = f'"{record["text"]}"' if record["type"] == "TXT" else record["text"]
		found.setdefault((record["owner"] + ".", record["type"]), []).append(text)
	equal(found, {key: [text.replace('" "', "") for text in texts] for key, texts in zone.items()})
	equal(answer["domain"], DOMAIN)
	contains(" ".join(answer["notes"]), "8461 section 8.1")


@test("[8461-3.1-4 8461-8.1-2] the id is that of the policy which is served; a change is announced when senders get it")
def _():
	body = policy()
	contains(body, f"mode: enforce\r\nmx: {MX}\r\n".encode())
	equal(lines(records(DOMAIN).stdout)[f"_mta-sts.{DOMAIN}.", "TXT"], [f'"v=STSv1; id={sts_id(body)};"'])
	changed = rows(other_mx=["*.backup.test"])
	path = lab.write("changed.conf", config_text(gate().groups | changed))
	early = records(DOMAIN, conf=path).stdout
	equal(lines(early).get((f"_mta-sts.{DOMAIN}.", "TXT")), None)
	contains(early, "; Not yet. RFC 8461 section 8.1")
	gate().reload(**changed)
	fresh = policy()
	contains(fresh, b"mx: *.backup.test\r\n")
	equal(lines(records(DOMAIN).stdout)[f"_mta-sts.{DOMAIN}.", "TXT"], [f'"v=STSv1; id={sts_id(fresh)};"'])
	equal(sts_id(fresh) == sts_id(body), False)


@test("[8461-8.3-1] records without MTA-STS are refused while senders remember a policy")
def _():
	off = lab.write("off.conf", config_text(gate().groups | rows(mta_sts="off")))
	done = records(DOMAIN, conf=off, check=False)
	equal((done.returncode, done.stdout), (1, ""))
	contains(done.stderr, 'set mta-sts = "none" until then (RFC 8461 section 8.3)')
	status, warnings = check_config(lab, config_text(gate().groups | rows(mta_sts="off")))
	equal(status, 0)
	contains("\n".join(warnings), f"warning: {DOMAIN}: senders may have its MTA-STS policy")
	gate().reload(**rows(mta_sts="none", mta_sts_max_age="1d"))
	contains(policy(), b"mode: none\r\n")
	done = records(DOMAIN, conf=off, check=False)
	equal(done.returncode, 1)
	contains(done.stderr, 'keep mta-sts = "none" until then')
	state = os.path.join(gate().groups["server"]["state_dir"], "mta-sts-served")
	with open(state, encoding="utf-8") as file:
		remembered = file.read()
	past = str(int(time.time()) - MONTH_S)
	lab.write(os.path.relpath(state, lab.directory), re.sub(r"\d+$", past, remembered, flags=re.MULTILINE))
	equal([key for key in lines(records(DOMAIN, conf=off).stdout) if "mta-sts" in key[0]], [])


@test("[8314-4.5.4-2] no TLSA records for a zone that is not said to be signed")
def _():
	path = lab.write("unsigned.conf", config_text(gate().groups | rows(signed=False)))
	text = records(DOMAIN, conf=path).stdout
	equal([key for key in lines(text) if key[1] == "TLSA"], [])
	contains(text, "; No TLSA records")


def request(*words):
	path = lab.write("request.pem", records("csr", DOMAIN, "--key", next_key(), *words).stdout)
	return command("openssl", "req", "-in", path, "-noout", "-verify", "-text", "-subject").stdout


@test("[7817-5-1 7817-5-2 7817-5-3] csr: openssl verifies it and reads its names")
def _():
	text = request()
	contains(text, f"DNS:{MAIL}, DNS:{MX}, DNS:{DOMAIN}, ")
	names = [f"_submissions.{DOMAIN}", f"_imaps.{DOMAIN}", f"_imap.{DOMAIN}"]
	equal(re.findall(r"othername: *\S+?:+(?:IA5STRING:)?(_\S+?)(?:,|\s)", text, re.IGNORECASE), names)
	contains(text, f"subject=CN = {MAIL}\n")
	equal("CN = " in request("--no-cn"), False)
	contains(request("--service", "xmpp"), f"_xmpp-client.{DOMAIN}")
	contains(request("--service", "web"), f"DNS:{POLICY_HOST}\n")


@test("what is missing is said: the domain, the key, the words")
def _():
	cases = (
		(["other.test"], EX_CONFIG, 'no entry of "domains" has "other.test" among its "names"'),
		([], EX_USAGE, "DOMAIN is missing"),
		(["csr", DOMAIN], EX_USAGE, "csr needs --key FILE"),
		(["csr", DOMAIN, "--key", pki().root], 65, "no unencrypted private key in PEM form"),
		(["csr", DOMAIN, "--key", "/nonexistent"], 66, "/nonexistent: No such file"),
		(["csr", DOMAIN, "--key", next_key(), "--service", "ftp"], EX_USAGE, "--service is mail, xmpp or web"),
		([DOMAIN, "--service", "mail"], EX_USAGE, "without csr do not use --key, --service or --no-cn"),
		([DOMAIN, "--zone", "--json"], EX_USAGE, "either --zone or --json"),
	)
	for words, status, sentence in cases:
		done = records(*words, check=False)
		equal((words, done.returncode, done.stdout), (words, status, ""))
		contains(done.stderr, sentence)


@test("--check: a next-key that is none is an error, a policy that no sender can fetch a warning")
def _():
	groups = gate().groups | rows()
	groups["certificates"] = [dict(row) for row in groups["certificates"] if row["name"] != "web"]
	groups["listeners"] = [row for row in groups["listeners"] if row["role"] != "https"]
	status, warnings = check_config(lab, config_text(groups))
	equal(status, 0)
	contains("\n".join(warnings), f"warning: no certificate covers {POLICY_HOST}")
	contains("\n".join(warnings), "warning: no https listener has the backend unix:")
	groups["certificates"][0]["next_key"] = gate().config
	status, complaints = check_config(lab, config_text(groups))
	equal(status, EX_CONFIG)
	contains("\n".join(complaints), "next-key contains no key in PEM format")
	done = records(DOMAIN, conf=lab.path("checked.conf"), check=False)
	equal((done.returncode, done.stdout), (EX_CONFIG, ""))


run(lab)
