# SPDX-License-Identifier: MIT
"""An SMTP server for tests: it takes what comes and keeps each message, with its envelope, as bytes.

	server = SmtpServer(lab)
	...
	mail = server.wait_mail()
	mail.sender, mail.recipients, mail.data
"""

import contextlib
import ssl

from lab import eventually
from wire import Backend

EXTENSIONS = (b"PIPELINING", b"SIZE 209715200", b"8BITMIME", b"SMTPUTF8", b"DSN", b"CHUNKING", b"AUTH PLAIN LOGIN")
REPLIES = {b"MAIL": b"250 2.1.0 Ok", b"RCPT": b"250 2.1.5 Ok", b"RSET": b"250 2.0.0 Ok", b"NOOP": b"250 2.0.0 Ok",
	b"HELO": b"250 sink.test", b"STARTTLS": b"454 4.7.0 No", b"AUTH": b"235 2.7.0 Ok"}


class Mail:
	def __init__(self, sender):
		self.sender = sender  # the MAIL command
		self.recipients = []
		self.data = bytearray()
		self.chunks = []

	def fields(self, name):
		"""The values of all header fields of that name, unfolded."""
		header = bytes(self.data).split(b"\r\n\r\n")[0].replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ").decode()
		return [line.split(":", 1)[1].strip() for line in header.split("\r\n")
			if line.lower().startswith(name.lower() + ":")]

	def without_trace(self):
		"""The message as its author sent it: without the first Received field."""
		data = bytes(self.data)
		end = data.index(b"\r\n", data.index(b"+0000"))
		return data[end + 2:]


class SmtpServer(Backend):
	"""keeps=False: count the bytes of messages and throw them away. `starttls`: a context of the ssl module."""

	def __init__(self, lab, extensions=EXTENSIONS, keeps=True, address=None, starttls=None, **more):
		self.extensions, self.keeps, self.starttls = extensions, keeps, starttls
		self.mails = []
		self.bytes = 0
		super().__init__(lab, self.talk, address=address or lab.address(10025), remembers=False, **more)

	def wait_mail(self, number=1):
		eventually(lambda: len(self.mails) >= number, f"mail number {number}")
		return self.mails[number - 1]

	def talk(self, session):
		session.send(b"220 sink.test ESMTP\r\n")
		mail = None
		while line := session.line():
			verb = line.split(b" ")[0].split(b":")[0].upper()
			if verb == b"EHLO":
				offer = self.starttls and not isinstance(session.sock, ssl.SSLSocket)
				lines = (b"sink.test",) + self.extensions + ((b"STARTTLS",) if offer else ())
				session.send(b"".join(b"250%c%s\r\n" % (b"- "[row is lines[-1]], row) for row in lines))
			elif verb == b"STARTTLS" and self.starttls:
				session.send(b"220 2.0.0 Go\r\n")
				session.sock = self.starttls.wrap_socket(session.sock, server_side=True)
			elif verb == b"DATA":
				session.send(b"354 go\r\n")
				self.read_dots(session, mail)
				self.finish(session, mail)
			elif verb == b"BDAT":
				words = line.split()
				mail.chunks.append(int(words[1]))
				mail.data += session.exactly(int(words[1]))
				if len(words) > 2:
					self.finish(session, mail)
				else:
					session.send(b"250 2.0.0 Ok\r\n")
			elif verb == b"QUIT":
				session.send(b"221 2.0.0 Bye\r\n")
				return
			else:
				if verb == b"MAIL":
					mail = Mail(line)
				elif verb == b"RCPT":
					mail.recipients.append(line)
				session.send(REPLIES.get(verb, b"500 5.5.2 What") + b"\r\n")

	def finish(self, session, mail):
		self.mails.append(mail)
		session.send(b"250 2.0.0 Ok: kept\r\n")

	def read_dots(self, session, mail):
		"""Up to CRLF . CRLF, dots taken off; line by line only where it is small."""
		while True:
			line = session.until(b"\r\n")
			if line == b".\r\n":
				return
			self.bytes += len(line)
			if self.keeps:
				mail.data += line[1:] if line.startswith(b".") else line


def login(client, name="client.example", user=b"\0alice\0secret"):
	"""EHLO and AUTH PLAIN by hand; returns the lines of the EHLO answer."""
	import base64
	lines = command(client, f"EHLO {name}")
	command(client, b"AUTH PLAIN " + base64.b64encode(user), b"235")
	return lines


def command(client, text, *wanted):
	"""Send a line; all lines of the answer, whose code must be among `wanted`, if given."""
	client.send((text if isinstance(text, bytes) else text.encode()) + b"\r\n")
	return reply(client, *wanted)


def reply(client, *wanted):
	lines = [client.line()]
	with contextlib.suppress(IndexError):
		while lines[-1][3:4] == b"-":
			lines.append(client.line())
	if wanted and lines[-1][:3] not in wanted:
		raise AssertionError(f"{lines[-1]!r} does not begin with {wanted}")
	return lines
