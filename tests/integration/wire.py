# SPDX-License-Identifier: MIT
"""Both ends of the wire: clients that send exactly what a test says, and backends that follow a script.

	client = Client(address)                          # or Client(address, source="127.1.2.3")
	client.line()                                     # b"* OK ..."
	client.imap("STARTTLS")                           # [b"t1 OK ..."], with a tag of its own
	client.start_tls(context(pki), "mail.example.test")
	client.ending()                                   # "close_notify", "cut" or "reset"

	backend = Backend(lab, imap_server)               # or any function that takes a Session
	backend.address, backend.sessions[0].heard
"""

import contextlib
import socket
import ssl
import struct
import threading

from lab import PATIENCE_S, Gone, eventually, split_address

CHUNK = 65536


def as_bytes(text):
	return text if isinstance(text, bytes) else text.encode()


class Talk:
	"""One connection. Whatever takes longer than `patience` is an error."""

	def __init__(self, sock, patience=PATIENCE_S):
		self.sock = sock
		self.sock.settimeout(patience)
		with contextlib.suppress(OSError):
			self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		self.unread = bytearray()
		self.over = False  # nothing more will come
		self.tags = 0

	# -- bytes

	def send(self, data):
		self.sock.sendall(as_bytes(data))

	def receive(self):
		"""The next bytes, b"" at the end."""
		return self.sock.recv(CHUNK)

	def fill(self):
		data = self.receive()
		self.unread += data
		self.over = not data
		return bool(data)

	def take(self, count):
		data = bytes(self.unread[:count])
		del self.unread[:count]
		return data

	def until(self, mark):
		"""All bytes up to and with the next `mark`, or up to the end of the connection."""
		looked = 0
		while True:
			end = self.unread.find(mark, looked)
			if end >= 0:
				return self.take(end + len(mark))
			looked = max(0, len(self.unread) - len(mark))
			if not self.fill():
				return self.take(len(self.unread))

	def line(self):
		"""The next line without its end; b"" may also be the end of the connection."""
		return self.until(b"\n").rstrip(b"\r\n")

	def exactly(self, count):
		while len(self.unread) < count:
			if not self.fill():
				raise Gone(f"the connection ended {count - len(self.unread)} bytes too early")
		return self.take(count)

	def rest(self):
		"""All that comes until the end."""
		while self.fill():
			pass
		return self.take(len(self.unread))

	def say_all(self, data):
		"""Send the bytes and FIN; all that the other side says until it has ended, too."""
		with contextlib.suppress(OSError):
			self.send(data)
			self.sock.shutdown(socket.SHUT_WR)
			return self.rest()
		return self.take(len(self.unread))

	def close(self):
		self.sock.close()

	def reset(self):
		"""End with RST."""
		self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		# a thread that reads holds the socket open; on Linux nothing is sent for this
		with contextlib.suppress(OSError):
			self.sock.shutdown(socket.SHUT_RD)
		self.sock.close()

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.close()

	# -- IMAP and POP3

	def tag(self):
		self.tags += 1
		return f"t{self.tags}"

	def imap(self, text):
		"""One command with its answer: all lines, the tagged one last (or what came before the end)."""
		tag = self.tag()
		self.send(f"{tag} {text}\r\n")
		return self.imap_answer(tag)

	def imap_answer(self, tag):
		lines = []
		while True:
			lines.append(self.line())
			if self.over or lines[-1].startswith(as_bytes(tag) + b" "):
				return lines

	def fetch(self, text):
		"""A FETCH of one literal: its bytes."""
		tag = self.tag()
		self.send(f"{tag} {text}\r\n")
		head = self.line()
		size = int(head[head.rindex(b"{") + 1:-1])
		data = self.exactly(size)
		if b" OK" not in self.imap_answer(tag)[-1]:
			raise Gone("FETCH did not end well")
		return data

	def pop(self, text):
		"""A POP3 command with an answer of one line."""
		self.send(f"{text}\r\n")
		return self.line()

	def pop_list(self, text):
		"""A POP3 command with an answer of many lines: its status, and the lines without dots as bytes."""
		status = self.pop(text)
		if not status.startswith(b"+OK"):
			return status, b""
		body = b"\r\n" + self.until(b"\r\n.\r\n")
		return status, body.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")[2:]


# ---- clients ----


def context(root, **settings):
	"""A TLS context that trusts the authority in file `root` and takes a missing close_notify for what it is."""
	made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
	made.load_verify_locations(root)
	made.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
	for name, value in settings.items():
		setattr(made, name, value)
	return made


class Client(Talk):
	"""A TCP client that can begin TLS at any byte. TLS runs on memory, so that a test decides what is sent when."""

	def __init__(self, address, source=None, **options):
		where = (source, 0) if source else None
		super().__init__(socket.create_connection(split_address(address), PATIENCE_S, where, **options))
		self.name = "{}:{}".format(*self.sock.getsockname()[:2])
		self.tls = None
		self.closed_by = None

	# -- TLS

	def hello(self, tls_context, name, session=None):
		"""Make ready for TLS; returns the ClientHello, which is not sent."""
		self.into, self.out_of = ssl.MemoryBIO(), ssl.MemoryBIO()
		self.tls_next = tls_context.wrap_bio(self.into, self.out_of, server_hostname=name, session=session)
		with contextlib.suppress(ssl.SSLWantReadError):
			self.tls_next.do_handshake()
		return self.out_of.read()

	def start_tls(self, tls_context, name, session=None, piece=CHUNK):
		"""A whole handshake; the ClientHello in pieces of `piece` bytes."""
		hello = self.hello(tls_context, name, session)
		for start in range(0, len(hello), piece):
			self.sock.sendall(hello[start:start + piece])
		self.finish_tls()

	def finish_tls(self):
		"""The handshake behind the ClientHello. Raises ssl.SSLError with the server's alert."""
		self.into.write(self.take(len(self.unread)))
		self.drive(self.tls_next.do_handshake)
		self.tls = self.tls_next

	def drive(self, step):
		"""Repeat a step of TLS, moving bytes, until it is done."""
		while True:
			try:
				return step()
			except ssl.SSLWantReadError:
				self.flush()
				data = self.sock.recv(CHUNK)
				if data:
					self.into.write(data)
				else:
					self.into.write_eof()
			finally:
				self.flush()

	def flush(self):
		data = self.out_of.read()
		if data:
			with contextlib.suppress(BrokenPipeError, ConnectionResetError):
				self.sock.sendall(data)

	def send(self, data):
		if self.tls:
			self.tls.write(as_bytes(data))
			self.flush()
		else:
			super().send(data)

	def receive(self):
		if not self.tls:
			return super().receive()
		if self.closed_by:
			return b""
		try:
			data = self.drive(lambda: self.tls.read(CHUNK))
			self.closed_by = None if data else "close_notify"
			return data
		except ssl.SSLZeroReturnError:  # the same, when we have sent ours before
			self.closed_by = "close_notify"
		except ssl.SSLEOFError:
			self.closed_by = "cut"
		except ssl.SSLError as error:  # some versions of Python have no class of its own for that
			self.closed_by = "cut" if error.reason == "UNEXPECTED_EOF_WHILE_READING" else error.reason
		except ConnectionResetError:
			self.closed_by = "reset"
		return b""

	# -- endings

	def ending(self):
		"""How the server ends the connection: "close_notify" (and FIN), "cut" (FIN alone), "reset", or the name of an
		error of TLS. What came before stays in .unread; in cleartext there is "cut" or "reset"."""
		try:
			while self.fill():
				pass
			if self.closed_by == "close_notify" and self.sock.recv(1):
				return "more bytes after close_notify"
		except ConnectionResetError:
			return self.closed_by or "reset"
		return self.closed_by or "cut"

	def say_goodbye(self):
		"""Send close_notify, and leave the rest to the server."""
		with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLError):
			self.tls.unwrap()
		self.flush()


def implicit(address, tls_context, name, **more):
	"""A client inside TLS from the start."""
	client = Client(address, **more)
	client.start_tls(tls_context, name)
	return client


def by_starttls(address, tls_context, name, **more):
	"""A client that came through STARTTLS or STLS, whichever the greeting calls for."""
	client = Client(address, **more)
	greeting = client.line()
	answer = client.imap("STARTTLS")[-1] if greeting.startswith(b"*") else client.pop("STLS")
	if b"OK" not in answer:
		raise Gone(f"no TLS: {answer!r}")
	client.start_tls(tls_context, name)
	return client


def alert_of(data):
	"""The number of a TLS alert in cleartext, at the end of what a server sent; None without one."""
	alert = None
	while len(data) >= 5:
		size = int.from_bytes(data[3:5], "big")
		if data[0] == 21 and size == 2:
			alert = data[6]
		data = data[5 + size:]
	return alert


# ---- backends ----


class Session(Talk):
	"""The backend's side of a connection; .heard is every byte that came."""

	def __init__(self, sock, backend):
		super().__init__(sock, patience=20 * PATIENCE_S)  # it is the client who loses patience first
		self.backend = backend
		self.heard = b""
		self.streamed = 0
		self.failure = None

	def receive(self):
		data = super().receive()
		if self.backend.remembers:
			self.heard += data
		return data


class Backend:
	"""A server on an address of its own that runs `script(session)` for each connection, in a thread."""

	def __init__(self, lab, script, tls=None, address=None, remembers=True):
		self.script, self.tls, self.remembers = script, tls, remembers
		self.address = address or lab.address(1143)
		self.sessions = []
		self.listener = self.make_listener()
		self.listener.listen(1024)
		lab.closers.callback(self.close)
		threading.Thread(target=self.accept, daemon=True).start()

	def make_listener(self):
		made = socket.socket()
		made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		made.bind(split_address(self.address))
		return made

	def accept(self):
		with contextlib.suppress(OSError):
			while True:
				sock, _ = self.listener.accept()
				threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

	def serve(self, sock):
		session = Session(sock, self)
		self.sessions.append(session)
		try:
			if self.tls:
				session.sock = self.tls.wrap_socket(sock, server_side=True)
			self.script(session)
		except (OSError, Gone, ValueError) as failure:
			session.failure = failure
		finally:
			session.close()

	@property
	def count(self):
		return len(self.sessions)

	def wait_count(self, count):
		eventually(lambda: self.count >= count, f"{count} connections to the backend")

	def close(self):
		with contextlib.suppress(OSError):
			self.listener.shutdown(socket.SHUT_RDWR)
		self.listener.close()


def server_context(leaf):
	made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	made.load_cert_chain(leaf.chain, leaf.key)
	return made


GREETING = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] scripted\r\n"


def imap_server(session):
	"""Enough IMAP: every login is good, FETCH gives `backend.message`, XSTREAM N gives N bytes."""
	session.send(GREETING)
	while True:
		words = session.line().split()
		if len(words) < 2:
			return
		tag, verb = words[0], words[1].upper()
		if verb == b"LOGOUT":
			session.send(b"* BYE bye\r\n" + tag + b" OK out\r\n")
			return
		imap_command(session, tag, verb, words)
		session.send(tag + b" OK done\r\n")


def imap_command(session, tag, verb, words):
	if verb == b"CAPABILITY":
		session.send(b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n")
	elif verb == b"FETCH":
		message = session.backend.message
		session.send(b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(message), message))
	elif verb == b"XSTREAM":
		stream(session, int(words[2]))


def stream(session, size):
	"""A literal of `size` bytes, made on the way; .streamed tells how far it has come."""
	block = bytes(range(256)) * 1024
	session.send(b"* 1 FETCH (BODY[] {%d}\r\n" % size)
	for start in range(0, size, len(block)):
		session.send(block[:min(len(block), size - start)])
		session.streamed = start
	session.send(b")\r\n")


def pop3_server(session):
	"""Enough POP3: every login is good."""
	session.send(b"+OK scripted\r\n")
	while True:
		verb = session.line().upper().split(b" ")[0]
		if not verb:
			return
		if verb == b"CAPA":
			session.send(b"+OK\r\nUSER\r\nUIDL\r\nSASL PLAIN\r\n.\r\n")
		else:
			session.send(b"+OK done\r\n")
		if verb == b"QUIT":
			return
