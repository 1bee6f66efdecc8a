# SPDX-License-Identifier: MIT
"""Between a resolver and the name servers of zones.py: it sees each question, and can lose or refuse some.

	watch = DnsWatch(lab, zones)
	zones.unbound_conf(server=watch.place)
	watch.asked                              # [("_25._tcp.mx.a.test", "TLSA"), ...], names in lower case
	watch.faults["mx.a.test", "A"] = "servfail"   # or "refused", "formerr", "silent"; "denied": that there are none, unsigned,
	                                         # which is bogus; "ad": the answer says that it is authentic
"""

import contextlib
import socket
import struct
import threading

from lab import PATIENCE_S

TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 15: "MX", 16: "TXT", 28: "AAAA", 43: "DS", 48: "DNSKEY", 52: "TLSA"}
RCODES, AD = {"servfail": 2, "refused": 5, "formerr": 1, "denied": 0}, 0x20


def question_of(packet):
	"""Name and type of the first question; names of questions are never compressed."""
	labels, place = [], 12
	while packet[place]:
		size = packet[place]
		labels.append(packet[place + 1:place + 1 + size].decode("latin-1").lower())
		place += size + 1
	kind = struct.unpack("!H", packet[place + 1:place + 3])[0]
	return ".".join(labels), TYPES.get(kind, str(kind)), place + 5


def refusal(packet, end, rcode):
	"""An answer without records; authoritative, as a denial must be."""
	flags = 0x8400 | (packet[2] << 8 & 0x0100) | rcode
	return packet[:2] + struct.pack("!HHHHH", flags, 1, 0, 0, 0) + packet[12:end]


class DnsWatch:
	def __init__(self, lab, zones):
		self.server = (zones.host, zones.port)
		self.host, self.port = lab.host(), zones.port
		self.asked, self.faults = [], {}
		self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		self.udp.bind((self.host, self.port))
		self.tcp = socket.create_server((self.host, self.port))
		lab.closers.callback(self.close)
		for serve in (self.serve_udp, self.serve_tcp):
			threading.Thread(target=serve, daemon=True).start()

	@property
	def place(self):
		return f"{self.host}@{self.port}"

	def close(self):
		self.udp.close()
		self.tcp.close()

	def count(self, name, kind):
		return self.asked.count((name, kind))

	def judge(self, packet):
		"""None: pass it on. Else the answer, b"" for silence."""
		name, kind, end = question_of(packet)
		self.asked.append((name, kind))
		fault = self.faults.get((name, kind))
		if fault in RCODES:
			return refusal(packet, end, RCODES[fault])
		return {None: None, "ad": None, "silent": b""}[fault]

	def alter(self, packet):
		"""An answer of the server as it is passed on."""
		name, kind, _ = question_of(packet)
		if self.faults.get((name, kind)) == "ad":
			return packet[:3] + bytes([packet[3] | AD]) + packet[4:]
		return packet

	def serve_udp(self):
		with contextlib.suppress(OSError):
			while True:
				packet, client = self.udp.recvfrom(65535)
				threading.Thread(target=self.answer_udp, args=(packet, client), daemon=True).start()

	def answer_udp(self, packet, client):
		answer = self.judge(packet)
		if answer is None:
			with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
				sock.settimeout(PATIENCE_S)
				sock.sendto(packet, self.server)
				answer = self.alter(sock.recv(65535))
		if answer:
			with contextlib.suppress(OSError):
				self.udp.sendto(answer, client)

	def serve_tcp(self):
		with contextlib.suppress(OSError):
			while True:
				sock, _ = self.tcp.accept()
				threading.Thread(target=self.answer_tcp, args=(sock,), daemon=True).start()

	def answer_tcp(self, client):
		"""One question a connection; resolvers come again."""
		with client, contextlib.suppress(OSError, IndexError, struct.error):
			packet = read_message(client)
			answer = self.judge(packet)
			if answer is None:
				with socket.create_connection(self.server, PATIENCE_S) as server:
					server.sendall(struct.pack("!H", len(packet)) + packet)
					answer = self.alter(read_message(server))
			if answer:
				client.sendall(struct.pack("!H", len(answer)) + answer)


def read_message(sock):
	size = struct.unpack("!H", sock.recv(2, socket.MSG_WAITALL))[0]
	return sock.recv(size, socket.MSG_WAITALL)
