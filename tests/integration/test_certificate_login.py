#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Logging in with a client certificate, to a real Dovecot: as its master user, and by the CN of the PROXY header."""

import base64
import contextlib
import hashlib
import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki  # noqa: E402
import mails  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from gate import Gate, certificate, check_config, config_text, listener  # noqa: E402
from lab import command, contains, equal, run, test  # noqa: E402
from wire import Client, alert_of, by_starttls, context, implicit  # noqa: E402

NAME, SECOND = "mail.example.test", "second.example.test"
OPENED = {"imaps": implicit, "imap": by_starttls, "pop3s": implicit, "pop3": by_starttls}
PORTS = {"imaps": 1993, "imap": 1143, "pop3s": 1995, "pop3": 1110}
GATE = lab.host()
VERSIONS = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

# how the edge logs in -> what is added to the port
WAYS = {"master-user": 0, "proxy-v2-cn": 1000, "none": 2000, "preauth": 3000, "keys": 4000}
XMPP = "otherName:1.3.6.1.5.5.7.8.5;UTF8:{}"
SMTP_UTF8 = "otherName:1.3.6.1.5.5.7.8.9;UTF8:{}"

DOVECOT = """
auth_mechanisms = plain login external
auth_ssl_username_from_cert = yes
auth_username_format = %Ln
passdb {{
  driver = static
  args = nopassword=y
  mechanisms = external
}}
passdb {{
  driver = passwd-file
  args = {masters}
  master = yes
}}
"""


@cache
def leaf(label, *names, **more):
	return pki().leaf(label, list(names), usage="clientAuth", **more)


def spki(one):
	text = command("openssl", "x509", "-in", one.certificate, "-pubkey", "-noout").stdout
	der = command("openssl", "pkey", "-pubin", "-outform", "DER", input=text.encode(), text=False).stdout
	return hashlib.sha256(der).hexdigest()


def sha256(one):
	with open(one.certificate, encoding="ascii") as file:
		return hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()


CERTIFICATES = {
	"alice": lambda: leaf("alice", "alice@example.test"),
	"bob": lambda: leaf("bob", XMPP.format("bob@example.test")),
	"utf8": lambda: leaf("utf8", SMTP_UTF8.format("alice@example.test")),
	"nobody": lambda: leaf("nobody", "client.example.test"),
	"both": lambda: leaf("both", "alice@example.test", "bob@example.test"),
	"expired": lambda: leaf("expired", "alice@example.test", expired=True),
	"foreign": lambda: leaf("foreign", "alice@example.test", signer="other"),
	"self": lambda: leaf("self", "alice@example.test", signer=None),
	"server": lambda: pki().leaf("server", ["alice@example.test"]),
	"weak": lambda: leaf("weak", "alice@example.test", kind="rsa1024"),
	"sha1": lambda: leaf("sha1", "alice@example.test", digest="sha1"),
}


@cache
def dovecot():
	masters = lab.write("masters", "gateway:{PLAIN}master::::::\n")
	made = Dovecot(lab, pki(), more=DOVECOT.format(masters=masters))
	made.deliver("alice", mails.plain())
	return made


def blocks():
	return [{"name": "staff", "ca": pki().root, "addresses": "any", "account": "local-part"},
		{"name": "keys", "keys": [{"spki": spki(CERTIFICATES["self"]()), "account": "alice"},
			{"spki": spki(CERTIFICATES["weak"]()), "account": "alice"},
			{"spki": spki(CERTIFICATES["expired"]()), "account": "alice"}]}]


@cache
def gate():
	mail, second = pki().leaf("mail", [NAME]), pki().leaf("second", [SECOND])
	password = lab.write("password", "master\n", mode=0o600)
	rows = []
	for role in OPENED:
		for way in WAYS:
			backend = {"address": dovecot().port(role.removesuffix("s") + "-proxy"), "facts": "proxy-v2"}
			more = {} if way == "none" else {"client_certificates": "keys" if way == "keys" else "staff"}
			if way == "preauth" and role == "imaps":
				more["preauth"] = True
			if way == "proxy-v2-cn":
				backend["login"] = way
			elif way != "none":
				backend |= {"login": "master-user", "login_user": "gateway", "login_password_file": password}
			rows.append(listener(role, address(role, way), mail, backend, **more))
	return Gate(lab, certificates=[certificate(mail), certificate(second)], client_certificates=blocks(), listeners=rows)


def address(role, way):
	return f"{GATE}:{PORTS[role] + WAYS[way]}"


def tls_of(who, version=None, **more):
	made = context(pki().root, **more)
	if version:
		made.minimum_version = made.maximum_version = version
	if who in ("weak", "sha1"):
		made.set_ciphers("DEFAULT@SECLEVEL=0")  # so that the client itself does not mind
	if who:
		one = CERTIFICATES[who]()
		made.load_cert_chain(one.chain, one.key)
	return made


def client(role, way, who, version=None, session=None, name=NAME):
	gate()
	tls = tls_of(who, version) if not isinstance(who, ssl.SSLContext) else who
	made = OPENED[role](address(role, way), tls, name) if session is None else resumed(role, way, tls, session, name)
	made.greeting = made.line() if role.endswith("s") else b""
	return made


def resumed(role, way, tls, session, name):
	made = Client(address(role, way))
	made.start_tls(tls, name, session)
	return made


def offer(role, one):
	"""The mechanisms that are offered now."""
	if role.startswith("imap"):
		words = one.imap("CAPABILITY")[0].split()
		return [word.removeprefix(b"AUTH=") for word in words if word.startswith(b"AUTH=")]
	lines = one.pop_list("CAPA")[1].split(b"\r\n")
	return [word for line in lines if line.startswith(b"SASL") for word in line.split()[1:]]


def external(role, one, text="="):
	if role.startswith("imap"):
		return one.imap(f"AUTHENTICATE EXTERNAL {text}".rstrip())[-1]
	return one.pop(f"AUTH EXTERNAL {text}".rstrip())


def is_good(answer):
	return answer.startswith(b"+OK") or b" OK" in answer


def is_in(role, one):
	"""Logged in as alice, who has mail?"""
	if role.startswith("imap"):
		return b"* 1 EXISTS" in one.imap("SELECT INBOX")
	return one.pop("STAT").startswith(b"+OK 1 ")


@test("[8314-4.2-1 8314-4.2-3 2595-3.1-5 4422-A-1] a mapped certificate: EXTERNAL is offered and logs in, on every port, by both ways")
def _():
	for way in ("master-user", "proxy-v2-cn"):
		for role in OPENED:
			for version in VERSIONS:
				with client(role, way, "alice", version) as one:
					contains(offer(role, one), b"EXTERNAL")
					equal(is_good(external(role, one)), True)
					equal(is_in(role, one), True)


@test("[8314-4.2-3] the log says whose certificate it was, in login and session-end")
def _():
	mark = gate().mark()
	with client("imaps", "master-user", "alice") as one:
		external("imaps", one)
		event = gate().wait_for("login", mark)
		equal((event["user"], event["certificate"]), ("alice", sha256(CERTIFICATES["alice"]())))
		one.imap("LOGOUT")
	equal(gate().wait_for("session-end", mark)["certificate"], sha256(CERTIFICATES["alice"]()))


@test("XmppAddr and SmtpUTF8Mailbox are addresses, too")
def _():
	for who, account in (("bob", "bob"), ("utf8", "alice")):
		mark = gate().mark()
		with client("imaps", "master-user", who) as one:
			equal(is_good(external("imaps", one)), True)
			equal(gate().wait_for("login", mark)["user"], account)


ANONYMOUS = {"nobody": "no address in the certificate is an account", "both": "belong to different accounts", "expired": "expired",
	"foreign": "unable to get", "self": "self-signed", "server": "unsuitable certificate purpose",
	"weak": "too weak", "sha1": "too weak"}


@test("[8314-3.2-4 4422-A-2 6120-13.7.2.2-3] unknown, expired, foreign, weak or wrong certificates are anonymous, never a failed handshake")
def _():
	for who, reason in ANONYMOUS.items():
		for version in VERSIONS:
			mark = gate().mark()
			with client("imaps", "preauth", who, version) as one:
				contains(one.greeting, b"* OK")
				equal(b"EXTERNAL" in offer("imaps", one), False)
				contains(external("imaps", one), b"NO [CANNOT]")
				contains(one.imap("LOGIN alice secret")[-1], b"OK")
			contains(gate().wait_for("certificate-ignored", mark)["reason"], reason)


@test("[8314-4.2-2] without certificate all is as ever, and a port without a block does not even ask")
def _():
	for role in OPENED:
		with client(role, "master-user", None) as one:
			equal(b"EXTERNAL" in offer(role, one), False)
	for version in ("-tls1_2", "-tls1_3"):
		for way, asked in (("master-user", True), ("none", False)):
			said = command("openssl", "s_client", "-connect", address("imaps", way), "-trace", version, check=False).stdout
			equal("CertificateRequest" in said, asked)
	mark = gate().mark()
	with client("imaps", "none", "alice") as one:
		equal(b"EXTERNAL" in offer("imaps", one), False)
		one.imap("LOGOUT")
	equal("certificate" in gate().wait_for("session-end", mark), False)


@test("[6120-13.7.2.2-3] keys: a self-signed certificate is whose its key is; one that has expired or is weak maps to no account")
def _():
	for who, good in (("self", True), ("expired", False), ("weak", False), ("alice", False)):
		for version in VERSIONS:
			with client("pop3s", "keys", who, version) as one:
				equal(b"EXTERNAL" in offer("pop3s", one), good)
				equal(is_good(external("pop3s", one)), good)


@test("[4422-A-2 4422-A-3] the own account may be named; another one is refused: NO [AUTHORIZATIONFAILED], -ERR [AUTH]")
def _():
	own, other = (base64.b64encode(name).decode() for name in (b"alice", b"bob"))
	for role, word in (("imaps", b"NO [AUTHORIZATIONFAILED]"), ("pop3s", b"-ERR [AUTH]")):
		with client(role, "master-user", "alice") as one:
			contains(external(role, one, other), word)
			equal(is_good(external(role, one, own)), True)
			equal(is_in(role, one), True)


@test("[4422-A-3 5034-4-2] without initial response there is an empty challenge, and an empty line answers it")
def _():
	for role in ("imaps", "pop3s"):
		with client(role, "master-user", "alice") as one:
			one.send("t1 AUTHENTICATE EXTERNAL\r\n" if role == "imaps" else "AUTH EXTERNAL\r\n")
			equal(bytes(one.until(b"\n")), b"+ \r\n")
			one.send("\r\n")
			answer = one.imap_answer("t1")[-1] if role == "imaps" else one.line()
			equal(is_good(answer), True)
			equal(is_in(role, one), True)


@test("[8314-3.2-3 8314-4.2-4 8314-3.1-4 9051-6.2.1-5 2595-3.1-4] preauth: PREAUTH greets a known certificate, SELECT works at once and LOGIN does not")
def _():
	with client("imaps", "preauth", "alice") as one:
		contains(one.greeting, b"* PREAUTH [CAPABILITY ")
		equal(b"AUTH=" in one.greeting, False)
		equal(is_in("imaps", one), True)
		contains(one.imap("LOGIN bob hush")[-1], b"BAD")
	with client("imap", "preauth", "alice") as one:
		contains(offer("imap", one), b"EXTERNAL")
		contains(one.imap("SELECT INBOX")[-1], b"BAD")
	with client("pop3s", "preauth", "alice") as one:
		contains(one.pop("STAT"), b"-ERR")
		equal((is_good(external("pop3s", one)), is_in("pop3s", one)), (True, True))


def session_of(way, who, version, name=NAME):
	"""A context, and a session of it that was resumable once."""
	tls = tls_of(who, version)
	with client("imaps", way, tls, name=name) as one:
		contains(one.imap("NOOP")[-1], b"OK")
		return tls, one.tls.session


@test("a resumed session is the same client's, in TLS 1.2 and 1.3")
def _():
	for version in VERSIONS:
		tls, session = session_of("master-user", "alice", version)
		with client("imaps", "master-user", tls, session=session) as one:
			equal(one.tls.session_reused, True)
			equal(is_good(external("imaps", one)), True)
			equal(is_in("imaps", one), True)


@test("a resumed session is judged anew: a key that is not listed any more maps to no account")
def _():
	tls, session = session_of("keys", "self", VERSIONS[1])
	staff, keys = blocks()
	gate().reload(client_certificates=[staff, keys | {"keys": keys["keys"][1:]}])
	with client("imaps", "keys", tls, session=session) as one:
		equal((one.tls.session_reused, b"EXTERNAL" in offer("imaps", one)), (True, False))
	gate().reload(client_certificates=[staff, keys])


@test("[9325-3.4-1] a ticket of one name, port or block of client certificates is taken in no other")
def _():
	for version in VERSIONS:
		for who in ("alice", None):
			for here, there, name in (("master-user", "master-user", SECOND), ("master-user", "keys", NAME),
					("master-user", "none", NAME), ("none", "master-user", NAME), ("none", "none", SECOND)):
				tls, session = session_of(here, who, version)
				with client("imaps", there, tls, session=session, name=name) as one:
					equal(one.tls.session_reused, False)


ECDSA_SHA1 = 0x0203
HANDSHAKE_FAILURE, ILLEGAL_PARAMETER = 40, 47  # OpenSSL 3.0 says the first, RFC 9155 the second


def ask_for_sha1(flight):
	"""A server's TLS 1.2 flight, in cleartext, with a CertificateRequest that takes SHA-1 only."""
	made = b""
	while flight:
		size = int.from_bytes(flight[3:5], "big")
		record, flight = flight[:5 + size], flight[5 + size:]
		if record[0] == 22 and record[5] == 13:  # CertificateRequest: types, algorithms, authorities
			at = 9 + 1 + record[9]
			count = int.from_bytes(record[at:at + 2], "big") // 2
			record = record[:at + 2] + ECDSA_SHA1.to_bytes(2, "big") * count + record[at + 2 + 2 * count:]
		made += record
	return made


@test("[9155-5-1] a CertificateVerify with SHA-1, which a man in the middle asked for, ends the handshake")
def _():
	gate()
	tls = tls_of("alice", VERSIONS[0])
	tls.set_ciphers("DEFAULT@SECLEVEL=0")
	one = Client(address("imaps", "master-user"))
	one.sock.sendall(one.hello(tls, NAME))
	flight = b""
	while not flight.endswith(b"\x0e\x00\x00\x00"):  # ServerHelloDone
		flight += one.sock.recv(65536)
	one.into.write(ask_for_sha1(flight))
	with contextlib.suppress(ssl.SSLWantReadError):
		one.tls_next.do_handshake()
	said = one.out_of.read()
	contains(said, ECDSA_SHA1.to_bytes(2, "big"))
	one.sock.sendall(said)
	equal(alert_of(one.rest()) in (HANDSHAKE_FAILURE, ILLEGAL_PARAMETER), True)


@test("[8314-4.2-2] --check: a certificate is not asked for when nothing comes of it")
def _():
	mail = pki().leaf("mail2", [NAME])
	def complaints(block, backend, **more):
		groups = {"certificates": [certificate(mail)], "client_certificates": [block],
			"listeners": [listener("imaps", lab.address(1993), mail, {"address": "127.0.0.1:1143"} | backend, **more)]}
		code, said = check_config(lab, config_text(groups))
		equal(code, 78)
		return " ".join(said)
	good, asks = {"name": "x", "ca": pki().root, "addresses": "mail"}, {"client_certificates": "x"}
	contains(complaints({"name": "x"}, {"login": "master-user"}, **asks), "maps to no account")
	contains(complaints({"name": "x", "addresses": "mail"}, {}, **asks), "addresses needs ca")
	contains(complaints(good, {}, **asks), "needs backend.login")
	contains(complaints(good, {"login": "proxy-v2-cn"}, **asks), 'needs backend.facts = "proxy-v2"')
	contains(complaints(good, {"login": "master-user"}, **asks), "needs backend.login-user")
	contains(complaints(good, {"login": "master-user"}), "need client-certificates")
	contains(complaints({"name": "x", "keys": [{"spki": "abc", "account": "alice"}]}, {}, **asks), "64 hexadecimal digits")


run(lab)
