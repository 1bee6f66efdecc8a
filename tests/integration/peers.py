# SPDX-License-Identifier: MIT
"""Other people's clients, each as one function that reads a mailbox through a Scene and returns its messages.

A Scene knows where the four listeners are and what the clients must trust:

	scene = Scene(lab, "localhost", {"imaps": 1993, ...}, pki.root)
	curl(scene, "imaps", "alice", 1)
"""

import glob
import imaplib
import os
import poplib
import pty
import subprocess
import threading

from dovecot import PASSWORDS
from lab import PATIENCE_S, as_user, command
from wire import context

STARTTLS = {"imaps": False, "imap": True, "pop3s": False, "pop3": True}
PROTOCOL = {"imaps": "imap", "imap": "imap", "pop3s": "pop3", "pop3": "pop3"}
ROLES = tuple(STARTTLS)


class Scene:
	def __init__(self, lab, host, ports, root):
		self.lab, self.host, self.ports, self.root = lab, host, ports, root
		self.directories = 0

	def address(self, role):
		return f"{self.host}:{self.ports[role]}"

	def directory(self, name):
		"""A new empty directory for a client's files."""
		self.directories += 1
		return self.lab.make_directory(f"{name}-{self.host}-{self.directories}")

	def environment(self, directory):
		return {**os.environ, "HOME": directory, "LANG": "C.UTF-8", "TERM": "xterm", "FETCHMAILHOME": directory}


def to_crlf(data):
	return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


# ---- curl ----


def curl_url(scene, role, number):
	path = f"INBOX;MAILINDEX={number}" if PROTOCOL[role] == "imap" else str(number)
	return f"{role}://{scene.address(role)}/{path}"


def curl(scene, role, user, number, password=None, check=True):
	"""One message; with check=False what curl said about its failure."""
	path = os.path.join(scene.directory("curl"), "message")
	done = command("curl", "-sS", "--disable", "--ssl-reqd", "--cacert", scene.root, "-u",
		f"{user}:{password or PASSWORDS[user]}", curl_url(scene, role, number), "-o", path, check=check)
	if done.returncode:
		return done.stderr
	with open(path, "rb") as file:
		return file.read()


# ---- openssl and GnuTLS: the commands are ours, TLS is theirs ----


def script(role, user, count):
	"""What a person would type to read `count` messages; the last line ends the session."""
	password = PASSWORDS[user]
	if PROTOCOL[role] == "imap":
		return [f"a1 LOGIN {user} {password}", "a2 SELECT INBOX", f"a3 FETCH 1:{count} BODY.PEEK[]", "a4 LOGOUT"]
	return [f"USER {user}", f"PASS {password}", *(f"RETR {number}" for number in range(1, count + 1)), "QUIT"]


def converse(words, lines, last):
	"""Type the lines at a program; its output up to the text `last` or its end."""
	process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
		cwd="/", **as_user())
	timer = threading.Timer(4 * PATIENCE_S, process.kill)
	timer.start()
	try:
		process.stdin.write("".join(line + "\r\n" for line in lines).encode())
		process.stdin.flush()
		return read_until(process.stdout, last)
	finally:
		timer.cancel()
		process.kill()
		process.wait()
		process.stdin.close()
		process.stdout.close()


def read_until(file, last):
	parts, tail = [], b""
	while last not in tail:
		data = os.read(file.fileno(), 65536)
		if not data:
			break
		parts.append(data)
		tail = tail[-len(last):] + data
	return b"".join(parts)


def farewell(role):
	return b"a4 OK" if PROTOCOL[role] == "imap" else b"Logging out"


def s_client_words(scene, role, *more):
	words = ["openssl", "s_client", "-quiet", "-connect", scene.address(role), "-servername", scene.host,
		"-CAfile", scene.root, "-verify_hostname", scene.host, "-verify_return_error", *more]
	return words + (["-starttls", PROTOCOL[role]] if STARTTLS[role] else [])


def s_client(scene, role, user, count):
	"""Everything that came, in one piece; POP3 with its dots."""
	return converse(s_client_words(scene, role), script(role, user, count), farewell(role))


def gnutls(scene, role, user, count):
	words = ["gnutls-cli", "--x509cafile", scene.root, "--verify-hostname", scene.host, "-p", str(scene.ports[role]),
		scene.host]
	if STARTTLS[role]:
		words.insert(1, "--starttls-proto=" + PROTOCOL[role])
	return converse(words, script(role, user, count), farewell(role))


# ---- Python ----


def python(scene, role, user, count):
	tls = context(scene.root)
	if PROTOCOL[role] == "imap":
		return python_imap(scene, role, tls, user, count)
	return python_pop3(scene, role, tls, user, count)


def python_imap(scene, role, tls, user, count):
	if STARTTLS[role]:
		client = imaplib.IMAP4(scene.host, scene.ports[role], PATIENCE_S)
		client.starttls(tls)
	else:
		client = imaplib.IMAP4_SSL(scene.host, scene.ports[role], ssl_context=tls, timeout=PATIENCE_S)
	client.login(user, PASSWORDS[user])
	client.select("INBOX", readonly=True)
	messages = [client.fetch(str(number), "(BODY.PEEK[])")[1][0][1] for number in range(1, count + 1)]
	client.logout()
	return messages


def python_pop3(scene, role, tls, user, count):
	if STARTTLS[role]:
		client = poplib.POP3(scene.host, scene.ports[role], PATIENCE_S)
		client.stls(tls)
	else:
		client = poplib.POP3_SSL(scene.host, scene.ports[role], context=tls, timeout=PATIENCE_S)
	client.user(user)
	client.pass_(PASSWORDS[user])
	messages = [b"".join(line + b"\r\n" for line in client.retr(number)[1]) for number in range(1, count + 1)]
	client.quit()
	return messages


# ---- mbsync, fetchmail, mutt: they bring the whole mailbox ----

MBSYNC = """IMAPAccount a
Host {host}
Port {port}
User {user}
Pass {password}
SSLType {kind}
CertificateFile {root}
SystemCertificates no

IMAPStore far
Account a

MaildirStore near
Path {directory}/
Inbox {directory}/inbox

Channel c
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
"""


def mbsync(scene, role, user, _count):
	directory = scene.directory("mbsync")
	rc = scene.lab.write(os.path.join(directory, "rc"), MBSYNC.format(host=scene.host, port=scene.ports[role], user=user,
		password=PASSWORDS[user], kind="STARTTLS" if STARTTLS[role] else "IMAPS", root=scene.root, directory=directory), 0o600)
	command("mbsync", "-c", rc, "-a", env=scene.environment(directory))
	return [without_line(message, b"X-TUID:") for message in maildir(os.path.join(directory, "inbox"))]


def maildir(directory):
	found = []
	for path in sorted(glob.glob(os.path.join(directory, "new", "*")) + glob.glob(os.path.join(directory, "cur", "*"))):
		with open(path, "rb") as file:
			found.append(to_crlf(file.read()))
	return found


def without_line(message, *added):
	"""The message without header lines that a client has added."""
	head, blank, body = message.partition(b"\r\n\r\n")
	lines = [line for line in head.split(b"\r\n") if not line.startswith(added)]
	return b"\r\n".join(lines) + blank + body


FETCHMAIL = """set no bouncemail
set invisible
poll {host} protocol {protocol} port {port} timeout {patience:.0f}
  user "{user}" password "{password}"
  {tls} sslcertck sslcertfile "{root}" sslcertpath "{directory}"
  fetchall keep no rewrite no mimedecode pass8bits mda "{directory}/store"
"""

STORE = """#!/bin/sh
cat >"$(mktemp {directory}/mail.XXXXXX)"
"""


def fetchmail(scene, role, user, _count):
	directory = scene.directory("fetchmail")
	scene.lab.write(os.path.join(directory, "store"), STORE.format(directory=directory), 0o755)
	rc = scene.lab.write(os.path.join(directory, "rc"), FETCHMAIL.format(host=scene.host, port=scene.ports[role],
		protocol=PROTOCOL[role], user=user, password=PASSWORDS[user], patience=PATIENCE_S, root=scene.root,
		tls='sslproto "tls1.2+"' if STARTTLS[role] else "ssl", directory=directory), 0o600)
	command("fetchmail", "-f", rc, "--nodetach", "--nosyslog", "--pidfile", os.path.join(directory, "pid"),
		env=scene.environment(directory))
	return [to_crlf(open(path, "rb").read()) for path in sorted(glob.glob(os.path.join(directory, "mail.*")))]


MUTT = """set spoolfile={scheme}://{host}:{port}
set {protocol}_user={user}
set {protocol}_pass={password}
set ssl_starttls=yes
set ssl_force_tls=yes
set ssl_ca_certificates_file={root}
set certificate_file={root}
set mbox_type=Maildir
set folder={directory}
set delete=no
set move=no
set quit=yes
set confirmappend=no
set confirmcreate=no
set wait_key=no
set {keep}
push "<tag-pattern>~A<enter><tag-prefix><copy-message>{directory}/copy<enter><exit>"
"""


def mutt(scene, role, user, _count):
	directory = scene.directory("mutt")
	protocol = PROTOCOL[role].rstrip("3")
	rc = scene.lab.write(os.path.join(directory, "rc"), MUTT.format(scheme=role.replace("3", ""), host=scene.host,
		port=scene.ports[role], protocol=protocol, user=user, password=PASSWORDS[user], root=scene.root, directory=directory,
		keep={"imap": "imap_peek=no", "pop": "pop_delete=no"}[protocol]), 0o600)
	at_terminal(["mutt", "-n", "-F", rc], scene.environment(directory))
	copies = maildir(os.path.join(directory, "copy"))
	return [without_line(message, b"Content-Length:", b"Lines:", b"Status:") for message in copies]


def at_terminal(words, environment):
	"""Run a program that wants a terminal, to its end; what it drew."""
	ours, theirs = pty.openpty()
	process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd="/",
		start_new_session=True, **as_user())
	os.close(theirs)
	timer = threading.Timer(2 * PATIENCE_S, process.kill)
	timer.start()
	drawn = b""
	try:
		while True:
			data = os.read(ours, 65536)
			if not data:
				break
			drawn += data
	except OSError:  # a terminal that nobody has open any more
		pass
	finally:
		os.close(ours)
		status = process.wait()
		timer.cancel()
	if status:
		raise AssertionError(f"{words[0]} ended with {status}: {drawn[-1500:]!r}")
	return drawn
