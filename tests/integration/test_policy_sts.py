#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""MTA-STS as a sender sees it: each fault of a policy host, each state of the TXT record, the cache through all of it."""

import calendar
import contextlib
import os
import signal
import sys
import threading
import time
from functools import cache

sys.dont_write_bytecode = True
from lab import Gone, Lab, command, contains, equal, eventually, move_inside, run, test  # noqa: E402
from policyhost import PATH, enforce, policy  # noqa: E402
from policylab import TLSRPT, PolicyLab  # noqa: E402

move_inside()
ZONE, SIGNED = "plain.test", "signed.test"
ERROR, INVALID, WEBPKI = "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"
GOOD_MX, MONTH_S = "127.0.0.21", 30 * 86400
NAMES = ("faults redirect target types request record alias split twice cache host-fails lookup-fails body retire "
	"testing back-off slow implicit restart purged killed daily alerts expiry http none refresh late purge quiet private "
	"tested unlisted-test long").split()
lab = Lab()
texts = {}


def domain(name):
	return f"{name}.{ZONE}"


def mx(name):
	return "mx." + domain(name)


def records(name, *txt):
	"""What a domain publishes, in its zone; nothing is kept by resolvers."""
	lines = [f"{name} MX 10 mx.{name}", f"mx.{name} A {GOOD_MX}", f"mta-sts.{name} A POLICYHOST"]
	return lines + [f"_mta-sts.{name} {text}" for text in txt]


def announcement(number):
	return f'TXT "v=STSv1; id={number};"'


def zone_text():
	lines = ["$TTL 0", f"implicit A {GOOD_MX}", "mta-sts.implicit A POLICYHOST", "_mta-sts.implicit " + announcement(1),
		"nowhere MX 10 mx.faults", "_mta-sts.nowhere " + announcement(1),
		"refused MX 10 mx.faults", "mta-sts.refused A 127.0.0.99", "_mta-sts.refused " + announcement(1)]
	return "\n".join(lines + [line for name in texts for line in texts[name]])


def announce(name, *txt):
	"""Other TXT records; a number is that of a policy."""
	texts[name] = records(name, *(announcement(one) if isinstance(one, int) else one for one in txt))
	service().set(ZONE, zone_text())


@cache
def service():
	for name in NAMES:
		if name != "implicit":
			texts[name] = records(name)
	made = PolicyLab(lab, {ZONE: (zone_text(), "insecure"), SIGNED: "$TTL 0\n@ MX 10 mx\n"},
		[domain(name) for name in NAMES], resolver="  cache-max-negative-ttl: 0\n  val-override-date: -1\n")
	host, pki = made.host, made.pki
	name = "mta-sts." + domain("faults")
	host.certificate("wrong-name", pki.leaf("sts-wrong", ["mta-sts." + domain("other")]))
	# OpenSSL would look at the common name when there is no DNS name at all
	host.certificate("cn-only", pki.leaf("sts-cn", ["email:" + name]))
	host.certificate("expired", pki.leaf("sts-old", [name], expired=True))
	host.certificate("self-signed", pki.leaf("sts-self", [name], signer=None))
	host.certificate("foreign", pki.leaf("sts-foreign", [name], signer="other"))
	host.certificate("wildcard", pki.leaf("sts-wild", ["*." + domain("faults")]))
	return made


numbers = iter(range(1, 10000))


def try_fetch(name, body=None, **behaviour):
	"""Serve it, announce another policy, ask. Returns the site; nothing was kept before."""
	service()
	site = service().host.site(domain(name), enforce(mx(name)) if body is None else body, **behaviour)
	service().run("purge", domain(name))
	before = site.count
	announce(name, next(numbers))
	site.answer = service().ask(domain(name))
	site.new = site.requests[before:]
	return site


def fails(name, kind, part, body=None, **behaviour):
	"""No policy comes of it, for the reason that reports have."""
	site = try_fetch(name, body, **behaviour)
	equal(site.answer, "NOTFOUND")
	found = service().failure(domain(name))
	equal(found and found[0], kind)
	contains(found[1] or "", part)
	return site


def works(name, *more, **behaviour):
	site = try_fetch(name, *more, **behaviour)
	contains(site.answer, "OK secure match=" + mx(name))
	return site


def secure(name):
	return f"OK secure match={mx(name)} servername=hostname"


def faketime():
	"""The library that tells programs another time."""
	return command("sh", "-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1").stdout.split()[0]


# ---- the policy host ----

FAULTS = (
	("[8461-3.3-2 9110-4.3.4-2] a common name alone is no name", WEBPKI, "HOSTNAME_MISMATCH", {"certificate": "cn-only"}),
	("[9110-4.3.4-1] a certificate of another name is refused", WEBPKI, "HOSTNAME_MISMATCH", {"certificate": "wrong-name"}),
	("[8460-4.3.2.2-3] an expired certificate is refused", WEBPKI, "CERT_HAS_EXPIRED", {"certificate": "expired"}),
	("[8460-4.3.2.2-3] a certificate that signs itself is refused", WEBPKI, "SELF_SIGNED", {"certificate": "self-signed"}),
	("[8460-4.3.2.2-3] one of a foreign authority is refused", WEBPKI, "ISSUER", {"certificate": "foreign"}),
	("[8461-3.2-2] text/html is no policy", INVALID, "text/html", {"media": "text/html"}),
	("[8461-3.2-2] without a media type there is no policy", INVALID, "media type", {"media": None}),
	("[8461-3.3-10] a body that says it is too large is not fetched", ERROR, "", {"body": b"a" * 65537}),
	("[8461-3.3-10] a body that grows too large is cut off", ERROR, "64 KiB", {"body": b"a" * 70000, "length": False}),
	("[9112-9.8-1] without length a body ends by close_notify alone", ERROR, "close_notify", {"length": False, "cut": 1000}),
	("[9112-9.8-1] a body cut off in its midst is none", ERROR, "", {"cut": 30}),
	("[9112-9.8-1] a body shorter than it says is none", ERROR, "", {"length": 500}),
	("[8460-4.3.2.2-2] a body that is no policy says where it is wrong", INVALID, "line 2",
		{"body": b"version: STSv1\nmode: maybe\n"}),
)


def fault(row):
	name, kind, part, behaviour = row

	@test(name)
	def _():
		fails("faults", kind, part, **behaviour)


for one in FAULTS:
	fault(one)


@test("[8461-3.3-5] no status but 200 brings a policy")
def _():
	for status in (201, 202, 203, 206, 304, 400, 404, 500, 503):
		fails("faults", ERROR, f"HTTP status {status}", status=status)
	fails("faults", ERROR, "HTTP status 204", b"", status=204, length=False, media=None)


@test("what a policy host writes reaches no terminal as it stands")
def _():
	fails("faults", "sts-policy-invalid", 'media type "text/?[31mhtml"', media="text/\x1b[31mhtml")


@test("[8461-3.3-6] a redirect is not followed, whichever it is")
def _():
	target = service().host.site(domain("target"), enforce(mx("redirect")))
	for status in (301, 302, 303, 307, 308):
		site = fails("redirect", ERROR, f"HTTP status {status}", status=status,
			more=[f"Location: https://mta-sts.{domain('target')}{PATH}"])
		equal(len(site.new), 1)
	equal(target.count, 0)


@test("[8460-4.3.2.2-1] a host that refuses, and one without address, are fetch errors")
def _():
	service()
	for name, part in (("refused", "connect"), ("nowhere", "no address")):
		equal(service().ask(domain(name)), "NOTFOUND")
		kind, detail = service().failure(domain(name))
		equal(kind, ERROR)
		contains(detail, part)


@test("a policy is fetched from public addresses only, unless policy.mta-sts-networks allows others; a reload does it")
def _():
	name = domain("private")
	site = service().host.site(name, enforce(mx("private")))
	announce("private", 1)
	service().gate.reload(policy=service().policy | {"mta_sts_networks": ["10.0.0.0/8"]})
	equal(service().ask(name), "NOTFOUND")
	kind, detail = service().failure(name)
	equal(kind, ERROR)
	contains(detail, "no public address; policy.mta-sts-networks can allow others")
	equal(site.count, 0)
	service().gate.reload(policy=service().policy)
	contains(service().run("refresh", name).stdout, "enforce")
	contains(service().ask(name), "OK secure")


@test("[8461-3.2-1 8461-7.1-2] the request is GET of the one path, Host and SNI are the policy host")
def _():
	site = works("request")
	asked = site.new[0]
	name = "mta-sts." + domain("request")
	equal((asked.method, asked.path, asked.host, asked.sni), ("GET", PATH, name, name))
	equal({"cookie", "authorization", "if-none-match", "if-modified-since"} & set(asked.fields), set())


@test("[8461-3.2-3] parameters of text/plain do not matter")
def _():
	for media in ("text/plain; charset=utf-8; foo=bar", "Text/Plain;charset=us-ascii", 'text/plain ; x="y"'):
		works("types", media=media)


@test("[9110-4.3.4-1 9112-9.8-1] a wildcard for the policy host is fine, so is a body without length")
def _():
	works("faults", certificate="wildcard")
	works("faults", length=False)


@test("[9110-4.3.4-3] a refused certificate is logged")
def _():
	mark = service().gate.mark()
	works("refresh")
	service().host.site(domain("refresh"), enforce(mx("refresh")), certificate="good")
	service().host.certificate("other", service().pki.leaf("sts-other", ["other.test"]))
	service().host.site(domain("refresh"), enforce(mx("refresh")), certificate="other")
	equal(service().run("refresh", domain("refresh"), check=False).returncode, 75)
	line = service().gate.wait_for("sts-fetch-failed", mark, domain=domain("refresh"), reason=WEBPKI)
	contains(line["detail"], "HOSTNAME_MISMATCH")


@test("[8461-3.3-7] what HTTP says of caching does not keep a refresh from the host")
def _():
	site = works("http", more=["Cache-Control: max-age=86400", "ETag: \"1\"", "Expires: Thu, 01 Jan 2099 00:00:00 GMT"])
	for count in (2, 3):
		contains(service().run("refresh", domain("http")).stdout, "mode enforce")
		equal(site.count, count)
		equal([field for field in site.requests[-1].fields if field.startswith("if-")], [])


@test("[8461-3.3-8 8461-3.3-12] after a failure gatepost does not ask again for that id, whichever sender mails; a new id is tried at once")
def _():
	site = fails("back-off", ERROR, "HTTP status 500", status=500)
	for _ in range(100):
		equal(service().ask(domain("back-off")), "NOTFOUND")
	equal(len(site.requests), 1)
	site.set(enforce(mx("back-off")))
	equal(service().ask(domain("back-off")), "NOTFOUND")
	announce("back-off", next(numbers))
	equal(service().ask(domain("back-off")), secure("back-off"))
	equal(len(site.requests), 2)


@test("[8461-5.1-2] a policy that is slow to come delays no mail, and counts when it has come")
def _():
	quick = PolicyQuick()
	site = service().host.site(domain("slow"), enforce(mx("slow")), held=True)
	announce("slow", next(numbers))
	try:
		equal(quick.ask(domain("slow")), "NOTFOUND")
		site.wait_count(1)
		equal(quick.show(domain("slow"))["mta-sts"]["pending"], True)
		equal(site.count, 1)
		site.release()
		quick.gate.wait_for("sts-policy", domain=domain("slow"), mode="enforce")
		equal(quick.ask(domain("slow")), secure("slow"))
		equal(site.count, 1)
	finally:
		site.release()
		quick.gate.stop()


class PolicyQuick:
	"""A second service, which waits for nobody longer than a second, or whose clock runs fast."""

	def __init__(self, answer_time="1s", speed=None):
		first = service()
		self.address = lab.address(8461)
		environment = {"LD_PRELOAD": faketime(), "FAKETIME": f"+0 x{speed}"} if speed else {}
		self.gate = first.new_gate(f"quick{speed}", environment=environment,
			policy=first.policy | {"answer_time": answer_time, "addresses": [self.address]})

	ask, client, listed = PolicyLab.ask, PolicyLab.client, PolicyLab.listed
	show, run, lab = PolicyLab.show, PolicyLab.run, lab


@test("[8461-3.3-10] a fetch that takes longer than a minute is given up; Postfix had its answer long before")
def _():
	# a clock that runs fast; what the service does of its own takes no time worth counting
	quick = PolicyQuick(answer_time="22s", speed=15)
	site = service().host.site(domain("slow"), enforce(mx("slow")), held=True)
	announce("slow", next(numbers))
	try:
		equal(quick.ask(domain("slow")), "NOTFOUND")
		equal(quick.gate.events("sts-fetch-failed"), [])
		line = quick.gate.wait_for("sts-fetch-failed", domain=domain("slow"), reason=ERROR)
		contains(line["detail"], "Timeout")
	finally:
		site.release()
		quick.gate.stop()


@test("what is due is swept again and again")
def _():
	# a minute is two seconds
	quick = PolicyQuick(speed=30)
	try:
		for turn in range(3):
			name = f"sweep{turn}.test"
			quick.run("override", name, "may", "--until", "40s", "--reason", "a test")
			eventually(lambda name=name: quick.listed(name) is None, "the override to be swept away")
	finally:
		quick.gate.stop()


# ---- the TXT record ----


@test("[8461-3-1] without a TXT record gatepost does not ask for the policy that is there")
def _():
	site = service().host.site(domain("record"), enforce(mx("record")))
	announce("record")
	equal(service().ask(domain("record")), "NOTFOUND")
	equal(service().show(domain("record"))["mta-sts"]["record"], "none")
	equal(site.count, 0)


@test("[8461-3.1-10 8461-3.1-11] records that do not begin as one do not count, two that do are none")
def _():
	site = service().host.site(domain("twice"), enforce(mx("twice")))
	announce("twice", 'TXT "v=STSv1; id=a;"', 'TXT "v=STSv1; id=b;"')
	equal(service().ask(domain("twice")), "NOTFOUND")
	equal(site.count, 0)
	announce("twice", 'TXT "v=STSv1; id=a;"', 'TXT "v=spf1 -all"', 'TXT "v=STSv2; id=b;"')
	equal(service().ask(domain("twice")), secure("twice"))


@test("[8461-3.1-13] the strings of a record are joined as they stand")
def _():
	service().host.site(domain("split"), enforce(mx("split")))
	announce("split", 'TXT "v=ST" "Sv1; i" "d=ab" "cd;"')
	equal(service().ask(domain("split")), secure("split"))
	equal(service().show(domain("split"))["mta-sts"]["id"], "abcd")


@test("[8461-3.1-15] an alias at _mta-sts is followed")
def _():
	service().host.site(domain("alias"), enforce(mx("alias")))
	announce("target", 'TXT "v=STSv1; id=viaalias;"')
	announce("alias", f"CNAME _mta-sts.target.{ZONE}.")
	equal(service().ask(domain("alias")), secure("alias"))
	equal(service().show(domain("alias"))["mta-sts"]["id"], "viaalias")


@test("[8461-3.4-2 8461-3.4-3] neither a parent nor an address has a policy looked up")
def _():
	service()
	mark = len(service().watch.asked)
	equal(service().ask("mx." + domain("twice")), "NOTFOUND")
	for key in ("." + domain("twice"), "[192.0.2.1]", "[" + mx("twice") + "]", "192.0.2.1:25"):
		equal(service().ask(key), "NOTFOUND")
	equal({name for name, kind in service().watch.asked[mark:] if kind == "TXT"}, {"_mta-sts.mx." + domain("twice")})


@test("[8461-4.1-3] a domain without MX record is its own host, and its name is what the policy lists")
def _():
	service().host.site(domain("implicit"), enforce(domain("implicit")))
	equal(service().ask(domain("implicit")), f"OK secure match={domain('implicit')} servername=hostname")
	host, = service().show(domain("implicit"))["hosts"]
	equal((host["name"], host["mta-sts-listed"], host["level"]), (domain("implicit"), True, "pkix"))


@test("[8461-5-3] mode none is no policy, mode testing demands nothing")
def _():
	for mode in ("none", "testing"):
		equal(try_fetch(mode, policy(mode, mx(mode))).answer, "NOTFOUND")
		found = service().show(domain(mode))
		equal((found["mta-sts"]["policy"]["mode"], found["mta-sts"]["failure"], found["hosts"][0]["level"]),
			(mode, None, "opportunistic"))


@test("in testing mode Postfix 3.10 gets may and can report, if its own level is stated to be no stronger")
def _():
	name, other = domain("tested"), domain("unlisted-test")
	try_fetch("tested", policy("testing", mx("tested")))
	try_fetch("unlisted-test", policy("testing", "mx.elsewhere.test"))
	report = f"OK may policy_type=sts policy_domain={name} {{ policy_string = version: STSv1 }} {{ policy_string = mode: testing }} "
	for level, answered in (("may", True), ("none", True), ("dane", False), ("unknown", False)):
		service().gate.reload(policy=service().policy | {"smtp_tls_security_level": level})
		for _ in range(3):  # the second time from memory
			said = service().ask(name, TLSRPT)
			equal((level, said[:len(report)] if answered else said), (level, report if answered else "NOTFOUND"))
			equal((level, service().ask(name)), (level, "NOTFOUND"))
		contains(service().show(name)["postfix"]["QUERYwithTLSRPT"] + " ", " policy_type=sts " if answered else "")
		equal("policy_failure" in service().ask(other, TLSRPT), False)
	service().gate.reload(policy=service().policy)


@test("[8461-3.2-10] a max_age of ten digits is a year, in the cache and in the log")
def _():
	mark = service().gate.mark()
	try_fetch("long", policy("enforce", mx("long"), max_age=9999999999))
	equal(service().gate.wait_for("sts-policy", mark, domain=domain("long"))["max-age"], "31557600")
	found = service().show(domain("long"))["mta-sts"]["policy"]
	fetched, expires = (calendar.timegm(time.strptime(found[name], "%Y-%m-%dT%H:%M:%S.000Z")) for name in ("fetched", "expires"))
	equal((found["max-age"], expires - fetched), (31557600, 31557600))


# ---- the cache ----


@test("[8461-3.1-12] a kept policy outlives its TXT record")
def _():
	works("cache")
	announce("cache")
	equal(service().show(domain("cache"))["mta-sts"]["record"], "none")
	equal(service().ask(domain("cache")), secure("cache"))
	announce("cache", 'TXT "v=STSv1; id=a;"', 'TXT "v=STSv1; id=b;"')
	equal(service().ask(domain("cache")), secure("cache"))


@test("[8461-3.3-13] a kept policy outlives failures of the TXT lookup and of the policy host")
def _():
	site = works("host-fails")
	works("lookup-fails")
	service().watch.faults["_mta-sts." + domain("lookup-fails"), "TXT"] = "servfail"
	equal(service().ask(domain("lookup-fails")), secure("lookup-fails"))
	equal(service().show(domain("lookup-fails"))["mta-sts"]["record"], "failed")
	service().watch.faults.clear()
	for behaviour in ({"status": 404}, {"certificate": "wrong-name"}, {"body": b"nonsense"}):
		site.set(**{"body": enforce(mx("host-fails"))} | behaviour)
		announce("host-fails", next(numbers))
		equal(service().ask(domain("host-fails")), secure("host-fails"))
		equal(bool(service().failure(domain("host-fails"))), True)


@test("[8461-5.1-3 8461-3.3-14] another id makes a new policy count with the next mail; without one a refresh brings it")
def _():
	works("body")
	site = service().host.site(domain("body"), enforce("mx2." + domain("body")))
	equal(service().ask(domain("body")), secure("body"))
	announce("body", next(numbers))
	equal(service().ask(domain("body")), f"OK secure match=mx2.{domain('body')} servername=hostname")
	site.set(enforce("mx3." + domain("body")))
	equal(service().ask(domain("body")), f"OK secure match=mx2.{domain('body')} servername=hostname")
	mark = service().gate.mark()
	service().run("refresh", domain("body"))
	equal(service().ask(domain("body")), f"OK secure match=mx3.{domain('body')} servername=hostname")
	service().gate.wait_for("sts-policy", mark, domain=domain("body"), before="enforce", mode="enforce")


@test("a policy is withdrawn by mode none, and not by taking it away")
def _():
	site = works("retire")
	site.set(b"", status=404)
	announce("retire", next(numbers))
	equal(service().ask(domain("retire")), secure("retire"))
	site.set(policy("none", max_age=86400))
	announce("retire", next(numbers))
	equal(service().ask(domain("retire")), "NOTFOUND")


@test("policy purge forgets a policy, and it is fetched anew")
def _():
	site = works("purge")
	equal(service().listed(domain("purge"))["policy"]["mode"], "enforce")
	service().run("purge", domain("purge"))
	equal(service().listed(domain("purge")), None)
	equal(service().ask(domain("purge")), secure("purge"))
	equal(site.count, 2)


@test("policy purge while a policy is fetched: what that brings is dropped, and the policy is fetched anew")
def _():
	name = domain("purged")
	site = service().host.site(name, enforce(mx("purged")), held=True)
	announce("purged", next(numbers))
	try:
		with service().client() as client:
			client.request(name)
			site.wait_count(1)
			service().run("purge", name)
			site.release()
			equal(client.reply(), secure("purged"))
		equal(site.count, 2)
	finally:
		site.release()


@test("a restart keeps policies and overrides, and why a fetch failed")
def _():
	site = works("restart")
	service().run("override", domain("late"), "may", "--until", "7d", "--reason", "their certificate is broken")
	site.set(b"", status=404)
	equal(service().run("refresh", domain("restart"), check=False).returncode, 75)
	announce("restart")
	service().restart()
	equal(service().failure(domain("restart")), (ERROR, "HTTP status 404"))
	equal(service().ask(domain("restart")), secure("restart"))
	equal(service().ask(domain("late")), "OK may")
	equal(site.count, 2)
	service().run("override", domain("late"), "off")


def process_named(name):
	for pid in service().gate.workers():
		with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
			if file.read().strip() == name:
				return pid
	return None


def wait_for_answers():
	eventually(lambda: answered(), "the service to answer again")


def answered():
	try:
		return service().ask(".parent") == "NOTFOUND"
	except (OSError, ValueError):
		return False


@test("kill -9 of the policy server in mid-write keeps what was committed, and of the rest nothing by halves")
def _():
	site = works("killed")
	eventually(lambda: service().listed(domain("killed")), "the policy")
	for turn in range(3):
		old = process_named("gatepost-policy")
		mark = service().gate.mark()
		threading.Thread(target=write_on_and_on, args=(f"o{turn}.test",), daemon=True).start()
		eventually(lambda turn=turn: f"9.o{turn}.test" in stored(), "some overrides to be written")
		os.kill(old, signal.SIGKILL)
		service().gate.wait_for("worker-started", mark, process="policy-server")
		wait_for_answers()
		equal(service().listed(domain("killed"))["policy"]["mode"], "enforce")
		kept = [int(line.split(".")[0]) for line in service().run("list").stdout.splitlines() if f".o{turn}.test" in line]
		equal(sorted(kept), list(range(len(kept))))
		equal(len(kept) > 9, True)
	site.set(b"", status=404)
	equal(service().ask(domain("killed")), secure("killed"))
	for turn in range(3):
		equal(service().ask(f"9.o{turn}.test"), "OK may")


def write_on_and_on(name):
	"""Overrides 0, 1, 2 ..., each handed to the writer behind the other, until nobody answers."""
	until = int(time.time()) + MONTH_S
	with contextlib.suppress(OSError, ValueError, Gone), service().admin() as client:
		for number in range(100000):
			client.ask(f"{number}.{name} {until} may\nbecause", "OVERRIDE")


def stored():
	"""What the files hold, by somebody else's eyes."""
	data = b""
	for name in ("overrides.db", "overrides.db-wal"):
		with contextlib.suppress(OSError), open(service().gate.path("state", "policy", name), "rb") as file:
			data += file.read()
	return data.decode("latin-1")


@test("kill -9 of the fetch process: the next policy is fetched by another")
def _():
	old = process_named("gatepost-fetch")
	mark = service().gate.mark()
	os.kill(old, signal.SIGKILL)
	service().gate.wait_for("worker-started", mark, process="fetch")
	eventually(lambda: process_named("gatepost-fetch") not in (None, old), "another fetch process")
	works("killed")


# ---- days later ----

def days_later(days):
	"""The service, restarted in the future; how fast its time goes is as ever."""
	later = {"LD_PRELOAD": faketime(), "FAKETIME": f"+{days}d", "DONT_FAKE_MONOTONIC": "1"}
	service().restart(environment=later if days else {})
	contains(service().gate.lines[0], time.strftime("%Y-%m-%dT", time.gmtime(time.time() + 86400 * days)))


@test("[8461-3.3-14] a day later a policy is fetched again, whatever its id, and lives longer by it")
def _():
	site = works("daily")
	before = service().listed(domain("daily"))["policy"]["expires"]
	days_later(2)
	site.wait_count(2)
	eventually(lambda: service().listed(domain("daily"))["policy"]["expires"] > before, "a younger policy")
	site.set(policy("testing", mx("daily")))
	days_later(4)
	service().gate.wait_for("sts-policy", domain=domain("daily"), before="enforce", mode="testing")
	equal(service().ask(domain("daily")), "NOTFOUND")
	days_later(0)


@test("[8461-3.3-15 8461-10.2-3] failed refreshes are warnings, long before expiry alerts; for mode none there is silence")
def _():
	works("alerts", policy("enforce", mx("alerts"), max_age=864000))
	try_fetch("quiet", policy("none", max_age=864000))
	for name in ("alerts", "quiet"):
		service().host.site(domain(name), b"", status=503)
	for days, event, level in ((2, "sts-fetch-failed", "warn"), (6, "sts-alert", "error")):
		days_later(days)
		line = service().gate.wait_for(event, domain=domain("alerts"), reason=ERROR, detail="HTTP status 503")
		equal(line.level, level)
		eventually(lambda: service().listed(domain("quiet")).get("failure"), "the other refresh to fail")
		equal(service().ask(domain("alerts")), secure("alerts"))
	equal([event.text for event in service().gate.events() if event.get("domain") == domain("quiet")], [])


@test("[8461-3.3-12 8461-3.3-13] an expired policy protects no mail, one that is young enough does")
def _():
	days_later(6)
	works("expiry", policy("enforce", mx("expiry"), max_age=864000))
	service().host.site(domain("expiry"), b"", status=503)
	days_later(15)
	equal(service().ask(domain("expiry")), secure("expiry"))
	days_later(17)
	equal(service().ask(domain("expiry")), "NOTFOUND")


if __name__ == "__main__":
	run(lab)
