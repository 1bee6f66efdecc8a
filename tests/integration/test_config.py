#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""serve --check, --connect and --print-config: mistakes are found before the start, all of them, with their place."""

import glob
import os
import re
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki  # noqa: E402
from gate import EX_CONFIG, EX_USAGE, Gate, certificate, check_config, config_text, gatepost, listener  # noqa: E402
from lab import TOP, contains, equal, run, test  # noqa: E402
from wire import Backend, Client, context, imap_server, implicit, pop3_server, server_context  # noqa: E402

EX_UNAVAILABLE = 69


@cache
def leaf():
	return pki().leaf("mail", ["mail.example.test"])


def good(**groups):
	"""The text of a configuration without mistakes, some groups replaced."""
	listeners = [listener("imaps", lab.address(1993), leaf(), lab.address(1143))]
	return config_text({"certificates": [certificate(leaf())], "listeners": listeners, **groups})


def with_backend(backend, role="imaps"):
	return good(listeners=[listener(role, lab.address(1993), leaf(), backend)])


def refused(text, *words):
	status, lines = check_config(lab, text, *words)
	equal(status, EX_CONFIG)
	return lines


def accepted(text, *words):
	done = check(text, *words)
	equal((done.returncode, done.stderr), (0, ""))
	return done.stdout


def check(text, *words):
	return gatepost(lab, "serve", "--check", *words, "-c", lab.write("checked.conf", text))


MISTAKES = """server: {
	user = "nobody";
	workers = 999;
	colour = "red";
	drain-time = "soon";
};
log: {
	level = 3;
	format = "xml";
};
limits: {
	idle-time = "5m";
	line-size = "1";
	login-time = "60";
	sessions = -1;
};
certificates = ( { name = "a"; chain = "/there/is/none"; } );
listeners = ( {
	role = "smtpx";
	address = "nowhere";
	certificate = "b";
	unknown-sni = "maybe";
	proxy-from = [ "192.0.2.300" ];
	backend = "127.0.0.1:143"; } );
wrong: { };
"""
PLACES = ((3, "workers"), (4, "colour"), (5, "drain-time"), (8, "level"), (9, "format"), (12, "idle-time"),
	(13, "line-size"), (14, "login-time"), (15, "sessions"), (17, "key"), (19, "role"), (20, "address"),
	(22, "unknown-sni"), (23, "proxy-from"), (24, "backend"), (25, "wrong"))


@test("--check finds sixteen mistakes in one run, each with file, line and a sentence, and exits with 78")
def _():
	lines = refused(MISTAKES)
	path = lab.path("checked.conf")
	for number, word in PLACES:
		found = [line for line in lines if line.startswith(f"{path}:{number}: ")]
		equal((number, word, len(found)), (number, word, 1))
		contains(found[0], word)
	equal(len(lines), len(PLACES))


@test("what does not fit together is found as well: names, roles, facts, addresses, unprotected backends")
def _():
	twice = lab.address(1143)
	lines = refused(good(listeners=[
		listener("imaps", lab.address(1993), "nobody's", lab.address(1143)),
		listener("imaps", twice, leaf(), lab.address(1143), "xclient"),
		listener("pop3", twice, leaf(), lab.address(1110), "imap-id"),
		listener("imap", lab.address(1144), leaf(), "192.0.2.1:143"),
		listener("imap", "mail.example.test:143", leaf(), lab.address(1143)),
		listener("pop3s", lab.address(1995), leaf(), {"address": "192.0.2.1:110", "tls": "verify"})]))
	text = "\n".join(lines)
	for part in ("nobody's", "xclient", "imap-id", "used twice", "another machine", "mail.example.test", "tls-ca"):
		contains(text, part)
	for line in lines:
		equal(bool(re.match(r".*checked\.conf:\d+: \S", line)), True)


@test("a backend whose name cannot be resolved is an error with file, line and setting")
def _():
	backend = {"address": 70 * "a" + ".test:143", "tls": "verify", "tls_ca": pki().root}
	line = refused(good(listeners=[listener("imap", lab.address(1144), leaf(), backend)]))[0]
	equal(bool(re.match(r".*checked\.conf:\d+: backend\.address: the host name \"a{70}\.test\" cannot be resolved: \S", line)), True)


@test("a syntax error, a file that is not there, and a mistake in an included file name their own place")
def _():
	line = refused("server: { user = \"nobody\";\n\n\tworkers = = 2; };\n")[0]
	contains(line, "checked.conf:3: ")
	done = gatepost(lab, "serve", "--check", "-c", lab.path("none.conf"))
	equal(done.returncode, EX_CONFIG)
	contains(done.stderr, "none.conf: cannot be read: No such file or directory")
	part = lab.write("limits.conf", "limits: {\n\tsessions = 5;\n\tnonsense = 1;\n};\n")
	line = refused("@include \"limits.conf\"\n" + good())[0]
	contains(line, part.rsplit("/", 1)[1] + ":3: ")


@test("[9325-4.5-3 9325-4.5-4 5804-1.7-2] certificates: files, pairs of chain and key, and strength are looked at")
def _():
	other = pki().leaf("other-key", ["mail.example.test"])
	weak = pki().leaf("weak", ["mail.example.test"], "rsa1024")
	sha1 = pki().leaf("sha1", ["mail.example.test"], digest="sha1")
	empty = lab.write("empty.pem", "")
	rows = [certificate(leaf()), certificate(leaf(), "crossed") | {"key": other.key},
		certificate(leaf(), "lost") | {"chain": lab.path("lost.pem")},
		certificate(leaf(), "empty") | {"chain": empty}, certificate(weak), certificate(sha1)]
	text = "\n".join(refused(good(certificates=rows)))
	for word in ("crossed", "lost.pem", "empty", "weak", "sha1"):
		contains(text, word)
	equal("certificate \"mail\"" in text, False)


@test("a certificate that has expired or will soon is served, and warned of")
def _():
	old = pki().leaf("old", ["mail.example.test"], expired=True)
	gate = Gate(lab, "expiry", certificates=[certificate(leaf()), certificate(old)],
		listeners=[listener("imaps", lab.address(1993), leaf(), lab.address(1143))])
	event = gate.wait_for("certificate-expiry")
	equal((event["certificate"], event["days"], event.level), ("old", "0", "warn"))
	equal(gate.events("certificate-expiry", certificate="mail"), [])


@test("[9051-6.2.2-1 9051-6.2.3-2 5034-4-3] no setting permits a login in cleartext or a listener without certificate")
def _():
	rows = [listener("imap", lab.address(1143), leaf(), lab.address(1144))]
	for word in ("allow-cleartext", "starttls", "plaintext"):
		contains(refused(good(listeners=[rows[0] | {word: "yes"}]))[0], word)
	bare = {key: value for key, value in rows[0].items() if key != "certificate"}
	contains(refused(good(listeners=[bare]))[0], "certificate")


@test("[8996-2-1 9325-3.1.1-3] no setting permits an older TLS")
def _():
	for word, value in (("tls-min", "1.1"), ("tls-versions", "TLSv1"), ("ciphers", "ALL"), ("ssl3", True)):
		rows = [listener("imap", lab.address(1143), leaf(), lab.address(1144), **{word: value})]
		contains(refused(good(listeners=rows))[0], word)


@test("[8314-4.2-2] no setting asks for client certificates without a mapping of them")
def _():
	rows = [listener("imap", lab.address(1143), leaf(), lab.address(1144), client_certificates="request")]
	contains(refused(good(listeners=rows))[0], "client-certificates")


@test("a good configuration exits with 0 and is not served")
def _():
	contains(accepted(good()), "no errors")
	contains(accepted(good()), "mail.example.test")


@test("gatepost help names every manual")
def _():
	pages = [os.path.basename(path) for path in glob.glob(os.path.join(TOP, "docs", "man", "*.[1-8]"))]
	said = gatepost(lab, "help").stdout
	equal(sorted(re.findall(r"(gatepost[\w.-]*)\((\d)\)", said)), sorted(tuple(page.rsplit(".", 1)) for page in pages))


@test("IMAP, POP3 and ManageSieve without facts: a warning, and no error; other roles without: nothing")
def _():
	for role, warned in (("imaps", True), ("pop3", True), ("sieve", True), ("https", False)):
		row = listener(role, lab.address(1993), leaf(), lab.address(1143))
		del row["backend"]["facts"]
		done = check(good(listeners=[row]))
		equal((role, done.returncode, "no errors" in done.stdout), (role, 0, True))
		equal((role, f": {role}: backend.facts is missing: backend" in done.stderr), (role, warned))
		equal(accepted(good(listeners=[listener(role, lab.address(1993), leaf(), lab.address(1143))])) == "", False)


@test("--connect is content with a real protocol behind, also in TLS")
def _():
	accepted(with_backend(Backend(lab, imap_server).address), "--connect")
	accepted(with_backend(Backend(lab, pop3_server).address, "pop3"), "--connect")
	secret = Backend(lab, imap_server, tls=server_context(pki().leaf("behind", ["imap.backend.test"])))
	accepted(with_backend({"address": secret.address, "tls": "verify", "tls_ca": pki().root,
		"tls_name": "imap.backend.test"}), "--connect")


def connect_complaint(backend, role="imaps"):
	done = check(with_backend(backend, role), "--connect")
	equal(done.returncode == 0, False)
	equal("no errors" in done.stdout, False)
	return done.stdout + done.stderr


@test("--connect names what does not fit: no server there, LOGINDISABLED, channel binding, nonsense, wrong certificate")
def _():
	nobody = lab.address(1143)
	text = connect_complaint(nobody)
	contains(text, nobody)
	contains(text, "refused")
	disabled = Backend(lab, lambda session: (session.send(b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] x\r\n"),
		session.line(), session.send(b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\na OK x\r\n"), session.rest()))
	contains(connect_complaint(disabled.address), "LOGINDISABLED")
	plus = Backend(lab, lambda session: (session.send(b"+OK x\r\n"), session.line(),
		session.send(b"+OK\r\nSASL SCRAM-SHA-1 SCRAM-SHA-1-PLUS\r\n.\r\n"), session.rest()))
	contains(connect_complaint(plus.address, "pop3s"), "-PLUS")
	http = Backend(lab, lambda session: (session.send(b"HTTP/1.1 400 Bad Request\r\n"), session.rest()))
	contains(connect_complaint(http.address), "greet")
	foreign = Backend(lab, imap_server, tls=server_context(pki().leaf("foreign", ["imap.backend.test"], signer="other")))
	text = connect_complaint({"address": foreign.address, "tls": "verify", "tls_ca": pki().root,
		"tls_name": "imap.backend.test"})
	contains(text, foreign.address)


def says(*texts, then=lambda session: None):
	"""A backend that says the first at once and each further one when it has heard a line; `then` it hangs up."""
	def script(session):
		for number, text in enumerate(texts):
			if number:
				session.line()
			session.send(text)
		then(session)
	return Backend(lab, script).address


def waits(*texts):
	"""The same, but it stays."""
	return says(*texts, then=lambda session: session.rest())


@test("--connect says how far the backend came: silent, gone, half an answer, out of turn")
def _():
	closed = "the backend closed the connection "
	for role, backend, text in (
			("imaps", waits(), "no greeting within connect-time"),
			("imaps", waits(b"* OK x\r\n"), "no answer within connect-time"),
			("imaps", says(), closed + "before its greeting"),
			("imaps", says(b"* OK x\r\n", b"* CAPABILITY IMAP4rev1\r\n"), closed + "during the session"),
			("imaps", says(b"* OK x\r\n", b"", then=lambda session: session.reset()), closed + "during the session"),
			("imaps", waits(b"* OK x\r\n", b"* CAPABILITY IMAP4rev1\r\na OK x\r\nb OK y\r\n"), "answers a command that was not sent"),
			("imaps", says(b"* OK x\r\n", b"* BYE not now\r\n"), "it closed the connection before it sent its capabilities"),
			("submission", says(b"220 x\r\n", b"421 4.3.2 busy\r\n"), "it closed the connection before it sent its capabilities"),
			("xmpp-client", waits(), "no greeting within connect-time")):
		row = listener(role, lab.address(1993), leaf(), {"address": backend, "connect_time": "1s"},
			**({"domains": ["example.test"]} if "xmpp" in role else {}))
		done = check(good(listeners=[row]), "--connect")
		equal(done.returncode, EX_UNAVAILABLE)
		contains(done.stdout, f"backend {backend}: ")
		contains(done.stdout, text)


@test("--connect: what comes with the greeting is not the answer to what gatepost asks later")
def _():
	contains(connect_complaint(waits(b"220 x\r\n250 y\r\n", *20 * [b"550 no\r\n"]), "smtp"), "answers a command that was not sent")
	contains(connect_complaint(waits(b"* OK x\r\n* OK [ALERT] x\r\na OK y\r\n"), "imaps"), "answers a command that was not sent")


@test("--connect: a backend that speaks no TLS, is silent or hangs up in its place; SIGPIPE does not end the check")
def _():
	for backend, text in ((waits(), "the TLS handshake did not finish within connect-time"), (waits(b"* OK x\r\n"), "wrong version number"), (says(), "")):
		row = listener("imaps", lab.address(1993), leaf(), {"address": backend, "tls": "verify", "tls_ca": pki().root,
			"tls_name": "imap.backend.test", "connect_time": "1s"})
		done = check(good(listeners=[row]), "--connect")
		equal(done.returncode, EX_UNAVAILABLE)
		contains(done.stdout, f"backend {backend}: {text}")


@test("--print-config shows every setting; what it prints is accepted back")
def _():
	done = gatepost(lab, "serve", "--print-config")
	equal((done.returncode, done.stderr), (0, ""))
	for word in ("drain-time", "sessions-per-source", "unknown-sni", "proxy-from", "connect-time", "tls-ca"):
		contains(done.stdout, word + " = ")
	text = re.sub(r'chain = "[^"]*"', f'chain = "{leaf().chain}"', done.stdout)
	accepted(re.sub(r'key = "[^"]*"', f'key = "{leaf().key}"', text))


@test("wrong usage exits with 64, and says what is wrong")
def _():
	for words in ((), ("serve", "--bogus"), ("serve", "--connect"), ("serve", "x"), ("bogus",), ("status", "--bogus"),
			("serve", "-c")):
		done = gatepost(lab, *words)
		equal((words, done.returncode), (words, EX_USAGE))
		equal(done.stderr == "", False)
	for words in (("help",), ("--help",), ("version",), ("--version",)):
		equal(gatepost(lab, *words).returncode, 0)


@test("`gatepost edge` serves as `gatepost serve` does; a start with mistakes exits with 78 and a taken port with a reason")
def _():
	address, backend = lab.address(1993), Backend(lab, imap_server)
	groups = {"certificates": [certificate(leaf())],
		"listeners": [listener("imaps", address, leaf(), backend.address)]}
	gate = Gate(lab, "edge", mode="edge", **groups)
	contains(implicit(address, context(pki().root), "mail.example.test").line(), b"* OK")
	second = Gate(lab, "second", wait=False, **groups)
	equal(second.wait() in (0, EX_CONFIG), False)
	contains("\n".join(second.lines), address)
	third = Gate(lab, "third", wait=False, **groups | {"listeners": []})
	equal(third.wait(), EX_CONFIG)
	fourth = Gate(lab, "edge", wait=False, **groups | {"listeners": [
		listener("imaps", lab.address(1993), leaf(), backend.address)]})
	equal(fourth.wait() in (0, EX_CONFIG), False)
	contains("\n".join(fourth.lines), "another gatepost")
	with Client(address) as client:
		client.start_tls(context(pki().root), "mail.example.test")
	gate.stop()


run(lab)
