# SPDX-License-Identifier: MIT
"""Certificates made by the openssl command: one root, one intermediate, leaves as a test asks for them.

	pki = Pki(lab)
	good = pki.leaf("good", ["mail.example.test"])
	good.chain, good.key                              # paths: leaf + intermediate, private key
	old = pki.leaf("old", ["a.test"], expired=True)
	foreign = pki.leaf("foreign", ["a.test"], signer="other")
"""

import os
from collections import namedtuple

from lab import command

Leaf = namedtuple("Leaf", "label chain key certificate")

CONFIG = """[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = {usage}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = {names}
[ca]
default_ca = expired
[expired]
database = {directory}/index.txt
new_certs_dir = {directory}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = leaf
[any]
CN = supplied
"""

KEYS = {
	"ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
	"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
	"rsa4096": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
	"rsa1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
}


def kind_of(name):
	"""A name as subjectAltName has it in a configuration of OpenSSL."""
	if ":" in name:
		return name
	if "@" in name:
		return "email:" + name
	return ("IP:" if name.replace(".", "").isdigit() else "DNS:") + name


class Pki:
	def __init__(self, lab, directory="pki"):
		self.lab = lab
		self.directory = lab.make_directory(directory)
		self.lab.write(os.path.join(directory, "index.txt"), "")
		for signer in ("root", "other"):
			self.authority(signer, None)
		self.authority("intermediate", "root")

	@property
	def root(self):
		"""What clients trust."""
		return self.file("root.crt")

	@property
	def other_root(self):
		return self.file("other.crt")

	def file(self, name):
		return os.path.join(self.directory, name)

	def openssl(self, *words):
		command("openssl", *words)

	def config(self, label, names, usage="serverAuth"):
		kinds = [kind_of(name) for name in names]
		text = CONFIG.format(name=names[0].rsplit(":", 1)[-1], names=", ".join(kinds), directory=self.directory, usage=usage)
		return self.lab.write(self.file(label + ".cnf"), text)

	def make_key(self, label, kind):
		path = self.file(label + ".key")
		self.openssl("genpkey", *KEYS[kind], "-out", path)
		os.chmod(path, 0o600)
		return path

	def authority(self, label, signer):
		config = self.config(label, [f"Lab {label} authority"])
		self.sign(label, signer, self.make_key(label, "ec"), config, "authority")

	def sign(self, label, signer, key, config, section, expired=False, digest="sha256"):
		"""label.crt for the key; without signer it signs itself."""
		request, certificate = self.file(label + ".csr"), self.file(label + ".crt")
		self.openssl("req", "-new", "-config", config, "-key", key, "-out", request)
		signing = ["-signkey", key] if not signer else ["-CA", self.file(signer + ".crt"),
			"-CAkey", self.file(signer + ".key"), "-CAcreateserial"]
		if expired:
			self.openssl("ca", "-batch", "-notext", "-config", config, "-in", request, "-out", certificate,
				"-cert", self.file(signer + ".crt"), "-keyfile", self.file(signer + ".key"),
				"-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
		else:
			self.openssl("x509", "-req", "-" + digest, "-days", "30", "-in", request, "-out", certificate,
				"-extfile", config, "-extensions", section, *signing)
		return certificate

	def leaf(self, label, names, kind="ec", signer="intermediate", usage="serverAuth", **more):
		"""A certificate for `names`: DNS names, IPv4 addresses, mail addresses or as OpenSSL has it ("otherName:...")."""
		key = self.make_key(label, kind)
		certificate = self.sign(label, signer, key, self.config(label, names, usage), "leaf", **more)
		parts = [certificate] + ([self.file("intermediate.crt")] if signer == "intermediate" else [])
		chain = self.file(label + ".chain")
		self.lab.write(chain, b"".join(open(part, "rb").read() for part in parts))
		return Leaf(label, chain, key, certificate)
