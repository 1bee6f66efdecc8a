# SPDX-License-Identifier: MIT
"""ClientHello messages as bytes, for clients that no library would play, and the beginning of what servers answer."""

import os
from collections import namedtuple

NULL = (0x0001, 0x0002, 0x003B, 0xC006, 0xC010)
RC4 = (0x0004, 0x0005, 0xC007, 0xC011)
EXPORT_AND_DES = (0x0003, 0x0006, 0x0008, 0x0009, 0x0014, 0x0015, 0x0062)
TRIPLE_DES = (0x000A, 0x0016, 0xC008, 0xC012)
RSA_TRANSPORT = (0x002F, 0x0035, 0x003C, 0x003D, 0x009C, 0x009D)
STATIC_DH = (0x0030, 0x0031, 0x003F, 0x00A0, 0x00A4, 0xC004, 0xC00E, 0xC029, 0xC031)
DHE = (0x0033, 0x0039, 0x0067, 0x006B, 0x009E, 0x009F, 0xCCAA)
ANONYMOUS = (0x0034, 0x003A, 0x006C, 0x006D, 0x00A6, 0x00A7, 0xC018, 0xC019)
CBC = (0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027, 0xC028, 0xC072, 0xC076)
GOOD = (0xC02B, 0xC02C, 0xC02F, 0xC030)
GROUPS = (0x001D, 0x0017, 0x0018)
SIGNATURES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501)
ALERT = bytes((21, 3, 3, 0, 2, 2, 90))  # fatal, user_canceled: "that was all"

ServerHello = namedtuple("ServerHello", "version suite compression extensions")


def u16(number):
	return number.to_bytes(2, "big")


def vector(size, *items):
	"""Items behind their common length, which takes `size` bytes."""
	data = b"".join(items)
	return len(data).to_bytes(size, "big") + data


def words(numbers):
	return b"".join(map(u16, numbers))


def extension(kind, data):
	return u16(kind) + vector(2, data)


def record(data, version=0x0301):
	return b"\x16" + u16(version) + vector(2, data)


def client_hello(version, suites=None, name="mail.example.test", *, groups=GROUPS, signatures=SIGNATURES, alpn=(),
		compressions=(0,), more=b"", linger=False):
	"""A hello for that version of TLS and none above. With `linger` an alert follows, so that a server that likes the
	hello still comes to an end."""
	suites = suites or ((0x1301, 0x1302, 0x1303) if version == 0x0304 else GOOD)
	extensions = extension(0, vector(2, b"\0" + vector(2, name.encode())))
	extensions += extension(10, vector(2, words(groups))) + extension(11, vector(1, b"\0"))
	extensions += extension(13, vector(2, words(signatures))) + extension(23, b"") + extension(0xFF01, b"\0")
	if alpn:
		extensions += extension(16, vector(2, *(vector(1, word.encode()) for word in alpn)))
	if version == 0x0304:
		share = u16(0x0017) + vector(2, P256_POINT)
		extensions += extension(43, vector(1, u16(version))) + extension(51, vector(2, share))
	body = u16(min(version, 0x0303)) + os.urandom(32) + vector(1, os.urandom(32)) + vector(2, words(suites))
	body += vector(1, bytes(compressions)) + vector(2, extensions, more)
	return record(b"\x01" + vector(3, body)) + (ALERT if linger else b"")


# the base point of P-256: a key share whose secret is 1
P256_POINT = bytes.fromhex("04"
	"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
	"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")


def sslv2_hello():
	"""The hello of SSL 2.0, with ciphers of its own."""
	ciphers = bytes.fromhex("010080 020080 030080 040080 050080 060040 0700c0".replace(" ", ""))
	body = b"\x01\x00\x02" + u16(len(ciphers)) + u16(0) + u16(16) + ciphers + os.urandom(16)
	return u16(0x8000 | len(body)) + body


def server_hello(data):
	"""The ServerHello at the front of what a server said."""
	if data[:1] != b"\x16" or data[5] != 2:
		raise AssertionError(f"no ServerHello but {data[:16].hex()}")
	body = data[9:]
	rest = body[34:]
	rest = rest[1 + rest[0]:]
	found, kinds = rest[5:5 + int.from_bytes(rest[3:5], "big")], set()
	while found:
		kinds.add(int.from_bytes(found[:2], "big"))
		found = found[4 + int.from_bytes(found[2:4], "big"):]
	return ServerHello(int.from_bytes(body[:2], "big"), int.from_bytes(rest[:2], "big"), rest[2], kinds)


def server_suite(data):
	return server_hello(data).suite
