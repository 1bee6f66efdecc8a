# SPDX-License-Identifier: MIT
"""What a test of the edge begins with: a lab, its certificate authority, one mail server's certificate, clients that
trust it, and scripted backends."""

from functools import cache

from lab import Lab
from pki import Pki
from wire import Backend, context, imap_server, pop3_server

NAME = "mail.example.test"
lab = Lab()


@cache
def pki():
	return Pki(lab)


@cache
def leaf():
	"""The certificate of NAME."""
	return pki().leaf("mail", [NAME])


@cache
def tls():
	"""A client that trusts the lab's authority."""
	return context(pki().root)


@cache
def backend(protocol="imap"):
	"""A scripted server, which remembers every byte."""
	return Backend(lab, imap_server if protocol == "imap" else pop3_server)
