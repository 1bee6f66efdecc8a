#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The TLS that clients meet: versions, suites, alerts, names, ALPN, and how a connection ends."""

import socket
import ssl
import subprocess
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import backend, lab, pki  # noqa: E402
import hello  # noqa: E402
from gate import Gate, certificate, listener  # noqa: E402
from lab import command, contains, equal, run, stopped, test  # noqa: E402
from wire import Backend, Client, alert_of, context, implicit, pop3_server  # noqa: E402

NAME, SECOND = "mail.example.test", "second.example.test"
IMAPS, POP3S, STRICT, RSA = lab.address(1993), lab.address(1995), lab.address(2993), lab.address(3993)
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
PROTOCOL_VERSION, HANDSHAKE_FAILURE, UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL = 70, 40, 112, 120
INAPPROPRIATE_FALLBACK = 86


@cache
def gate():
	good, second = pki().leaf("good", [NAME, "*.wild.example.test"]), pki().leaf("second", [SECOND])
	rsa = pki().leaf("rsa", ["rsa.example.test"], "rsa")
	return Gate(lab, certificates=[certificate(good), certificate(second), certificate(rsa)], listeners=[
		listener("imaps", IMAPS, good, backend().address),
		listener("imaps", STRICT, good, backend().address, unknown_sni="refuse"),
		listener("imaps", RSA, rsa, backend().address),
		listener("pop3s", POP3S, good, Backend(lab, pop3_server).address)])


def client_tls(**settings):
	"""A client's context; only the versions from `minimum_version` to `maximum_version`."""
	return context(pki().root, **settings)


def connect(address=IMAPS, name=NAME, tls=None, **more):
	gate()
	return implicit(address, tls or client_tls(), name, **more)


def raw(data, address=IMAPS):
	"""Send these bytes, return all that the server says until it closes."""
	gate()
	with Client(address) as client:
		client.send(data)
		try:
			return client.rest()
		except ConnectionResetError:
			return bytes(client.unread)


def s_client(*words, address=IMAPS, name=NAME, **more):
	gate()
	return command("openssl", "s_client", "-connect", address, "-servername", name, "-CAfile", pki().root, *words,
		check=False, **more)


# ---- versions and suites ----


@test("[8314-4-10 9051-11.1-2 9325-3.1.1-5 9325-3.1.1-6 9325-3.1.1-7] TLS 1.2 and 1.3 are served on every port, 1.3 to each client that can")
def _():
	for address, name in ((IMAPS, NAME), (POP3S, NAME), (RSA, "rsa.example.test")):
		for most, version in ((TLS12, "TLSv1.2"), (TLS13, "TLSv1.3")):
			client = connect(address, name, client_tls(maximum_version=most))
			equal(client.tls.version(), version)
			contains(client.line(), b"OK")


@test("[8996-4-1 8996-4-3 8996-5-1 8996-5-2 8314-4.1-6] hellos for TLS 1.0 and 1.1: alert protocol_version and an end, logged")
def _():
	for version in (0x0301, 0x0302):
		mark = gate().mark()
		said = raw(hello.client_hello(version))
		equal((alert_of(said), len(said)), (PROTOCOL_VERSION, 7))
		sid = gate().wait_for("tls-failed", mark)["sid"]
		equal(gate().wait_for("session-end", mark, sid=sid)["end"], "tls-failed")


@test("[9325-3.1.1-1 9325-3.1.1-2 7457-2.4-2 7457-x-4] hellos for SSLv3 and SSLv2 get no handshake either")
def _():
	# SSL 3.0 has no alert protocol_version; its word for that is handshake_failure
	equal(alert_of(raw(hello.client_hello(0x0300))), HANDSHAKE_FAILURE)
	said = raw(hello.sslv2_hello())
	equal(alert_of(said) in (None, PROTOCOL_VERSION), True)
	equal(len(said) <= 7, True)


@test("[8996-4-4] a modern hello is accepted whatever its record says, from 0x0300 to 0x0304")
def _():
	for version in range(0x0300, 0x0305):
		client = Client(IMAPS) if gate() else None
		text = bytearray(client.hello(client_tls(), NAME))
		text[1:3] = version.to_bytes(2, "big")
		client.sock.sendall(text)
		client.finish_tls()
		contains(client.line(), b"* OK")


@test("[9325-3.1.3-2] TLS_FALLBACK_SCSV from a client that could do better: alert inappropriate_fallback")
def _():
	said = raw(hello.client_hello(0x0303, suites=(0xC02B, 0xC02F, 0x5600)))
	equal(alert_of(said), INAPPROPRIATE_FALLBACK)
	contains(s_client("-tls1_2", "-fallback_scsv").stderr, "inappropriate fallback")


@test("[8314-4-11 9325-4.2-3 9325-4.2-4 9325-4.2-1 9325-4.2-2] each recommended TLS 1.2 suite is there")
def _():
	for address, name, kind in ((IMAPS, NAME, "ECDSA"), (RSA, "rsa.example.test", "RSA")):
		for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384"):
			tls = client_tls(maximum_version=TLS12)
			tls.set_ciphers(f"ECDHE-{kind}-{suite}")
			equal(connect(address, name, tls).tls.cipher()[0], f"ECDHE-{kind}-{suite}")


@test("[9051-11.1-3] an RSA listener serves TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
def _():
	said = raw(hello.client_hello(0x0303, suites=(0xC02F,), name="rsa.example.test", linger=True), RSA)
	equal(hello.server_suite(said), 0xC02F)


@test("[9325-4.1-1 9325-4.1-2 9325-4.1-3 9325-4.1-4 7457-2.5-1] suites with NULL, RC4, DES, export, 3DES: alert 40")
def _():
	for address, name in ((IMAPS, NAME), (RSA, "rsa.example.test")):
		for suites in (hello.NULL, hello.RC4, hello.EXPORT_AND_DES, hello.TRIPLE_DES):
			equal(alert_of(raw(hello.client_hello(0x0303, suites, name), address)), HANDSHAKE_FAILURE)


def expect_no_suite(suites):
	equal(alert_of(raw(hello.client_hello(0x0303, suites, "rsa.example.test"), RSA)), HANDSHAKE_FAILURE)


@test("[9325-4.1-5 9325-4.2.1-4 9325-7.3-1 7457-2.7-1 7457-2.8-1] no RSA key transport: alert 40")
def _():
	expect_no_suite(hello.RSA_TRANSPORT)
	expect_no_suite((0x002F,))


@test("[9325-4.1-6 9325-4.1-8 9325-4.1-9 7457-x-2] no static DH, no finite-field DHE, nothing anonymous: alert 40")
def _():
	for suites in (hello.STATIC_DH, hello.DHE, hello.ANONYMOUS):
		expect_no_suite(suites)


@test("[9325-4.2-6 7457-2.4-1 2595-2.1-1] no CBC suite, with or without forward secrecy")
def _():
	for address, name in ((IMAPS, NAME), (RSA, "rsa.example.test")):
		equal(alert_of(raw(hello.client_hello(0x0303, hello.CBC, name), address)), HANDSHAKE_FAILURE)


@test("[9325-4.1-7 9325-4.2-5 9325-4.2.1-2 9325-4.2.1-3] the server's order decides, whatever the client prefers")
def _():
	def chosen(*suites):
		return hello.server_suite(raw(hello.client_hello(0x0303, suites, "rsa.example.test", linger=True), RSA))
	equal(chosen(0x003C, 0xC02F), 0xC02F)
	equal(chosen(0x009C, 0xC030), 0xC030)
	equal(chosen(0xC02F, 0xC030), 0xC030)
	equal(chosen(0xC030, 0xC02F), 0xC030)


@test("[9325-4.3-1] all three suites of TLS 1.3, AES-256 first")
def _():
	suites = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
	for suite in suites:
		contains(s_client("-tls1_3", "-ciphersuites", suite).stdout, "Cipher is " + suite)
	contains(s_client("-ciphersuites", ":".join(reversed(suites[::2]))).stdout, "Cipher is " + suites[0])


@test("[9325-4.2.1-6 9325-4.5-2] groups x25519, P-256 and P-384, and none below")
def _():
	for group, shown in (("X25519", "X25519"), ("P-256", "ECDH, prime256v1"), ("P-384", "ECDH, secp384r1")):
		mark = gate().mark()
		contains(s_client("-groups", group).stdout, "Server Temp Key: " + shown)
		gate().wait_for("session-end", mark, group={"X25519": "x25519", "P-256": "secp256r1",
			"P-384": "secp384r1"}[group])
	small = hello.client_hello(0x0303, (0xC02B, 0xC02F), groups=(0x0013, 0x0010, 0x000F))  # secp192r1, secp160
	equal(alert_of(raw(small)), HANDSHAKE_FAILURE)


@test("[9325-4.5-5] a client that takes only SHA-1 or MD5 signatures gets none")
def _():
	weak = hello.client_hello(0x0303, (0xC02B, 0xC02F), signatures=(0x0203, 0x0201, 0x0101))
	equal(alert_of(raw(weak)), HANDSHAKE_FAILURE)


@test("[9325-3.3-1 9325-4.6-1 9325-3.5-4 7457-2.6-1 7457-2.11-1] no compression, no truncated HMAC; extended master secret is agreed")
def _():
	offer = hello.client_hello(0x0303, (0xC02B,), compressions=(1, 0), linger=True, more=hello.extension(4, b""))
	answer = hello.server_hello(raw(offer))
	equal(answer.compression, 0)
	equal(4 in answer.extensions, False)
	equal(23 in answer.extensions, True)
	contains(s_client("-tls1_2").stdout, "Extended master secret: yes")


@test("[9325-3.5-1 9325-3.5-5 7457-2.10-1] renegotiation is secure by indication, and refused")
def _():
	gate()
	# R comes behind the greeting, which s_client would not take in the middle of a renegotiation; and its input stays
	# open, as at the end of it s_client leaves without waiting for the answer
	with subprocess.Popen(["openssl", "s_client", "-connect", IMAPS, "-servername", NAME, "-CAfile", pki().root, "-tls1_2", "-msg"],
			stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
		said = ""
		while "* OK" not in said:
			said += client.stdout.readline() or "* OK is missing"
		client.stdin.write("R\n")
		client.stdin.flush()
		answer = "RENEGOTIATING"
		while answer and "no_renegotiation" not in answer and "ServerHello" not in answer:
			answer = client.stdout.readline()
			said += answer
		client.stdin.close()
		said += client.stdout.read()
	contains(said, "Secure Renegotiation IS supported")
	contains(said, "no_renegotiation")
	equal(said.count("ServerHello,"), 0)
	equal(said.count("ServerHello\n"), 1)


# ---- names and protocols ----


@test("[9325-3.7-1 8314-4.4-2 8314-4.4-3] the certificate follows the name: exact, wildcard, default without one")
def _():
	for name, subject in ((NAME, NAME), (SECOND, SECOND), ("MAIL.Example.Test", NAME), ("a.wild.example.test", NAME)):
		equal(subject_of(connect(name=name)), subject)
	tls = client_tls(check_hostname=False)
	for name in (None, "unknown.example.test", "a.b.wild.example.test"):
		equal(subject_of(connect(name=name, tls=tls)), NAME)


def subject_of(client):
	return dict(part[0] for part in client.tls.getpeercert()["subject"])["commonName"]


@test("[9325-3.7-2 9325-3.7-3] with unknown-sni = refuse an unknown name gets alert unrecognized_name")
def _():
	for version in (0x0303, 0x0304):
		equal(alert_of(raw(hello.client_hello(version, name="unknown.example.test"), STRICT)), UNRECOGNIZED_NAME)
	contains(connect(STRICT, NAME).line(), b"* OK")
	contains(connect(STRICT, None, client_tls(check_hostname=False)).line(), b"* OK")


@test("[9325-3.8-1 9325-3.8-4 9325-3.8-5] ALPN imap and pop3 are chosen; clients without ALPN are welcome")
def _():
	for address, ours in ((IMAPS, "imap"), (POP3S, "pop3")):
		tls = client_tls()
		tls.set_alpn_protocols(["http/1.1", ours])
		equal(connect(address, tls=tls).tls.selected_alpn_protocol(), ours)
		equal(connect(address).tls.selected_alpn_protocol(), None)


@test("[9325-3.8-2 7457-x-1] ALPN of another protocol: alert no_application_protocol, in TLS 1.2 and 1.3")
def _():
	for address, others in ((IMAPS, ("h2", "http/1.1", "pop3")), (POP3S, ("h2", "imap"))):
		for version in (0x0303, 0x0304):
			for other in others:
				said = raw(hello.client_hello(version, alpn=(other,)), address)
				equal(alert_of(said), NO_APPLICATION_PROTOCOL)


@test("[8314-4.2-2] no client certificate is asked for")
def _():
	for version in ("-tls1_2", "-tls1_3"):
		done = s_client(version, "-msg")
		contains(done.stdout, "ServerHello")
		equal("CertificateRequest" in done.stdout, False)


@test("[9325-3.10-1] the ticket permits no early data")
def _():
	session = lab.path("early.pem")
	done = s_client("-tls1_3", "-sess_out", session, "-ign_eof", input="a LOGOUT\r\n")
	contains(done.stdout, "Max Early Data: 0")


# ---- resumption ----


def resumable(address=IMAPS, name=NAME, tls=None):
	"""A context and a session that it can resume."""
	tls = tls or client_tls()
	client = connect(address, name, tls)
	client.line()
	session = client.tls.session
	equal(session.has_ticket, True)
	client.say_goodbye()
	client.close()
	return tls, session


def resumes(address, name, tls, session):
	"""Does the server take the session? Its log must say the same as the client."""
	mark = gate().mark()
	client = Client(address)
	client.start_tls(tls, name, session)
	client.line()
	client.say_goodbye()
	client.close()
	end = gate().wait_for("session-end", mark, client=client.name)
	equal(end["resumed"], "yes" if client.tls.session_reused else "no")
	if client.tls.version() == "TLSv1.3":
		equal(end["group"], "x25519")  # also when resumed: with a fresh key share
	return client.tls.session_reused


@test("[9325-3.4-8] tickets of one worker are good at the other, in TLS 1.2 and 1.3")
def _():
	first, second = gate().workers()
	for most in (TLS12, TLS13):
		with stopped(second):
			tls, session = resumable(tls=client_tls(maximum_version=most))
		with stopped(first):
			equal(resumes(IMAPS, NAME, tls, session), True)


@test("[7457-2.12-1] a ticket is good for the name and the listener it was made for, else the handshake is full")
def _():
	for most in (TLS12, TLS13):
		tls, session = resumable(tls=client_tls(maximum_version=most))
		equal(resumes(IMAPS, SECOND, tls, session), False)
		equal(resumes(POP3S, NAME, tls, session), False)
		equal(resumes(IMAPS, NAME, tls, session), True)


# ---- plaintext, pieces, endings ----


@test("[8314-2-1 8314-3.1-1 8314-3.2-1] clear text on a TLS port: closed without a banner, logged, counted")
def _():
	calls, before = backend().count, gate().counter("plaintext-on-tls-port")
	for address, text in ((IMAPS, b"a CAPABILITY\r\n"), (POP3S, b"CAPA\r\n"), (IMAPS, b"EHLO x\r\n"), (IMAPS, b"a")):
		mark = gate().mark()
		said = raw(text, address)
		equal(b"OK" in said or len(said) > 7, False)
		event = gate().wait_for("plaintext-on-tls-port", mark)
		contains(event["listener"], "@" + address)
		equal(gate().wait_for("session-end", mark, sid=event["sid"])["end"], "plaintext-on-tls-port")
	equal(gate().counter("plaintext-on-tls-port"), before + 4)
	equal(backend().count, calls)


@test("[8314-3.1-1 8314-3.2-1] the server of a TLS port says nothing before the client's hello")
def _():
	for address in (IMAPS, POP3S):
		gate()
		client = Client(address)
		client.sock.shutdown(socket.SHUT_WR)
		equal(client.rest(), b"")


@test("a hello that comes byte by byte is as good as another")
def _():
	for most in (TLS12, TLS13):
		gate()
		client = Client(IMAPS)
		client.start_tls(client_tls(maximum_version=most), NAME, piece=1)
		contains(client.line(), b"* OK")


@test("[8314-3.4-1] at the end close_notify comes first, then FIN: after LOGOUT, and in answer to the client's own")
def _():
	for most in (TLS12, TLS13):
		client = connect(tls=client_tls(maximum_version=most))
		contains(client.line(), b"* OK")
		contains(client.imap("LOGOUT")[-1], b"OK")
		equal(client.ending(), "close_notify")
		client = connect(tls=client_tls(maximum_version=most))
		contains(client.line(), b"* OK")
		client.say_goodbye()
		equal(client.ending(), "close_notify")


@test("[8314-3.1-3 2595-2.2-1] after the client's close_notify nothing more is heard")
def _():
	client = connect()
	client.line()
	contains(client.imap("LOGIN alice secret")[-1], b"OK")
	session = backend().sessions[-1]
	client.say_goodbye()
	client.sock.sendall(b"t9 NOOP\r\n")
	client.ending()
	equal(b"t9" in session.heard, False)


@test("[NST-D-3] a client that vanishes without close_notify is no orderly end, and the log says so")
def _():
	for login in (False, True):
		client = connect()
		client.line()
		if login:
			client.imap("LOGIN alice secret")
		mark = gate().mark()
		client.sock.shutdown(socket.SHUT_WR)
		client.ending()
		client.close()
		equal(gate().wait_for("session-end", mark, client=client.name)["end"], "truncated")


@test("[8314-4-13] the line of a session tells its TLS facts however it ends")
def _():
	for end in (lambda client: client.sock.shutdown(socket.SHUT_WR), Client.reset, Client.say_goodbye):
		client = connect()
		client.line()
		mark = gate().mark()
		end(client)
		client.close()
		event = gate().wait_for("session-end", mark, client=client.name)
		equal((event.get("sni"), event.get("tls"), event.get("cipher"), event.get("group")),
			(NAME, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519"))


@test("[9325-4.4-2] a damaged record ends the connection with alert bad_record_mac")
def _():
	for most in (TLS12, TLS13):
		client = connect(tls=client_tls(maximum_version=most))
		client.line()
		mark = gate().mark()
		client.sock.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
		contains(client.ending(), "BAD_RECORD_MAC")
		client.close()
		equal(gate().wait_for("session-end", mark, client=client.name)["end"] == "client-closed", False)


run(lab)
