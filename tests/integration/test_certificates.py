#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Certificates of many domains: directories of them, changes on disk while sessions go on, keys of two kinds."""

import contextlib
import os
import shutil
import ssl
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import NAME, lab, pki  # noqa: E402
from gate import Gate, certificate, check_config, config_text, listener  # noqa: E402
from lab import command, contains, equal, eventually, run, test  # noqa: E402
from wire import Backend, context, imap_server, implicit  # noqa: E402

IMAPS = lab.address(1993)
DIRECTORY, LIVE, ARCHIVE = (lab.make_directory(name) for name in ("certs", "live", "archive"))


@cache
def leaf(label, *names, **more):
	return pki().leaf(label, list(names), **more)


def text_of(*paths):
	return "".join(open(path, encoding="ascii").read() for path in paths)


def put(name, one, directory=DIRECTORY):
	"""NAME.pem, in one step, as a careful program does it."""
	new = lab.write(os.path.join(directory, "." + name), text_of(one.chain, one.key), mode=0o600)
	os.replace(new, os.path.join(directory, name + ".pem"))


def issue(name, one, number):
	"""What certbot does at a renewal: new files in archive, links in live turned to them."""
	for kind, path in (("fullchain", one.chain), ("privkey", one.key)):
		target = lab.write(os.path.join(ARCHIVE, name, f"{kind}{number}.pem"), text_of(path), mode=0o600)
		link = os.path.join(LIVE, name, kind + ".pem")
		with contextlib.suppress(FileNotFoundError):
			os.unlink(link)
		os.symlink(target, link)


def make_live(name, one):
	for directory in (LIVE, ARCHIVE):
		lab.make_directory(os.path.join(directory, name))
	issue(name, one, 1)


@cache
def gate():
	put("b", leaf("b", "b.example.test"))
	put("wild", leaf("wild", "*.wild.example.test"))
	put("rsa", leaf("rsa", "twin.example.test", kind="rsa"))
	put("ec", leaf("ec", "twin.example.test"))
	lab.write(os.path.join(DIRECTORY, "README"), "not a certificate")
	make_live("certbot", leaf("certbot1", "certbot.example.test"))
	backend = Backend(lab, imap_server)
	return Gate(lab, certificates=[certificate(leaf("main", NAME)), {"directory": DIRECTORY}, {"directory": LIVE}], listeners=[
		listener("imaps", IMAPS, leaf("main", NAME), backend.address)])


def served(name, **settings):
	"""The certificate that a client gets who asks for `name`, as PEM."""
	gate()
	tls = context(pki().root, check_hostname=False, **settings)
	client = implicit(IMAPS, tls, name)
	found = ssl.DER_cert_to_PEM_cert(client.tls.getpeercert(binary_form=True))
	client.close()
	return found


def is_served(name, one):
	return text_of(one.certificate).strip() in served(name).strip()


def serves(name, one):
	equal(is_served(name, one), True)


def changed(do):
	mark = gate().mark()
	do()
	return gate().wait_for("reloaded", mark)


@test("[9325-3.7-1] all certificates of a directory are served: exactly, by wildcard, and the default one for the rest")
def _():
	serves("b.example.test", leaf("b", "b.example.test"))
	serves("imap.wild.example.test", leaf("wild", "*.wild.example.test"))
	serves("certbot.example.test", leaf("certbot1", "certbot.example.test"))
	for name in ("a.b.wild.example.test", "unknown.example.test", NAME):
		serves(name, leaf("main", NAME))


@test("two files for the same name, RSA and ECDSA: a client gets the one that it can use")
def _():
	for version in ("-tls1_2", "-tls1_3"):
		for algorithms, kind in (("ECDSA+SHA256", "ECDSA"), ("rsa_pss_rsae_sha256", "RSA")):
			said = command("openssl", "s_client", "-connect", IMAPS, "-servername", "twin.example.test", version,
				"-sigalgs", algorithms, check=False).stdout
			contains(said, f"Peer signature type: {kind}")


def session():
	"""One that must outlive what is done to certificates."""
	gate()
	client = implicit(IMAPS, context(pki().root), NAME)
	client.line()
	contains(client.imap("LOGIN alice secret")[-1], b"OK")
	return client


def is_alive(client):
	contains(client.imap("NOOP")[-1], b"OK")


@test("a certificate added to a directory, renewed and removed is noticed, and no session is dropped")
def _():
	client = session()
	one, two = leaf("new1", "new.example.test"), leaf("new2", "new.example.test")
	changed(lambda: put("new", one))
	serves("new.example.test", one)
	changed(lambda: put("new", two))
	serves("new.example.test", two)
	changed(lambda: os.unlink(os.path.join(DIRECTORY, "new.pem")))
	serves("new.example.test", leaf("main", NAME))
	is_alive(client)


@test("links turned elsewhere, as certbot renews, and a new directory of it are noticed")
def _():
	client = session()
	renewed, another = leaf("certbot2", "certbot.example.test"), leaf("another", "another.example.test")
	changed(lambda: issue("certbot", renewed, 2))
	eventually(lambda: is_served("certbot.example.test", renewed), "the renewed certificate")
	make_live("another", another)
	eventually(lambda: is_served("another.example.test", another), "the new certificate")
	is_alive(client)


@test("a file of no use keeps the old certificate of its name, says so, and keeps no other from being renewed")
def _():
	client = session()
	old, renewed, other = leaf("keep", "keep.example.test"), leaf("keep2", "keep.example.test"), leaf("b2", "b.example.test")
	changed(lambda: put("keep", old))
	mark = gate().mark()
	changed(lambda: put("keep", old._replace(key=other.key)))
	event = gate().wait_for("certificate-refused", mark)
	contains(event["reason"], 'certs/keep.pem: certificate "keep": the key does not belong')
	serves("keep.example.test", old)
	mark = gate().mark()
	changed(lambda: put("b", other))
	gate().wait_for("certificate-refused", mark)
	serves("b.example.test", other)
	serves("keep.example.test", old)
	changed(lambda: put("keep", renewed))
	serves("keep.example.test", renewed)
	is_alive(client)


@test("--check refuses a directory with a file of no use, which a start would only leave out")
def _():
	directory = lab.make_directory("spoilt")
	put("good", leaf("b", "b.example.test"), directory)
	lab.write(os.path.join(directory, "bad.pem"), "nonsense")
	text = config_text({"certificates": [{"directory": directory}], "listeners": [
		listener("imaps", lab.address(2993), "good", lab.address(1143))]})
	code, said = check_config(lab, text)
	equal((code, len(said)), (78, 1))
	contains(said[0], 'spoilt/bad.pem: certificate "bad": the chain file contains no certificate in PEM format')
	with contextlib.suppress(FileNotFoundError):
		os.unlink(os.path.join(directory, "bad.pem"))
	equal(check_config(lab, text)[0], 0)
	shutil.rmtree(directory)
	code, said = check_config(lab, text)
	equal(code, 78)
	contains(said[0], "spoilt: No such file or directory")


# ---- OCSP ----


def respond(one, state, path):
	"""An OCSP response about a certificate: V good, R revoked, nothing unknown."""
	serial = command("openssl", "x509", "-in", one.certificate, "-noout", "-serial").stdout.strip().removeprefix("serial=")
	revoked = "250101000000Z" if state == "R" else ""
	index = lab.write("index", f"{state}\t490101000000Z\t{revoked}\t{serial}\tunknown\t/CN=x\n" if state else "")
	issuer = pki().file("intermediate.crt")
	command("openssl", "ocsp", "-index", index, "-CA", issuer, "-issuer", issuer, "-rsigner", issuer, "-rkey",
		pki().file("intermediate.key"), "-cert", one.certificate, "-ndays", "1", "-respout", path, "-noverify")
	return path


def status_of(name, version):
	return command("openssl", "s_client", "-connect", IMAPS, "-servername", name, "-status", "-CAfile", pki().root, version,
		check=False).stdout


@test("[9325-7.5-2] an OCSP response beside a certificate is stapled, in TLS 1.2 and 1.3; one that says revoked is not, and loudly")
def _():
	one = leaf("stapled", "stapled.example.test")
	gate()
	changed(lambda: put("stapled", one))
	path = os.path.join(DIRECTORY, "stapled.ocsp")
	for state, word in (("", "does not say that the certificate is good"), ("R", "revoked"), ("V", None), ("R", "revoked")):
		mark = gate().mark()
		os.replace(respond(one, state, path + ".new"), path)
		gate().wait_for("reloaded", mark)
		if word:
			contains(gate().wait_for("certificate-refused", mark)["reason"], word)
		for version in ("-tls1_2", "-tls1_3"):
			said = status_of("stapled.example.test", version)
			contains(said, "OCSP response: no response sent" if word else "Cert Status: good")
			contains(said, "Verify return code: 0 (ok)")
	for version in ("-tls1_2", "-tls1_3"):
		contains(status_of(NAME, version), "OCSP response: no response sent")


run(lab)
