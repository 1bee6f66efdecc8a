#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""verdict.sock, from which a relay has its verdicts, and the memory that it shares with Postfix and `policy show`."""

import contextlib
import json
import os
import stat
import sys
import threading
import time
from functools import cache

sys.dont_write_bytecode = True
from gate import gatepost  # noqa: E402
from lab import Lab, contains, equal, eventually, move_inside, run, test  # noqa: E402
from policyhost import enforce  # noqa: E402
from policylab import PolicyLab  # noqa: E402

move_inside()
LINE_MAX = 1024
lab = Lab()

SIGNED = f"""$TTL 600
mx A 127.0.0.21
_25._tcp.mx TLSA 3 1 1 {"ab" * 32}
dane MX 10 mx
shared MX 10 mx
left MX 10 mx
fresh MX 10 mx
state MX 10 mx
quiet MX 10 mx
slow MX 10 mx
burst MX 10 mx
half MX 10 mx
many MX 10 mx
null MX 0 .
sts MX 10 mx.plain.test.
_mta-sts.sts TXT "v=STSv1; id=1;"
mta-sts.sts A POLICYHOST
""" + "".join(f"d{number} MX 10 mx\n" for number in range(50))
PLAIN = """$TTL 600
mx A 127.0.0.21
plain MX 10 mx
"""


@cache
def service():
	found = PolicyLab(lab, {"signed.test": SIGNED, "plain.test": (PLAIN, "insecure")}, ["sts.signed.test"], answer_time="5s")
	found.host.site("sts.signed.test", enforce("mx.plain.test"))
	return found


def inquiries(name):
	"""How many have begun, seen at level debug."""
	return len([event for event in service().gate.events("inquiry-state")
		if event["domain"] == name and event["state"].startswith("new ")])


@contextlib.contextmanager
def at_debug():
	service().gate.reload(log={"level": "debug"})
	yield service().gate.mark()
	service().gate.reload(log={"level": "info"})


# ---- verdicts ----


@test("verdict.sock answers with findings and verdict: DANE, MTA-STS, none, no mail")
def _():
	with service().verdicts() as client:
		found = {name: client.ask(name) for name in
			("dane.signed.test", "sts.signed.test", "plain.plain.test", "null.signed.test", "absent.signed.test")}
	equal({name: (said["version"], said["domain"], said["course"], said["protected"]) for name, said in found.items()}, {
		"dane.signed.test": (1, "dane.signed.test", "deliver", True),
		"sts.signed.test": (1, "sts.signed.test", "deliver", True),
		"plain.plain.test": (1, "plain.plain.test", "deliver", False),
		"null.signed.test": (1, "null.signed.test", "no-mail", False),
		"absent.signed.test": (1, "absent.signed.test", "no-mail", False)})
	equal([(host["name"], host["level"]) for name in ("dane.signed.test", "sts.signed.test", "plain.plain.test")
		for host in found[name]["hosts"]], [("mx.signed.test", "dane"), ("mx.plain.test", "pkix"), ("mx.plain.test", "opportunistic")])
	equal(found["sts.signed.test"]["mta-sts"]["policy"]["mx"], ["mx.plain.test"])
	equal("postfix" in found["dane.signed.test"], False)


@test("verdict.sock takes a domain as it is spelt, and a line that ends with CR LF")
def _():
	with service().verdicts() as client:
		equal([client.ask(name)["domain"] for name in ("DANE.Signed.Test", "dane.signed.test\r")], ["dane.signed.test"] * 2)


@test("verdict.sock says what is wrong with a question, and goes on")
def _():
	with service().verdicts() as client:
		for question in ("", "a b", "[192.0.2.1]", "dane.signed.test:25", "x" * 300, "dane\0.signed.test"):
			said = client.ask(question)
			equal((said["version"], said["error"]), (1, "this name is not a mail domain"))
		contains(client.ask("\N{PILE OF POO}\N{LATIN SMALL LETTER SHARP S}.test")["error"], "xn--")
		equal(client.ask("dane.signed.test")["course"], "deliver")


@test("a question without end is refused, and the connection closed")
def _():
	with service().verdicts() as client:
		client.send(b"x" * LINE_MAX)
		contains(client.reply()["error"], "at most 1024 bytes")
		equal(client.rest(), b"")


@test("nothing can be changed through verdict.sock: it is a question whatever is written")
def _():
	service().ask("dane.signed.test")
	with service().verdicts() as client:
		for question in ("PURGE *", "OVERRIDE dane.signed.test 4000000000 none", "22:PURGE dane.signed.test,"):
			contains(client.ask(question)["error"], "not a mail domain")
	before = len(service().watch.asked)
	equal(service().ask("dane.signed.test"), "OK dane-only")
	equal(len(service().watch.asked), before)


@test("verdict.sock is for the group of server.user, and for no other user")
def _():
	found = os.stat(service().gate.path("run", "verdict.sock"))
	equal((stat.S_ISSOCK(found.st_mode), stat.S_IMODE(found.st_mode)), (True, 0o660))


# ---- memory ----


@test("Postfix, a relay and policy show share one memory")
def _():
	name = "shared.signed.test"
	with at_debug():
		equal(service().ask(name), "OK dane-only")
		with service().verdicts() as client:
			said = [client.ask(name) for _ in range(3)]
		shown = service().show(name, fresh=False)
	equal(inquiries(name), 1)
	equal(said, [said[0]] * 3)
	equal({key: shown[key] for key in said[0]}, said[0])
	equal(shown["postfix"]["answer"], "dane-only")


@test("what verdict.sock found out is what Postfix is told, without another inquiry")
def _():
	name = "left.signed.test"
	with at_debug():
		with service().verdicts() as client:
			client.ask(name)
		equal(service().ask(name), "OK dane-only")
	equal(inquiries(name), 1)


@test("policy show --fresh makes an inquiry of its own, also into hosts that do not matter, and leaves memory alone")
def _():
	name = "plain.plain.test"
	service().ask(name)
	remembered = service().show(name, fresh=False)
	fresh = service().show(name)
	equal([host["address-provenance"] for host in remembered["hosts"] + fresh["hosts"]], ["not-asked", "insecure"])
	equal(fresh["at"] >= remembered["at"], True)
	equal(service().show(name, fresh=False), remembered)


@test("policy show says when nothing was asked because it does not matter")
def _():
	service().ask("plain.plain.test")
	contains(service().run("show", "plain.plain.test", check=False).stdout, "not-asked")


@test("a purge is seen through verdict.sock")
def _():
	name = "fresh.signed.test"
	with service().verdicts() as client:
		first = client.ask(name)
		service().run("purge", name)
		# the resolver's own cache may answer, so it is the time that shows a new inquiry
		eventually(lambda: time.time() > parse_time(first["at"]) + 1, "another second")
		equal(client.ask(name)["at"] > first["at"], True)


def parse_time(text):
	return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S.000Z")) - time.timezone


@test("a policy that is fetched anew changes the verdict in memory")
def _():
	name = "sts.signed.test"
	with service().verdicts() as client:
		equal(client.ask(name)["mta-sts"]["policy"]["mx"], ["mx.plain.test"])
		service().host.site(name, enforce("*.plain.test"))
		contains(service().run("refresh", name).stdout, "enforce")
		equal(client.ask(name)["mta-sts"]["policy"]["mx"], ["*.plain.test"])


# ---- many at once ----


@test("fifty questions in one packet are answered in their order")
def _():
	names = [f"d{number}.signed.test" for number in range(50)]
	with service().verdicts() as client:
		client.send("".join(f"{name}\n" for name in names).encode())
		equal([client.reply()["domain"] for _ in names], names)


@test("two thousand questions at once, behind a domain that is slow, are all answered")
def _():
	name, faults, count = "burst.signed.test", service().watch.faults, 2000
	faults[name, "MX"] = "silent"
	with service().verdicts() as client:
		client.ask("dane.signed.test")
		sender = threading.Thread(target=client.send, args=(f"{name}\n".encode() + b"dane.signed.test\n" * count,))
		sender.start()
		eventually(lambda: service().watch.count(name, "MX"), "the question")
		del faults[name, "MX"]
		equal([client.reply()["domain"] for _ in range(count + 1)], [name] + ["dane.signed.test"] * count)
		sender.join()


@test("a client that says at once that it has no more questions, as nc -N does, gets its answers")
def _():
	with service().verdicts() as client:
		answers = client.say_all(b"half.signed.test\ndane.signed.test\nno line end").splitlines()
	equal([json.loads(line)["domain"] for line in answers], ["half.signed.test", "dane.signed.test"])


@test("a hundred relays that ask at once share one inquiry; one that leaves does not end it")
def _():
	name, faults = "many.signed.test", service().watch.faults
	faults[name, "MX"] = "silent"
	with contextlib.ExitStack() as stack:
		mark = stack.enter_context(at_debug())
		clients = [stack.enter_context(service().verdicts()) for _ in range(100)]
		for client in clients:
			client.send(f"{name}\n".encode())
		service().gate.wait_for("inquiry-state", mark, domain=name)
		clients.pop(0).close()
		del faults[name, "MX"]
		equal([client.reply()["course"] for client in clients], ["deliver"] * 99)
	equal(inquiries(name), 1)


@test("a domain that is slow does not delay others, and its own answer comes in its order")
def _():
	name, faults = "slow.signed.test", service().watch.faults
	faults[name, "MX"] = "silent"
	with service().verdicts() as waiting, service().verdicts() as other:
		waiting.send(f"{name}\ndane.signed.test\n".encode())
		equal(other.ask("dane.signed.test")["course"], "deliver")
		del faults[name, "MX"]
		equal([waiting.reply()["domain"] for _ in range(2)], [name, "dane.signed.test"])


# ---- what can be seen ----


@test("with log.level = \"debug\" an inquiry can be read from its start to its end; without it no state is logged")
def _():
	name, quiet = "state.signed.test", "quiet.signed.test"
	with at_debug() as mark:
		equal(service().ask(name), "OK dane-only")
		service().gate.wait_for("inquiry-state", mark, domain=name, state="mta-sts -> done")
	equal(service().ask(quiet), "OK dane-only")
	service().gate.wait_for("policy-verdict", domain=quiet)
	seen = [(event["domain"], event["state"]) for event in service().gate.events("inquiry-state")]
	equal([state for domain, state in seen if domain == name],
		["new -> mx", "mx -> hosts", "hosts -> mta-sts", "mta-sts -> done"])
	equal([state for domain, state in seen if domain == quiet], [])


@test("without a service policy show finds the same verdict out by itself")
def _():
	with service().verdicts() as client:
		known = client.ask("dane.signed.test")
	service().gate.stop()
	alone = json.loads(gatepost(lab, "policy", "show", "-c", service().gate.config, "dane.signed.test", "--json").stdout)
	equal([alone[key] for key in ("course", "protected", "hosts")], [known[key] for key in ("course", "protected", "hosts")])


run(lab)
