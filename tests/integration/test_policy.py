#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The policy service as Postfix and the operator see it: verdicts on zones of every kind, and the socketmap protocol."""

import grp
import json
import os
import re
import stat
import sys
import time
from functools import cache

sys.dont_write_bytecode = True
from gate import EX_CONFIG, EX_USAGE, check_config, config_text, gatepost, parse_event  # noqa: E402
from lab import Lab, contains, equal, eventually, move_inside, proc_status, run, steady, test  # noqa: E402
from policyhost import enforce, policy  # noqa: E402
from policylab import QUERY, TLSRPT, PolicyLab, Socketmap, UnixSocketmap, netstring  # noqa: E402
from zones import Zones  # noqa: E402

move_inside()
PROTECTED, NOT_PROTECTED, CANNOT_TELL = 0, 1, 2
EX_UNAVAILABLE = 69
USABLE = "TLSA 3 1 1 " + "ab" * 32
ANCHORED = "TLSA 2 0 1 " + "ef" * 32
PKIX = f"TLSA 1 1 1 {'cd' * 32}"
HOST = "A 127.0.0.21"
lab = Lab()


def chain(name, length, end):
	"""name -> name-1 -> ... -> end."""
	steps = [name] + [f"{name}-{step}" for step in range(1, length)] + [end]
	return "".join(f"{here} CNAME {there}\n" for here, there in zip(steps, steps[1:]))


def announced(name, number=1):
	return f'_mta-sts.{name} TXT "v=STSv1; id={number};"\nmta-sts.{name} A POLICYHOST\n'


SIGNED = f"""$TTL 60
mx1 {HOST}
mx2 A 127.0.0.22
bare A 127.0.0.23
odd A 127.0.0.24
_25._tcp.mx1 {USABLE}
_25._tcp.mx2 {ANCHORED}
_25._tcp.odd {PKIX}
all MX 10 mx1
all MX 20 mx2
half MX 10 mx1
half MX 20 bare
none MX 10 bare
pkix MX 10 odd
weak MX 10 weak.mx
weak.mx {HOST}
_25._tcp.weak.mx TLSA 3 1 255 abcd
_25._tcp.weak.mx TLSA 3 9 1 {"ab" * 32}
null MX 0 .
implicit {HOST}
_25._tcp.implicit {USABLE}
alias CNAME all
nowhere MX 10 no-such-host
nowhere MX 20 mx1
literal MX 10 192.0.2.1.
expands MX 10 to-target
to-target CNAME target
target {HOST}
_25._tcp.target {USABLE}
original MX 10 to-bare
to-bare CNAME bare
_25._tcp.to-bare {USABLE}
both MX 10 to-both
to-both CNAME mx1
_25._tcp.to-both {ANCHORED}
middle MX 10 first
first CNAME second
second CNAME bare
_25._tcp.second {USABLE}
leaves MX 10 abroad
abroad CNAME mx.unsigned.test.
_25._tcp.abroad {USABLE}
astray MX 10 abroad2
abroad2 CNAME mx.unsigned.test.
shared MX 10 shares
shares {HOST}
_25._tcp.shares CNAME _25._tcp.mx1
lent MX 10 lends
lends {HOST}
_25._tcp.lends CNAME _25._tcp.mx.unsigned.test.
loop CNAME loop2
loop2 CNAME loop
far MX 10 mx.failing.test.
far MX 20 mx1
bent MX 10 bends
bends CNAME mx.failing.test.
dname DNAME unsigned-not
xn--bcher-kva MX 10 mx.xn--bcher-kva
mx.xn--bcher-kva {HOST}
_25._tcp.mx.xn--bcher-kva {USABLE}
xn--ls8h MX 10 mx.xn--ls8h
mx.xn--ls8h {HOST}
_25._tcp.mx.xn--ls8h {USABLE}
ab--cd.xn--mnchen-3ya MX 10 ab--cd.xn--mnchen-3ya
ab--cd.xn--mnchen-3ya {HOST}
_25._tcp.ab--cd.xn--mnchen-3ya {USABLE}
odd-names MX 10 -mx
odd-names MX 20 mx1
-mx {HOST}
tlsa-fails MX 10 mx.tlsa-fails
tlsa-fails MX 20 mx1
mx.tlsa-fails {HOST}
_25._tcp.mx.tlsa-fails {USABLE}
alone MX 10 mx.alone
mx.alone {HOST}
_25._tcp.mx.alone {USABLE}
half-address MX 10 mx.half-address
mx.half-address {HOST}
_25._tcp.mx.half-address {USABLE}
refused MX 10 mx.refused
mx.refused {HOST}
_25._tcp.mx.refused {USABLE}
formerr MX 10 mx.formerr
mx.formerr {HOST}
_25._tcp.mx.formerr {USABLE}
silent MX 10 mx.silent
mx.silent {HOST}
_25._tcp.mx.silent {USABLE}
denied MX 10 mx.denied
mx.denied {HOST}
_25._tcp.mx.denied {USABLE}
only-six MX 10 mx.only-six
mx.only-six AAAA 2001:db8::25
_25._tcp.mx.only-six {USABLE}
half-nothing MX 10 mx.half-nothing
mx.half-nothing TXT "no address"
_25._tcp.mx.half-nothing {USABLE}
homeless MX 10 mx.homeless
mx.homeless TXT "no address"
nothing TXT "neither MX nor address"
half-beside MX 10 mx.half-nothing
half-beside MX 20 mx1
half-sts MX 10 mx.half-sts
mx.half-sts {HOST}
beside-sts MX 10 mx.half-nothing
beside-sts MX 20 bare
tlsa-sts MX 10 mx.tlsa-fails
tlsa-sts MX 20 bare
order MX 10 mx.order
mx.order {HOST}
_25._tcp.mx.order {USABLE}
txt-fails MX 10 bare
_mta-sts.txt-fails TXT "v=STSv1; id=1;"
insecure-mx MX 10 mx1
dane-sts MX 10 mx1
unlisted MX 10 mx1
pkix-sts MX 10 odd
none-sts MX 10 bare
halfsts MX 10 mx1
halfsts MX 20 bare
""" + "".join(f"many MX {10 + n} mx1-{n}\nmx1-{n} {HOST}\n_25._tcp.mx1-{n} {USABLE}\n" for n in range(40)) + "".join(
	f"toomany MX {10 + n} mx1-{n % 40}\n" for n in range(70)) + chain("short", 3, "all") + chain("long", 2000, "all") + (
	"").join(announced(name) for name in ("dane-sts", "unlisted", "pkix-sts", "none-sts", "halfsts", "half-sts", "beside-sts",
	"tlsa-sts")) + "".join(
	f"d{n} MX 10 mx1\n" for n in range(20))

UNSIGNED = f"""$TTL 60
@ MX 10 mx
mx {HOST}
_25._tcp.mx {USABLE}
provider MX 10 mx1.signed.test.
wild MX 10 mx
""" + announced("held") + "held MX 10 mx\n" + announced("wild") + announced("late") + "late MX 10 mx\n" + (
	announced("tested") + "tested MX 10 mx\n") + (
	announced("xn--ls8h") + f"xn--ls8h MX 10 mx.xn--ls8h\nmx.xn--ls8h {HOST}\n")

FLIPS = f"$TTL 1\n@ MX 10 mx\nmx {HOST}\n"
ZONES = {"signed.test": SIGNED, "unsigned.test": (UNSIGNED, "insecure"), "bogus.test": (f"@ MX 10 mx\nmx {HOST}\n", "bogus"),
	"expired.test": (f"@ MX 10 mx\nmx {HOST}\n", "expired"), "keyless.test": f"@ MX 10 mx\nmx {HOST}\n", "failing.test": ("", "failing"), "flips.test": FLIPS}


STS = {"dane-sts": "mx1.signed.test", "unlisted": "other.test", "pkix-sts": "odd.signed.test",
	"none-sts": "bare.signed.test", "halfsts": "*.signed.test", "half-sts": "*.half-sts.signed.test",
	"beside-sts": "*.signed.test", "tlsa-sts": "*.signed.test"}


@cache
def service():
	made = PolicyLab(lab, ZONES, [f"{name}.signed.test" for name in STS] +
		["held.unsigned.test", "wild.unsigned.test", "late.unsigned.test", "xn--ls8h.unsigned.test", "tested.unsigned.test"], start=False)
	made.zones.silence("dead.test")
	made.conf = made.zones.unbound_conf(server=made.watch.place)
	faults = made.watch.faults
	faults["_25._tcp.mx.tlsa-fails.signed.test", "TLSA"] = "servfail"
	faults["_25._tcp.mx.alone.signed.test", "TLSA"] = "servfail"
	for name in ("half-address", "half-nothing", "half-sts"):
		faults[f"mx.{name}.signed.test", "AAAA"] = "servfail"
	for name in ("refused", "formerr", "silent", "denied"):
		faults[f"mx.{name}.signed.test", "AAAA"] = name
	faults["mx.only-six.signed.test", "A"] = "servfail"
	faults["_mta-sts.txt-fails.signed.test", "TXT"] = "servfail"
	for kind in ("MX", "A", "TLSA", "NS", "SOA"):
		faults["unsigned.test", kind] = faults["_25._tcp.mx.unsigned.test", kind] = "ad"
	faults["keyless.test", "DNSKEY"] = "servfail"
	for name, pattern in STS.items():
		made.host.site(f"{name}.signed.test", enforce(pattern))
	made.host.site("wild.unsigned.test", policy("enforce", "mx.unsigned.test", "*.spare.test"))
	made.host.site("tested.unsigned.test", policy("testing", "mx.unsigned.test"))
	made.host.site("xn--ls8h.unsigned.test", enforce("mx.xn--ls8h.unsigned.test"))
	made.gate = made.new_gate()
	return made


# ---- verdicts: what Postfix is told, what the operator is told ----

DANE_ONLY, DANE, NOTFOUND = "OK dane-only", "OK dane", "NOTFOUND"
BAD_MX = "TEMP the MX lookup"

VERDICTS = (
	# ids and name, domain, QUERY, exit code of show, what must hold of the hosts in the order of preference
	("[7672-2.1.2-3 6698-4.1-1 6698-4.1-2] usable TLSA records everywhere", "all.signed.test", DANE_ONLY, PROTECTED,
		[{"level": "dane", "dane": "usable"}] * 2),
	("[7672-2.2.1-8] some hosts with TLSA records, others without", "half.signed.test", DANE, NOT_PROTECTED,
		[{"level": "dane"}, {"level": "opportunistic", "dane": "not-applicable"}]),
	("[7672-2.1.1-7] a secure denial of TLSA records is an answer", "none.signed.test", NOTFOUND, NOT_PROTECTED,
		[{"level": "opportunistic", "address-provenance": "secure"}]),
	("[7672-3.1.3-2 7671-5.3-1 7671-5.4-1 6698-2.1.1-3] usages 0 and 1 cannot be used: unauthenticated TLS", "pkix.signed.test",
		DANE, NOT_PROTECTED, [{"level": "encrypt", "dane": "unusable", "result-type": "tlsa-invalid"}]),
	("[6698-4.1-8] nor can digests and unknown selectors", "weak.signed.test", DANE, NOT_PROTECTED,
		[{"level": "encrypt", "dane": "unusable"}]),
	("a domain that takes no mail", "null.signed.test", NOTFOUND, NOT_PROTECTED, []),
	("a domain that does not exist", "no-such.signed.test", NOTFOUND, NOT_PROTECTED, []),
	("a domain whose only mail host has no address takes no mail, and that is final", "homeless.signed.test", NOTFOUND,
		NOT_PROTECTED, [{"level": "skip", "dane": "unreachable"}]),
	("so does one without MX record and address", "nothing.signed.test", NOTFOUND, NOT_PROTECTED,
		[{"name": "nothing.signed.test", "level": "skip", "dane": "unreachable"}]),
	("without MX record the domain is its own host", "implicit.signed.test", DANE_ONLY, PROTECTED,
		[{"name": "implicit.signed.test", "level": "dane"}]),
	("[7672-2.2.1-7] an alias of the domain leads to its MX records", "alias.signed.test", DANE_ONLY, PROTECTED,
		[{"name": "mx1.signed.test", "names": ["mx1.signed.test", "alias.signed.test", "all.signed.test"]}, {}]),
	("[7672-2.1.3-3] a chain of three aliases is followed", "short.signed.test", DANE_ONLY, PROTECTED,
		[{"level": "dane"}] * 2),
	("[7672-2.1.3-1] aliases in a circle are no answer", "loop.signed.test", BAD_MX, CANNOT_TELL, []),
	("[7672-2.2.2-3 7672-2.1.2-2] a host without address is left out, others are not", "nowhere.signed.test", DANE_ONLY,
		PROTECTED, [{"level": "skip", "dane": "unreachable"}, {"level": "dane"}]),
	("[7672-2.1.2-2 7672-2.1.3-1] so is one whose address lookup fails", "far.signed.test", DANE, PROTECTED,
		[{"level": "skip", "dane": "unknown", "address-provenance": "error"}, {"level": "dane"}]),
	("[7672-2.1.3-1] an alias to a name that cannot be looked up is no answer", "bent.signed.test", DANE, CANNOT_TELL,
		[{"level": "skip", "dane": "unknown"}]),
	("[7672-2.2.2-7 7671-7-1 7671-7-2 7671-7-4] the target of an alias is base, SNI and first name", "expands.signed.test",
		DANE_ONLY, PROTECTED, [{"name": "to-target.signed.test", "sni": "target.signed.test",
		"names": ["target.signed.test", "expands.signed.test"]}]),
	("[7672-2.2.3-3 7671-7-3 7672-2.2.2-5] without TLSA records there the alias itself is", "original.signed.test",
		DANE_ONLY, PROTECTED, [{"sni": "to-bare.signed.test"}]),
	("[7672-2.2.3-2 7672-2.2.2-5] with TLSA records at both the target is", "both.signed.test", DANE_ONLY, PROTECTED,
		[{"sni": "mx1.signed.test"}]),
	("[7672-2.2.3-4] an alias in the midst never is", "middle.signed.test", NOTFOUND, NOT_PROTECTED,
		[{"level": "opportunistic", "dane": "not-applicable"}]),
	("[7672-2.2.2-4] a secure alias to an insecure target is its own base", "leaves.signed.test", DANE_ONLY, PROTECTED,
		[{"sni": "abroad.signed.test", "address-provenance": "insecure"}]),
	("[7672-2.1.3-2 6698-4.1-4] TLSA records of the insecure target do not count", "astray.signed.test", NOTFOUND,
		NOT_PROTECTED, [{"level": "opportunistic"}]),
	("[7672-2.2.3-5] an alias at the TLSA owner leaves the base alone", "shared.signed.test", DANE_ONLY, PROTECTED,
		[{"sni": "shares.signed.test", "names": ["shares.signed.test", "shared.signed.test"]}]),
	("[7672-2.1.3-2 6698-4.1-4] one that leads into an unsigned zone brings no records", "lent.signed.test", NOTFOUND,
		NOT_PROTECTED, [{"level": "opportunistic"}]),
	("[7672-2.2-8] an MX record that holds an address has no DANE", "literal.signed.test", NOTFOUND, NOT_PROTECTED,
		[{"level": "opportunistic", "address-provenance": "not-asked"}]),
	("[7672-2.1.2-4 7672-2.2.1-9] a TLSA lookup that fails takes out that host alone", "tlsa-fails.signed.test", DANE,
		PROTECTED, [{"level": "skip", "dane": "unknown"}, {"level": "dane"}]),
	("[7672-2.1.2-5 7672-2.1.1-6] when it is the only host, nothing goes in cleartext", "alone.signed.test", DANE,
		CANNOT_TELL, [{"level": "skip", "dane": "unknown"}]),
	*((f"[7672-2.2.2-6] AAAA {what} though A does not: the host is used", f"{name}.signed.test", DANE_ONLY, PROTECTED,
		[{"level": "dane", "addresses": ["127.0.0.21"], "address-provenance": "secure"}]) for what, name in (
		("fails", "half-address"), ("is refused", "refused"), ("is malformed to the server", "formerr"),
		("is silent", "silent"), ("is denied without proof", "denied"))),
	("[7672-2.2.2-6] A fails though AAAA does not: the host is used", "only-six.signed.test", DANE_ONLY, PROTECTED,
		[{"level": "dane", "addresses": ["2001:db8::25"]}]),
	("[7672-2.2.2-6] one family fails and the other is empty: that is for the time being", "half-nothing.signed.test", DANE,
		CANNOT_TELL, [{"level": "skip", "dane": "unknown", "address-provenance": "error"}]),
	("[7672-2.2.2-6] such a host beside a healthy one", "half-beside.signed.test", DANE, PROTECTED,
		[{"level": "skip", "dane": "unknown"}, {"level": "dane"}]),
	("one family fails, no TLSA records, MTA-STS enforced", "half-sts.signed.test",
		"OK secure match=.half-sts.signed.test servername=hostname", PROTECTED, [{"level": "pkix"}]),
	("a host without address for the time being beside a healthy one, MTA-STS enforced", "beside-sts.signed.test",
		"OK secure match=bare.signed.test servername=hostname", PROTECTED, [{"level": "skip"}, {"level": "pkix"}]),
	("[8461-2-1] a TLSA lookup that fails beside a healthy host, MTA-STS enforced: Postfix waits, and show says so",
		"tlsa-sts.signed.test", DANE_ONLY, CANNOT_TELL, [{"level": "skip"}, {"level": "pkix"}]),
	("[6698-3-2] names beyond ASCII are A-labels", "xn--bcher-kva.signed.test", DANE_ONLY, PROTECTED,
		[{"sni": "mx.xn--bcher-kva.signed.test"}]),
	("an A-label that IDNA 2008 refuses is a name of the DNS", "xn--ls8h.signed.test", DANE_ONLY, PROTECTED,
		[{"sni": "mx.xn--ls8h.signed.test"}]),
	("so are hyphens in third and fourth place", "ab--cd.xn--mnchen-3ya.signed.test", DANE_ONLY, PROTECTED,
		[{"sni": "ab--cd.xn--mnchen-3ya.signed.test"}]),
	("an MTA-STS policy of such a domain, whose policy host has a certificate", "xn--ls8h.unsigned.test",
		"OK secure match=mx.xn--ls8h.unsigned.test servername=hostname", PROTECTED, [{"level": "pkix"}]),
	("an MX record whose host no mail can go to is left out, as Postfix does", "odd-names.signed.test", DANE_ONLY, PROTECTED,
		[{"name": "mx1.signed.test"}]),
	("forty hosts", "many.signed.test", DANE_ONLY, PROTECTED, [{"level": "dane"}] * 40),
	("[7672-2.1.1-5 6698-4.1-4 7672-2.1.1-3 6698-4.1-5] an unsigned domain, whatever the AD bit says", "unsigned.test",
		NOTFOUND, NOT_PROTECTED, [{"level": "opportunistic", "address-provenance": "insecure"}]),
	("[7672-2.2.1-4] an insecure MX record that points into a signed zone", "provider.unsigned.test", NOTFOUND,
		NOT_PROTECTED, [{"name": "mx1.signed.test", "level": "opportunistic"}]),
	("[7672-2.1.2-1 7672-2.1.1-1] a bogus domain", "bogus.test", BAD_MX + " is bogus", CANNOT_TELL, []),
	("[7672-2.1.1-6] signatures that cannot be judged, because the keys are not to be had", "keyless.test", BAD_MX, CANNOT_TELL, []),
	("[7672-2.1.2-1 7672-2.1.1-1] signatures that have expired", "expired.test", BAD_MX + " is bogus", CANNOT_TELL, []),
	("[7672-2.1.2-1 7672-2.1.2-5] a server that fails", "failing.test", BAD_MX + " failed", CANNOT_TELL, []),
	("[7672-2.1.2-1 7672-2.1.2-5] a server that is dead", "dead.test", BAD_MX + " failed", CANNOT_TELL, []),
	("a TXT lookup that fails, and nothing is kept", "txt-fails.signed.test", NOTFOUND, NOT_PROTECTED,
		[{"level": "opportunistic"}]),
	("[X-DANE-STS-2] unusable TLSA records do not switch MTA-STS off", "pkix-sts.signed.test",
		"OK secure match=odd.signed.test servername=hostname", PROTECTED, [{"level": "pkix", "dane": "unusable"}]),
	("[9325-3.2-6] MTA-STS where there is no DANE", "none-sts.signed.test",
		"OK secure match=bare.signed.test servername=hostname", PROTECTED, [{"level": "pkix"}]),
	("where both are DANE decides", "dane-sts.signed.test", DANE_ONLY, PROTECTED,
		[{"level": "dane", "mta-sts-listed": True}]),
	("also for a host that the policy does not list", "unlisted.signed.test", DANE_ONLY, PROTECTED,
		[{"level": "dane", "mta-sts-listed": False}]),
	("with both and some hosts without TLSA records Postfix uses the others", "halfsts.signed.test", DANE_ONLY, PROTECTED,
		[{"level": "dane"}, {"level": "pkix"}]),
)


def verdict(name, domain, answer, code, hosts):
	@test(name)
	def _():
		said = service().ask(domain)
		equal(said[:len(answer)] if answer.startswith("TEMP") else said, answer)
		done = service().run("show", domain, "--json", "--fresh", check=False)
		equal(done.returncode, code)
		shown = json.loads(done.stdout)
		reasons = [part["reason"] for part in (shown, shown["mta-sts"], shown["postfix"], *shown["hosts"])]
		equal([reason for reason in reasons if not re.search(r"RFC \d+ section \d", reason)], [])
		found = shown["hosts"]
		equal([{key: host[key] for key in wanted} for host, wanted in zip(found, hosts)], hosts)
		equal(len(found), len(hosts))


for one in VERDICTS:
	verdict(*one)


@test("what became of MTA-STS is said: the lookup failed, there is no record, testing")
def _():
	for domain, record, parts in (("txt-fails.signed.test", "failed", ["could not be looked up", "RFC 8461 section 3.3"]),
			("none.signed.test", "none", ["there is no valid MTA-STS record", "RFC 8461 section 3.1"]),
			("tested.unsigned.test", "found", ["testing mode", "RFC 8461 section 5"])):
		found = service().show(domain)
		equal((domain, found["mta-sts"]["record"]), (domain, record))
		for part in parts:
			contains(found["mta-sts"]["reason"], part)
			contains(found["postfix"]["reason"], part)


@test("[7672-2.1.3-3] a chain of aliases that does not seem to end is not followed")
def _():
	# a second question would find the first part of it in the cache
	contains(service().ask("long.signed.test"), BAD_MX)


@test("[7672-2.2.2-6] show names the lookup that failed, and the family")
def _():
	found = service().show("half-nothing.signed.test")
	contains(found["postfix"]["reason"], "an address lookup failed")
	contains(found["hosts"][0]["reason"], "the address lookup failed")
	contains(found["hosts"][0]["why"], "AAAA: the name servers failed")
	contains(service().show("alone.signed.test")["postfix"]["reason"], "a TLSA lookup failed")
	contains(service().show("half-address.signed.test")["hosts"][0]["why"], "AAAA: ")
	contains(service().show("tlsa-sts.signed.test")["reason"], "a TLSA lookup failed")


@test("more MX records than anybody looks at are told")
def _():
	equal(service().ask("toomany.signed.test"), DANE_ONLY)
	equal(service().show("toomany.signed.test")["mx"]["too-many"], True)


@test("[7672-2.1.3-4] names below a DNAME are what they stand for")
def _():
	service().set("flips.test", FLIPS + f"below.tree MX 10 mx\nbranch DNAME tree\n_25._tcp.mx {USABLE}\n")
	equal(service().ask("below.branch.flips.test"), DANE_ONLY)
	equal(service().show("below.branch.flips.test")["mx"]["next-hop"], "below.tree.flips.test")


@test("[7672-2.2.2-1 6698-4.1-13] addresses are asked for first, then TLSA of _25._tcp and the host")
def _():
	service()
	start = len(service().watch.asked)
	equal(service().ask("order.signed.test"), DANE_ONLY)
	asked = [(name, kind) for name, kind in service().watch.asked[start:] if name.endswith("mx.order.signed.test")]
	equal(asked.index(("_25._tcp.mx.order.signed.test", "TLSA")) > asked.index(("mx.order.signed.test", "AAAA")), True)


@test("[7672-2.2.2-2] TLSA records are not asked for where addresses are insecure")
def _():
	start = len(service().watch.asked)
	equal(service().ask("wild.unsigned.test"), "OK secure match=mx.unsigned.test:.spare.test servername=hostname")
	service().show("wild.unsigned.test")
	equal([name for name, kind in service().watch.asked[start:] if kind == "TLSA"], [])


@test("[6698-8.2-1 6698-8.2-2] an answer lives as long as its records, and then the DNS is asked again")
def _():
	service().set("flips.test", FLIPS)
	eventually(lambda: service().ask("flips.test") == NOTFOUND, "no TLSA records")
	service().set("flips.test", FLIPS + f"_25._tcp.mx {USABLE}\n")
	eventually(lambda: service().ask("flips.test") == DANE_ONLY, "the records to be seen")
	equal(service().show("flips.test")["ttl"] <= 1, True)
	count = service().watch.count("all.signed.test", "MX")
	for _ in range(10):
		equal(service().ask("all.signed.test"), DANE_ONLY)
	equal(service().watch.count("all.signed.test", "MX"), count)


# ---- words of the protocol ----


@test("[X-PFX-1] QUERY has what Postfix 3.4 knows, QUERYwithTLSRPT what 3.10 reports")
def _():
	domain = "wild.unsigned.test"
	equal(service().ask(domain, QUERY), "OK secure match=mx.unsigned.test:.spare.test servername=hostname")
	equal(service().ask(domain, TLSRPT), "OK secure match=mx.unsigned.test:.spare.test servername=hostname policy_type=sts "
		f"policy_domain={domain} {{ policy_string = version: STSv1 }} {{ policy_string = mode: enforce }} "
		"{ policy_string = mx: mx.unsigned.test } { policy_string = mx: *.spare.test } { policy_string = max_age: 604800 } "
		"mx_host_pattern=mx.unsigned.test mx_host_pattern=*.spare.test")
	equal(service().ask("dane-sts.signed.test", TLSRPT), DANE_ONLY)
	found = service().show(domain)["postfix"]
	equal([f"OK {found[name]}" for name in (QUERY, TLSRPT)], [service().ask(domain, name) for name in (QUERY, TLSRPT)])


@test("a policy that lists none of the hosts is reported as failed where Postfix can")
def _():
	service().host.site("held.unsigned.test", enforce("elsewhere.test"))
	equal(service().ask("held.unsigned.test"), "OK secure match=elsewhere.test servername=hostname")
	contains(service().ask("held.unsigned.test", TLSRPT), " policy_failure=validation-failure")
	equal(service().run("show", "held.unsigned.test", check=False).returncode, CANNOT_TELL)
	service().run("purge", "held.unsigned.test")


@test("[X-PFX-1] Postfix's own client understands each answer")
def _():
	for domain, said in (("all.signed.test", "dane-only"), ("half.signed.test", "dane"), ("none.signed.test", ""),
			("none-sts.signed.test", "secure match=bare.signed.test servername=hostname")):
		equal(service().postmap(domain), said)
	contains(service().postmap("bogus.test"), "temporary error: the MX lookup is bogus")
	contains(service().postmap("all.signed.test", "NOSUCH"), "permanent error: there is no such map")
	contains(service().postmap("none-sts.signed.test", TLSRPT), "policy_type=sts")


@test("[7672-2.2-8] parents, hosts in brackets and addresses are NOTFOUND, without a question to the DNS")
def _():
	service().ask("all.signed.test")
	start = len(service().watch.asked)
	with service().client() as client:
		for key in (".signed.test", ".", "", "[mx1.signed.test]", "[mx1.signed.test]:25", "[192.0.2.1]",
				"[IPv6:2001:db8::1]", "192.0.2.1", "all.signed.test:587", "a b", "a..b", "x" * 300, "bad_/name.test"):
			equal(client.ask(key), NOTFOUND)
	equal(service().watch.asked[start:], [])


@test("a name may be written in any case, with a dot behind it, or in UTF-8")
def _():
	for key in ("ALL.Signed.Test", "all.signed.test."):
		equal(service().ask(key), DANE_ONLY)
	equal(service().ask("bücher.signed.test"), DANE_ONLY)
	equal(service().ask("💩.signed.test"), DANE_ONLY)


@test("a name that Postfix can convert and libidn2 cannot is TEMP, with a line in the log, and show says so")
def _():
	mark = service().gate.mark()
	contains(service().ask("faß💩.signed.test"), "TEMP a character of this name cannot be converted")
	equal(service().gate.wait_for("policy-temp", mark)["domain"], "faß💩.signed.test")
	done = service().run("show", "faß💩.signed.test", check=False)
	equal(done.returncode, CANNOT_TELL)
	contains(done.stderr, "write the domain as an A-label")


@test("override and purge take the names that Postfix takes")
def _():
	name = "xn--9q8h.signed.test"
	service().run("override", "👻.signed.test", "may", "--until", "1h", "--reason", "test")
	equal(service().ask(name), "OK may")
	service().run("override", name, "off")
	service().run("purge", name)
	equal(service().ask(name), NOTFOUND)


@test("an unknown map is PERM")
def _():
	# users of postfix-tlspol write it in small letters
	equal([service().ask("all.signed.test", name) for name in ("query", "Query", "querywithtlsrpt")], [DANE_ONLY] * 3)
	contains(service().ask("all.signed.test", "queries"), "PERM there is no such map")


@test("requests in one packet are answered in their order, though the first has to wait")
def _():
	site = service().host.site("held.unsigned.test", enforce("mx.unsigned.test"), held=True)
	with service().client() as client:
		client.send(netstring("QUERY held.unsigned.test") + netstring("QUERY .x") + netstring("NOSUCH x") +
			netstring("QUERY all.signed.test"))
		site.wait_count(site.count or 1)
		site.release()
		equal(client.reply(), "OK secure match=mx.unsigned.test servername=hostname")
		equal(client.reply(), NOTFOUND)
		contains(client.reply(), "PERM")
		equal(client.reply(), DANE_ONLY)
	service().run("purge", "held.unsigned.test")


@test("a request may come byte by byte")
def _():
	with service().client() as client:
		for byte in netstring("QUERY all.signed.test"):
			client.send(bytes([byte]))
		equal(client.reply(), DANE_ONLY)


@test("what is no netstring closes that connection, and no other")
def _():
	with service().client() as other:
		for wrong in (b"QUERY all.signed.test\n", b"05:QUERY,", b"5:QUERYx", b"-1:x,", b"99999999:QUERY", b"10001:QUERY x",
				b":,", b"0:,"):
			with service().client() as client:
				equal((wrong, client.say_all(wrong)), (wrong, b""))
		with service().client() as client:
			client.send(netstring("QUERY .first") + b"nonsense")
			equal(client.rest(), netstring("NOTFOUND "))
		equal(other.ask("all.signed.test"), DANE_ONLY)


@test("a hundred clients that ask for one domain at once are one inquiry, and one GET")
def _():
	service().run("purge", "held.unsigned.test")
	site = service().host.site("held.unsigned.test", enforce("mx.unsigned.test"), held=True)
	before, queries, mark = site.count, service().gate.counter("policy-queries"), service().gate.mark()
	clients = [service().client() for _ in range(100)]
	for client in clients:
		client.request("held.unsigned.test")
	site.wait_count(before + 1)
	# one that leaves takes nothing from the others
	clients.pop().close()
	other = service().client()
	equal(other.ask(".late"), NOTFOUND)
	site.release()
	equal({client.reply() for client in clients}, {"OK secure match=mx.unsigned.test servername=hostname"})
	equal(site.count, before + 1)
	service().gate.wait_for("policy-verdict", mark, domain="held.unsigned.test")
	equal(steady(lambda: len(service().gate.events("policy-verdict", mark, domain="held.unsigned.test"))), 1)
	equal(service().gate.counter("policy-queries") >= queries + 99, True)


@test("the DNS is late: TEMP by a deadline of our own, and the log says why")
def _():
	name = "d1.signed.test"
	service().watch.faults[name, "MX"] = "silent"
	address = lab.address(8461)
	gate = service().new_gate("hasty", policy=service().policy | {"answer_time": "900ms", "addresses": [address]})
	with Socketmap(address) as client:
		contains(client.ask(name), "TEMP the MX lookup failed")
	equal(gate.wait_for("policy-temp", domain=name)["detail"], "no answer in time")
	gate.stop()


@test("in testing mode each map has its answer from memory, too, if the level of Postfix is stated to be may")
def _():
	service().gate.reload(policy=service().policy | {"smtp_tls_security_level": "may"})
	cached = service().status()["policy-cached"]
	for _ in range(3):
		contains(service().ask("tested.unsigned.test", TLSRPT), "OK may policy_type=sts policy_domain=tested.unsigned.test ")
		equal(service().ask("tested.unsigned.test"), NOTFOUND)
	equal(service().status()["policy-cached"] - cached > 3, True)
	service().gate.reload(policy=service().policy)


@test("unix sockets have the mode and the group that are configured, and answer")
def _():
	path = lab.path("pf.sock")
	group = grp.getgrgid(os.getgid()).gr_name
	for mode in ("0666", "0600"):
		gate = service().new_gate("unix", policy=service().policy | {"addresses": [f"unix:{path}"], "socket_mode": mode,
			"socket_group": group})
		found = os.stat(path)
		equal((oct(found.st_mode), found.st_gid), (oct(stat.S_IFSOCK | int(mode, 8)), os.getgid()))
		with UnixSocketmap(path) as client:
			equal(client.ask("all.signed.test"), DANE_ONLY)
		gate.stop()


# ---- the operator ----


def in_years(years):
	"""A day that exists in each year."""
	now = time.gmtime()
	return f"{now.tm_year + years}-{now.tm_mon:02}-{min(now.tm_mday, 28):02}"


@test("an override holds until its day, says who wanted it, and ends in time")
def _():
	domain = "d2.signed.test"
	equal(service().ask(domain), DANE_ONLY)
	day = in_years(2)
	service().run("override", domain, "may", "--until", day, "--reason", "wrong TLSA, ticket 7")
	equal(service().ask(domain), "OK may")
	equal(service().listed(domain)["override"], {"level": "may", "reason": "wrong TLSA, ticket 7",
		"until": f"{day}T23:59:59.000Z"})
	contains(service().run("list").stdout, f"override may until {day}T23:59:59.000Z: wrong TLSA, ticket 7")
	service().run("override", domain, "encrypt protocols=>=TLSv1.2", "--until", "7d", "--reason", "again")
	equal(service().ask(domain), "OK encrypt protocols=>=TLSv1.2")
	service().run("override", domain, "off")
	equal((service().ask(domain), service().listed(domain)), (DANE_ONLY, None))


@test("an override wants a level, a reason and a day to come")
def _():
	for words in (["may", "--reason", "x"], ["may", "--until", "7d"], ["may", "--until", "2001-01-01", "--reason", "x"],
			["sometimes", "--until", "7d", "--reason", "x"], ["may", "--until", "7d", "--reason", ""],
			["may", "--until", "soon", "--reason", "x"]):
		equal((words, service().run("override", "d2.signed.test", *words, check=False).returncode), (words, EX_USAGE))
	equal(service().listed("d2.signed.test"), None)


# level, years, what is said
REFUSED = (
	("secure match=", 0, "match= needs a value"),
	("may { protocols = >=TLSv1.2", 0, "do not match"),
	("may match=mx.example.org", 0, "match= is not allowed at the level may"),
	("encrypt cipher=high", 0, '"cipher" is no attribute'),
	("may", 11, "an override lasts at most 10 years"),
)


@test("an override that Postfix would refuse, or of more than ten years, is refused by the command and by the service")
def _():
	domain = "d2.signed.test"
	for level, years, why in REFUSED:
		done = service().run("override", domain, level, "--until", in_years(years) if years else "1d", "--reason", "x", check=False)
		equal((level, done.returncode), (level, EX_USAGE))
		contains(done.stderr, why)
		with service().admin() as client:
			said = client.ask(f"{domain} {int(time.time()) + 86400 + years * 366 * 86400} {level}\nx", "OVERRIDE")
		equal(said[:5], "PERM ")
		contains(said, why)
	equal((service().listed(domain), service().ask(domain)), (None, DANE_ONLY))
	service().run("override", domain, "may", "--until", in_years(10), "--reason", "x")
	equal(service().ask(domain), "OK may")
	service().run("override", domain, "off")


@test("show says in words what it says in JSON, also when no service runs")
def _():
	text = service().run("show", "half.signed.test", check=False).stdout
	for part in ("half.signed.test: not protected", "mx1.signed.test (preference 10)", "+ 3 1 1 abab", "Answer to Postfix", "dane"):
		contains(text, part)
	conf = lab.write("alone.conf", config_text({"server": service().gate.groups["server"] | {"run_dir": lab.path("nowhere")},
		"dns": service().dns, "policy": service().policy}))
	done = gatepost(lab, "policy", "show", "-c", conf, "none-sts.signed.test", "--json")
	equal(done.returncode, PROTECTED)
	equal(json.loads(done.stdout)["postfix"]["QUERY"], "secure match=bare.signed.test servername=hostname")


@test("counters add up to the questions")
def _():
	def count():
		"""How the counters grow; nothing when an answer had no second left of its time to live, and was not kept."""
		before = service().status()
		for key in ("all.signed.test", "half.signed.test", "none.signed.test", "none-sts.signed.test"):
			for _ in range(2):
				service().ask(key)
		now = service().status()
		grown = {name: now[name] - before[name] for name in now if name.startswith("policy-") and now[name] != before[name]}
		grown.pop("policy-domains", None)
		return grown if grown.pop("policy-cached", 0) >= 4 else None

	equal(eventually(count, "answers from memory"),
		{"policy-queries": 8, "policy-dane-only": 2, "policy-dane": 2, "policy-notfound": 2, "policy-secure": 2})


@test("the log says each verdict, why mail waits, and where DANE goes over MTA-STS")
def _():
	gate = service().gate
	service().run("purge", "--all")
	mark = gate.mark()
	for domain in ("all.signed.test", "bogus.test", "unlisted.signed.test"):
		service().ask(domain)
	equal(gate.wait_for("policy-verdict", mark, domain="all.signed.test")["answer"], "dane-only")
	contains(gate.wait_for("policy-temp", mark, domain="bogus.test")["detail"], "validation failure")
	equal(gate.wait_for("sts-overridden-by-dane", mark, domain="unlisted.signed.test")["host"], "mx1.signed.test")


# ---- settings ----


@test("a reload changes how long the DNS has")
def _():
	name = "d19.signed.test"
	service().watch.faults[name, "MX"] = "silent"
	service().gate.reload(policy=service().policy | {"answer_time": "900ms"})
	begin = time.monotonic()
	contains(service().ask(name), "TEMP the MX lookup failed")
	equal(time.monotonic() - begin < 6, True)
	del service().watch.faults[name, "MX"]
	service().gate.reload(policy=service().policy)


@test("an answer from a policy that was purged while the DNS was asked is not kept")
def _():
	name, faults = "late.unsigned.test", service().watch.faults
	service().host.site(name, enforce("mx.unsigned.test"))
	contains(service().run("refresh", name).stdout, "enforce")
	faults[name, "MX"] = "silent"
	with service().client() as client:
		before = service().watch.count("_mta-sts." + name, "TXT")
		client.request(name)
		eventually(lambda: service().watch.count("_mta-sts." + name, "TXT") > before, "a question for the record")
		eventually(lambda: service().listed(name)["policy"]["id"] == "1", "the announced policy")
		service().run("purge", name)
		service().host.site(name, enforce("*.unsigned.test"))
		del faults[name, "MX"]
		# it was asked before the purge
		equal(client.reply(), "OK secure match=mx.unsigned.test servername=hostname")
	equal(service().ask(name), "OK secure match=.unsigned.test servername=hostname")


@test("[7672-2.2-7 7672-2.2.1-3 7672-6-1] where DANE is mandatory a domain without waits; a reload does it")
def _():
	domains = ("unsigned.test", "none.signed.test", "all.signed.test")
	equal([service().ask(domain) for domain in domains], [NOTFOUND, NOTFOUND, DANE_ONLY])
	service().gate.reload(policy=service().policy | {"dane_mandatory": True})
	equal([service().ask(domain) for domain in domains], [DANE_ONLY] * 3)
	host, = service().show("none.signed.test")["hosts"]
	equal((host["level"], host["result-type"]), ("skip", "dane-required"))
	equal(service().run("show", "unsigned.test", check=False).returncode, CANNOT_TELL)
	service().gate.reload(policy=service().policy)
	equal([service().ask(domain) for domain in domains], [NOTFOUND, NOTFOUND, DANE_ONLY])


@test("[7672-2.2.1-4] TLSA records of a host that an insecure MX record names, if the operator wants them")
def _():
	service().gate.reload(policy=service().policy | {"dane_insecure_mx": True})
	equal(service().ask("provider.unsigned.test"), DANE)
	equal(service().run("show", "provider.unsigned.test", check=False).returncode, NOT_PROTECTED)
	service().gate.reload(policy=service().policy)
	equal(service().ask("provider.unsigned.test"), NOTFOUND)


@test("strict-both wants DANE and MTA-STS of a host")
def _():
	service().gate.reload(policy=service().policy | {"combine": "strict-both"})
	levels = [service().show(f"{name}.signed.test")["hosts"][0]["level"] for name in ("dane-sts", "unlisted")]
	equal(levels, ["dane+pkix", "skip"])
	service().gate.reload(policy=service().policy)


def second(name="second", wait=True, **dns):
	address = lab.address(8461)
	gate = service().new_gate(name, wait=wait, dns=service().dns | dns, policy=service().policy | {"addresses": [address]})
	gate.asks = lambda key: Socketmap(address).ask(key)
	return gate


@test("[7672-2.1.1-2] dnssec = off: no answer is secure, so there is no DANE, and the log says so")
def _():
	gate = second(dnssec="off")
	gate.wait_for("dnssec-off")
	equal(gate.asks("all.signed.test"), NOTFOUND)
	equal(gate.asks("bogus.test"), NOTFOUND)
	gate.stop()


@test("[7672-2.1.1-5] a zone above which there is no trust anchor is as one that is not signed")
def _():
	service()
	other = lab.write("other.anchor", "other. 3600 IN DS 1 13 2 " + "00" * 32 + "\n")
	gate = second(trust_anchors=other, self_test="dead.test")
	gate.wait_for("resolver-failed")
	equal(gate.asks("all.signed.test"), NOTFOUND)
	gate.stop()


def failures(gate):
	"""The events resolver-failed so far."""
	return [event for event in map(parse_event, gate.lines) if event and event.name == "resolver-failed"]


def show_defers(gate, *more):
	done = gatepost(lab, "policy", "show", "-c", gate.config, "all.signed.test", "--json", *more)
	equal(done.returncode, CANNOT_TELL)
	found = json.loads(done.stdout)
	equal((found["course"], found["protected"], found["postfix"]["answer"]), ("defer", False, "TEMP"))
	contains(found["reason"], "the DNS cannot be validated")


@test("[7672-2.1.1-1 6698-8.3-1] a resolver that cannot validate is found out at the start: mail waits, and a line says why")
def _():
	service()
	for zone, what in (("unsigned.test", "not secure"), ("bogus.test", "bogus")):
		gate = second(self_test=zone)
		contains(gate.wait_for("resolver-failed", zone=zone)["reason"], what)
		for domain in ("all.signed.test", "unsigned.test", "dane-sts.signed.test"):
			contains(gate.asks(domain), "TEMP the DNS cannot be validated")
		show_defers(gate)
		show_defers(gate, "--fresh")
		if zone == "unsigned.test":
			eventually(lambda: len(failures(gate)) > 2, "further tries")
			equal([int(event["next-try"]) for event in failures(gate)[:3]], [2, 4, 8])
		gate.stop()
		# the command finds it out by itself
		show_defers(gate)


@test("an override holds while the DNS cannot be validated")
def _():
	service()
	gate = second(self_test="unsigned.test")
	done = gatepost(lab, "policy", "override", "-c", gate.config, "all.signed.test", "may", "--until", "1h", "--reason", "x")
	equal(done.returncode, 0)
	equal(gate.asks("all.signed.test"), "OK may")
	gatepost(lab, "policy", "override", "-c", gate.config, "all.signed.test", "off")
	gate.stop()


@test("when the DNS can be validated again, that is found out without a restart")
def _():
	service()
	with open(service().zones.anchor, encoding="ascii") as file:
		right = file.read()
	anchor = lab.write("mended.anchor", re.sub("[0-9A-Fa-f]{8}\n$", "00000000\n", right))
	gate = second(trust_anchors=anchor)
	gate.wait_for("resolver-failed", zone="test")
	contains(gate.asks("all.signed.test"), "TEMP the DNS cannot be validated")
	lab.write("mended.anchor", right)
	gate.wait_for("resolver-validates", zone="test")
	eventually(lambda: gate.asks("all.signed.test") == DANE_ONLY, "an answer")
	gate.stop()


@test("a resolver path that stops validating later is found out by the first bogus answer")
def _():
	service()
	gate = second()
	equal(gate.asks("all.signed.test"), DANE_ONLY)
	equal(failures(gate), [])
	service().watch.faults["test", "DNSKEY"] = "denied"
	contains(gate.asks("bogus.test"), "TEMP")
	gate.wait_for("resolver-failed", zone="test")
	contains(gate.asks("half.signed.test"), "TEMP the DNS cannot be validated")
	del service().watch.faults["test", "DNSKEY"]
	gate.wait_for("resolver-validates", zone="test")
	eventually(lambda: gate.asks("half.signed.test") == DANE, "an answer")
	gate.stop()


@test("[7672-2.1.1-1] the self-test with its default, in a world with a root")
def _():
	service()
	world = Zones(lab, {"signed.test": f"@ MX 10 mx\nmx {HOST}\n_25._tcp.mx {USABLE}\n"}, root=True, directory="world")
	dns = {"trust_anchors": world.anchor, "unbound_conf": world.unbound_conf(file="world.conf")}
	address = lab.address(8461)
	gate = service().new_gate("world", dns=dns, policy=service().policy | {"addresses": [address]})
	equal(Socketmap(address).ask("signed.test"), DANE_ONLY)
	equal(gatepost(lab, "policy", "show", "-c", gate.config, "signed.test", "--fresh").returncode, PROTECTED)
	equal(failures(gate), [])
	gate.stop()


@test("trust anchors that cannot be read: mail waits, a line says where they come from, and when they are there all is well")
def _():
	service()
	path = lab.path("none.key")
	gate = second(trust_anchors=path)
	for _ in range(2):
		line = gate.wait_for("resolver-failed", zone="test")
		contains(line["reason"], path)
		contains(line["reason"], "dns-root-data")
	contains(gate.asks("all.signed.test"), "TEMP the DNS resolver cannot be set up")
	done = gatepost(lab, "policy", "show", "-c", gate.config, "all.signed.test", "--fresh")
	equal(done.returncode, CANNOT_TELL)
	contains(done.stdout, "the DNS resolver cannot be set up")
	done = gatepost(lab, "policy", "refresh", "-c", gate.config, "all.signed.test")
	contains(done.stderr, "there is no DNS resolver; see resolver-failed in the log")
	done = gatepost(lab, "policy", "override", "-c", gate.config, "all.signed.test", "may", "--until", "1h", "--reason", "x")
	equal((done.returncode, gate.asks("all.signed.test")), (0, "OK may"))
	gatepost(lab, "policy", "override", "-c", gate.config, "all.signed.test", "off")
	with open(service().zones.anchor, encoding="ascii") as file:
		lab.write("none.key", file.read())
	gate.wait_for("resolver-validates", zone="test")
	eventually(lambda: gate.asks("all.signed.test") == DANE_ONLY, "an answer")
	gate.stop()


@test("a resolver that cannot be set up is tried again also without DNSSEC")
def _():
	service()
	with open(service().conf, encoding="ascii") as file:
		right = file.read()
	gate = second(dnssec="off", unbound_conf=lab.path("none.conf"))
	gate.wait_for("resolver-failed")
	contains(gate.asks("all.signed.test"), "TEMP the DNS resolver cannot be set up")
	lab.write("none.conf", right)
	gate.wait_for("resolver-validates")
	eventually(lambda: gate.asks("all.signed.test") == NOTFOUND, "an answer")
	gate.stop()


@test("no answer at all lets it start, and mail waits until there is one")
def _():
	gate = second(self_test="dead.test")
	gate.wait_for("resolver-failed", zone="dead.test")
	contains(gate.asks("dead.test"), "TEMP")
	equal(gate.asks("all.signed.test"), DANE_ONLY)
	gate.stop()


@test("the policy server and the fetch process have a filter, and no new privileges")
def _():
	names = {}
	for pid in service().gate.workers():
		status = proc_status(pid)
		names[status["Name"]] = (status["NoNewPrivs"], status["Seccomp"])
	equal(names, {"gatepost-fetch": ("1", "2"), "gatepost-policy": ("1", "2")})


@test("mistakes in the configuration are sentences")
def _():
	base = {"server": service().gate.groups["server"] | {"run_dir": lab.directory, "state_dir": lab.directory}}
	rows = (({"addresses": ["192.0.2.1:8461"]}, "is not a loopback address"),
		({"addresses": ["nonsense"]}, "neither address:port nor unix:/path"),
		({"addresses": ["127.0.0.1:1"], "socket_mode": "rw"}, "is not octal"),
		({"addresses": ["127.0.0.1:1"], "answer_time": "40s"}, "answer-time"),
		({"addresses": ["127.0.0.1:1"], "combine": "either"}, "combine"))
	for settings, part in rows:
		code, lines = check_config(lab, config_text(base | {"policy": settings}))
		equal(code, EX_CONFIG)
		contains("\n".join(lines), part)
	fitting = service().policy | {"addresses": [f"unix:{lab.path('x.sock')}"]}
	for settings, part in (({"socket_group": "no-such-group"}, "socket-group: no such group"),
			({"mta_sts_ca": lab.path("no-such-file")}, "no-such-file"),
			({"addresses": [f"unix:{lab.path('nowhere', 'x.sock')}"]}, "nowhere")):
		gate = service().new_gate("wrong", wait=False, policy=fitting | settings)
		equal(gate.wait() in (EX_CONFIG, EX_UNAVAILABLE), True)
		contains("\n".join(gate.lines), part)


if __name__ == "__main__":
	run(lab)
