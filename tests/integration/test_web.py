#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The web process: built-in pages behind an https listener, and metrics."""

import os
import re
import signal
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import command, contains, equal, eventually, proc_status, run, test  # noqa: E402
from wire import Backend, Client, context, imap_server, implicit  # noqa: E402

NAME, OTHER = "mta-sts.example.test", "other.example.test"
GATE = lab.host()
METRICS = lab.address(9100)


def rows(hosts):
	leaf = pki().leaf("www", [NAME, OTHER])
	path = os.path.join(lab.make_directory("web"), "web.sock")
	return {"certificates": [certificate(leaf)], "web": {"address": f"unix:{path}", "hosts": hosts,
		"metrics_address": METRICS}, "listeners": [listener("https", f"{GATE}:1443", leaf, f"unix:{path}"),
		listener("imaps", f"{GATE}:1993", leaf, Backend(lab, imap_server).address)]}


@cache
def gate():
	return Gate(lab, **rows([NAME]))


def curl(path, host=NAME, *more):
	gate()
	return command("curl", "-sS", "-i", "--http1.1", "--cacert", pki().root, "--resolve", f"{host}:1443:{GATE}", *more,
		f"https://{host}:1443{path}").stdout


def metrics():
	text = command("curl", "-sS", "-f", f"http://{METRICS}/metrics").stdout
	return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}


def web_pid():
	found = [pid for pid in gate().workers() if proc_status(pid)["Name"] == "gatepost-web"]
	return found[0] if found else None


@test("/health is served behind the https listener, every answer with HSTS; 421 for a host that is not served")
def _():
	for path, host, status in (("/health", NAME, "200 OK"), ("/nothing", NAME, "404 "), ("/health", OTHER, "421 ")):
		answer = curl(path, host)
		contains(answer, "HTTP/1.1 " + status)
		contains(answer, "Strict-Transport-Security: max-age=31536000")
	contains(curl("/health", NAME, "-H", "Host: evil.example"), "421 ")
	contains(curl("/health", NAME, "-X", "POST"), "HTTP/1.1 ")
	equal("metrics" in curl("/metrics"), False)


@test("metrics count sessions, handshakes by version, group and suite, and refusals")
def _():
	gate()
	before = metrics()
	tls = context(pki().root)
	with implicit(f"{GATE}:1993", tls, NAME) as client:
		client.line()
		eventually(lambda: metrics()["gatepost_sessions_open"] == before["gatepost_sessions_open"] + 1, "the open session")
		client.say_goodbye()
	with Client(f"{GATE}:1993") as client:
		client.send(b"a LOGIN x y\r\n")
		client.rest()
	eventually(lambda: metrics()["gatepost_plaintext_on_tls_port_total"] == 1, "the refusal")
	after = metrics()
	for name in ("sessions_total", "handshakes_total", "handshakes_tls13_total", "group_x25519_total",
			"suite_aes256_total"):
		equal((name, after["gatepost_" + name] > before["gatepost_" + name]), (name, True))
	equal(after["gatepost_certificate_days"] in (29, 30), True)


@test("metrics are well-formed: each value has its HELP and TYPE")
def _():
	gate()
	text = command("curl", "-sS", f"http://{METRICS}/metrics").stdout
	for name in metrics():
		contains(text, f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}\n")
		contains(text, f"# HELP {name} ")
	contains(command("curl", "-sS", "-i", f"http://{METRICS}/metrics").stdout, "text/plain; version=0.0.4")


@test("the web process is locked up as a worker is, and replaced when it dies; no session is touched")
def _():
	gate()
	status = proc_status(web_pid())
	equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
	with implicit(f"{GATE}:1993", context(pki().root), NAME) as client:
		client.line()
		old, mark = web_pid(), gate().mark()
		os.kill(old, signal.SIGKILL)
		gate().wait_for("worker-lost", mark)
		eventually(lambda: web_pid() not in (None, old), "another web process")
		eventually(lambda: "200 OK" in curl("/health"), "the page")
		contains(client.imap("LOGIN alice secret")[-1], b"OK")


@test("a reload changes the hosts; the addresses need a restart, and it says so")
def _():
	gate().reload(web=rows([NAME, OTHER])["web"])
	contains(curl("/health", OTHER), "200 OK")
	changed = rows([NAME])["web"] | {"metrics_address": lab.address(9101)}
	gate().groups["web"] = changed
	gate().write_config()
	contains(gate().hup("reload-refused")["reason"], "changed: restart gatepost to apply it")


POLICY = "/.well-known/mta-sts.txt"
MANY = 1000


def many_domains(count):
	return [{"names": [f"d{number}.test" for number in range(count)], "mail_host": "mail.d0.test", "mta_sts": "enforce",
		"mta_sts_max_age": "7d"}, {"names": ["example.test"], "mail_host": "mail.example.test", "mta_sts": "testing"}]


@cache
def many_gate():
	hosts = [f"mta-sts.d{number}.test" for number in range(MANY)]
	leaves = [pki().leaf("many", hosts), pki().leaf("one", [NAME, OTHER])]
	path = os.path.join(lab.make_directory("many-web"), "web.sock")
	rows_of_one = [listener("https", f"{GATE}:2443", leaves[1], f"unix:{path}")]
	return Gate(lab, "many", certificates=[certificate(leaf) for leaf in leaves], listeners=rows_of_one,
		web={"address": f"unix:{path}"}, domains=many_domains(MANY))


def fetch(host, path=POLICY, *more):
	many_gate()
	return command("curl", "-sS", "-i", "--http1.1", "--cacert", pki().root, "--resolve", f"{host}:2443:{GATE}", *more,
		f"https://{host}:2443{path}", text=False).stdout.decode()


def served(host):
	head, _, body = fetch(host).partition("\r\n\r\n")
	equal(head.splitlines()[0], "HTTP/1.1 200 OK")
	contains(head, "Content-Type: text/plain; charset=utf-8\r\n")
	return body


@test("[8461-3.2-4 8461-3.2-13 9525-4.1-5] a policy for each of a thousand domains and one, as text/plain, with the certificate for its name")
def _():
	for number in (0, 7, 500, MANY - 1):
		equal(served(f"mta-sts.d{number}.test"),
			"version: STSv1\r\nmode: enforce\r\nmx: mail.d0.test\r\nmax_age: 604800\r\n")
	contains(served(NAME), "mode: testing\r\nmx: mail.example.test\r\n")
	contains(fetch(NAME, POLICY, "-I"), "200 OK")
	contains(fetch(NAME, POLICY + "?x"), "200 OK")


@test("a policy is nowhere else, and nothing else is there")
def _():
	for path in ("/", "/health", POLICY + "/", "/.well-known/", "/.well-known/MTA-STS.txt"):
		contains(fetch(NAME, path), "HTTP/1.1 404 ")
	contains(fetch(OTHER), "HTTP/1.1 421 ")
	contains(fetch(NAME, POLICY, "-H", "Host: mta-sts.nobody.test"), "HTTP/1.1 421 ")
	contains(fetch(NAME, POLICY, "-H", "Host: example.test"), "HTTP/1.1 421 ")
	equal("200 OK" in fetch(NAME, POLICY, "-X", "POST"), False)


@test("a reload changes policies and takes domains away")
def _():
	changed = many_domains(500)
	changed[0]["mta_sts"] = "none"
	many_gate().reload(domains=changed)
	contains(served("mta-sts.d7.test"), "mode: none\r\n")
	contains(fetch("mta-sts.d500.test"), "HTTP/1.1 421 ")


@test("web: an address that is no loopback, and one without hosts, are refused")
def _():
	for web, sentence in (({"metrics_address": "192.0.2.1:9100"}, "is neither a loopback address"),
			({"address": "unix:/tmp/x"}, "web.address needs web.hosts")):
		leaf = pki().leaf("www2", [NAME])
		bad = Gate(lab, "bad", wait=False, web=web, certificates=[certificate(leaf)],
			listeners=[listener("imaps", f"{GATE}:2993", leaf, "127.0.0.1:1")])
		equal(bad.wait(), 78)
		contains("\n".join(bad.lines), sentence)
		lab.processes.remove(bad)


run(lab)
