#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gatepost policy check-postfix: a real postconf reads a directory, a real unbound is the resolver, right and then wrong in
each way that is known."""

import os
import sys
from functools import cache

sys.dont_write_bytecode = True
from edge_lab import lab, pki  # noqa: E402
from gate import config_text, gatepost  # noqa: E402
from lab import command, connects, contains, equal, eventually, move_inside, run, test  # noqa: E402
from zones import Zones  # noqa: E402

move_inside()
MAP = "socketmap:inet:127.0.0.1:8642:QUERY"
AUTHORITIES = "    smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt"
LOCAL = "    nameserver 127.0.0.1"
OLD = {"mail_version": "3.7.11"}
QUEUE = lab.make_directory("queue")


@cache
def zones():
	return Zones(lab, {})


def start_unbound(name, addresses, more):
	text = '  chroot: ""\n  username: ""\n  pidfile: ""\n  use-syslog: no\n  logfile: ""\n'
	text += "".join(f"  interface: {address}\n" for address in addresses) + more
	with open(zones().unbound_conf(text), encoding="utf-8") as file:
		conf = lab.write(name + ".conf", file.read().replace("  do-ip6: no\n", ""))
	lab.start(name, ["unbound", "-d", "-c", conf])
	for address in addresses:
		eventually(lambda: connects(f"[{address}]:53" if ":" in address else address + ":53"), name)  # noqa: B023


@cache
def resolvers():
	"""127.0.0.1 and ::1 validate, 127.0.0.2 does not."""
	start_unbound("unbound", ["127.0.0.1", "::1"], f'  trust-anchor-file: "{zones().anchor}"\n')
	start_unbound("blind", ["127.0.0.2"], '  module-config: "iterator"\n')


@cache
def machine_resolv_conf():
	"""The machine's own file, in this name space."""
	path = lab.write("resolv.conf", "")
	command("mount", "--bind", path, "/etc/resolv.conf", root=True)
	return path


def resolv_conf(text, chrooted):
	if chrooted:
		lab.make_directory("queue", "etc")
		lab.write("queue/etc/resolv.conf", text)
	else:
		with open(machine_resolv_conf(), "w", encoding="utf-8") as file:  # renamed it would not be the one that is mounted
			file.write(text)


def directory(settings, chroot):
	right = {"compatibility_level": "3.6", "myhostname": "mail.test", "queue_directory": QUEUE, "smtp_dns_support_level": "dnssec",
		"smtp_host_lookup": "dns", "smtp_tls_security_level": "dane", "smtp_tls_CAfile": pki().root,
		"smtp_tls_policy_maps": MAP}
	main = "".join(f"{name} = {value}\n" for name, value in (right | settings).items())
	return write_directory("etc", main, f"smtp inet n - y - - smtpd\nsmtp unix - - {chroot} - - smtp\n")


def write_directory(name, main, master):
	lab.make_directory(name)
	for file, text in (("main.cf", main), ("master.cf", master)):
		path = lab.write(os.path.join(name, file), text)
		os.utime(path, (0, 0))  # Postfix waits when a file may still be written
	return lab.path(name)


def check(settings=None, *, chroot="n", resolvers_are="nameserver 127.0.0.1\n", policy=None, where=None, **more):
	"""Exit status and the lines printed. /etc/resolv.conf is right where smtp should not look at it, and wrong otherwise."""
	resolvers()
	sees_queue = chroot == "y" or (chroot == "-" and (settings or {}).get("compatibility_level") == "0")
	resolv_conf(resolvers_are, sees_queue)
	resolv_conf("nameserver 192.0.2.1\n", not sees_queue)
	conf = lab.write("gatepost.conf", config_text({"server": {"run_dir": lab.directory, "state_dir": lab.directory},
		"dns": {"trust_anchors": zones().anchor, "self_test": "test"},
		"policy": {"addresses": ["127.0.0.1:8642"], **(policy or {})}}))
	done = gatepost(lab, "policy", "check-postfix", "--config-directory", where or directory(settings or {}, chroot), "-c", conf, **more)
	check.complaint = done.stderr
	return done.returncode, done.stdout.splitlines()


def good(*arguments, **more):
	equal(check(*arguments, **more), (0, [f"Postfix {VERSION} follows the answers of the policy service"]))


VERSION = command("postconf", "-h", "mail_version", check=False).stdout.strip()


@test("[7672-2.1.1-2 7672-2.1.1-3] a Postfix that does what it is told, in a chroot and not")
def _():
	good()
	good(chroot="-")
	good(chroot="y")
	good({"compatibility_level": "0"}, chroot="-")


@test("a resolver by IPv6, a map among others, a directory of authorities, and level may are as good")
def _():
	good(resolvers_are="# nameserver 192.0.2.53\noptions edns0\nnameserver ::1\n")
	good({"smtp_tls_policy_maps": f"hash:/etc/postfix/tls_policy, {MAP}"})
	good({"smtp_tls_CAfile": "", "smtp_tls_CApath": "/etc/ssl/certs"})
	good({"smtp_tls_security_level": "may"})
	good({"smtp_tls_policy_maps": "$ours", "ours": MAP})


SOCKET = f"unix:{QUEUE}/gatepost/policy.sock"
# name, what is wrong, what is printed
WRONG = (
	("a Postfix without servername=", ({"mail_version": "3.3.22"},), {},
		["Postfix 3.3.22 does not support servername=: 3.4 or newer is needed"]),
	("no map", ({"smtp_tls_policy_maps": ""},), {},
		["Postfix does not ask the policy service", f"    smtp_tls_policy_maps = {MAP}"]),
	("maps of others only", ({"smtp_tls_policy_maps": "hash:/etc/postfix/tls_policy"},), {},
		["Postfix does not ask the policy service", f"    smtp_tls_policy_maps = hash:/etc/postfix/tls_policy, {MAP}"]),
	("no map, and a socket in the queue directory", ({"smtp_tls_policy_maps": ""},), {"policy": {"addresses": [SOCKET]}},
		["Postfix does not ask the policy service", "    smtp_tls_policy_maps = socketmap:unix:gatepost/policy.sock:QUERY"]),
	("[X-PFX-1] the map of another version", ({"smtp_tls_policy_maps": MAP + "withTLSRPT", **OLD},), {},
		["the map is called QUERYwithTLSRPT, but Postfix 3.7.11 refuses the attributes of any other than QUERY",
			f"    smtp_tls_policy_maps = {MAP}"]),
	("[X-PFX-1] a Postfix that could report", ({"mail_version": "3.10.1"},), {},
		["the map is called QUERY, but Postfix 3.10.1 can report by TLSRPT with QUERYwithTLSRPT",
			f"    smtp_tls_policy_maps = {MAP}withTLSRPT"]),
	("a socket that leads out of the chroot", ({"smtp_tls_policy_maps": "socketmap:unix:/run/gatepost/x.sock:QUERY"},),
		{"chroot": "y"},
		[f"smtp runs in the chroot {QUEUE}, and the socket in smtp_tls_policy_maps is outside of it; in gatepost.conf:",
			f'    policy: {{ addresses = [ "{SOCKET}" ]; }};', "  and in main.cf:",
			"    smtp_tls_policy_maps = socketmap:unix:gatepost/policy.sock:QUERY"]),
	("no level", ({"smtp_tls_security_level": ""},), {},
		["domains without a policy get mail without TLS", "    smtp_tls_security_level = dane"]),
	("the level none", ({"smtp_tls_security_level": "none"},), {},
		["domains without a policy get mail without TLS", "    smtp_tls_security_level = dane"]),
	("no DNSSEC", ({"smtp_dns_support_level": "enabled"},), {},
		["Postfix does not ask for DNSSEC, so dane and dane-only fail", "    smtp_dns_support_level = dnssec"]),
	("hosts that are not looked up in the DNS", ({"smtp_host_lookup": "native"},), {},
		["Postfix does not look up addresses in the DNS, so they are never secure", "    smtp_host_lookup = dns"]),
	("no authorities", ({"smtp_tls_CAfile": ""},), {},
		["Postfix trusts no CA, so no certificate passes MTA-STS", AUTHORITIES]),
	("authorities that cannot be read", ({"smtp_tls_CAfile": "/nonexistent.pem"},), {},
		["smtp_tls_CAfile /nonexistent.pem cannot be read", AUTHORITIES]),
	("a directory of authorities outside of the chroot", ({"smtp_tls_CAfile": "", "smtp_tls_CApath": "/etc/ssl/certs"},),
		{"chroot": "y"},
		[f"smtp runs in the chroot {QUEUE} and cannot read smtp_tls_CApath /etc/ssl/certs; Postfix reads a file before the chroot", AUTHORITIES]),
	("no resolver in the chroot", (), {"chroot": "y", "resolvers_are": "# nothing\n"},
		[f"{QUEUE}/etc/resolv.conf names no resolver, and smtp runs in a chroot and reads only this file; install unbound, and write in that file:",
			LOCAL]),
	("no resolver", (), {"resolvers_are": "search test\n"},
		["/etc/resolv.conf names no resolver; install unbound, and write in that file:", LOCAL]),
	("[7672-2.1.1-3] a resolver on another machine", (), {"resolvers_are": "nameserver 192.0.2.53\n"},
		["the resolver 192.0.2.53 in /etc/resolv.conf is on another machine: an attacker on the network can forge its "
			"answers (RFC 7672 section 2.1.1); install unbound, and write in that file:", LOCAL]),
	("[7672-2.1.1-3] one on another machine behind a good one", (),
		{"resolvers_are": "nameserver 127.0.0.1\nnameserver 2001:db8::53\n", "chroot": "y"},
		[f"the resolver 2001:db8::53 in {QUEUE}/etc/resolv.conf is on another machine: an attacker on the network can "
			"forge its answers (RFC 7672 section 2.1.1); install unbound, and write in that file:", LOCAL]),
	("[7672-2.1.1-2] a resolver that does not validate", (), {"resolvers_are": "nameserver 127.0.0.2\n"},
		["the resolver 127.0.0.2 in /etc/resolv.conf does not validate DNSSEC, so Postfix never gets a secure answer; for unbound, in "
			"/etc/unbound/unbound.conf.d/:", '    server: auto-trust-anchor-file: "/var/lib/unbound/root.key"']),
	("[7672-2.1.1-2] a resolver that is not there", (), {"resolvers_are": "nameserver 127.0.0.3\n"},
		["the resolver 127.0.0.3 in /etc/resolv.conf does not validate DNSSEC, so Postfix never gets a secure answer; for unbound, in "
			"/etc/unbound/unbound.conf.d/:", '    server: auto-trust-anchor-file: "/var/lib/unbound/root.key"']),
	("an old Postfix and hosts of an insecure MX", ({"smtp_tls_security_level": "may", **OLD},),
		{"policy": {"dane_insecure_mx": True}},
		["policy.dane-insecure-mx is set, but Postfix 3.7.11 follows dane for an insecure MX only with",
			"    smtp_tls_dane_insecure_mx_policy = dane"]),
	("a level that is stated and is not that of Postfix", (), {"policy": {"smtp_tls_security_level": "may"}},
		["policy.smtp-tls-security-level is may, but the level of Postfix is dane; in gatepost.conf:",
			'    policy: { smtp-tls-security-level = "dane"; };']),
)


def wrong(row):
	name, arguments, more, lines = row

	@test(name)
	def _():
		equal(check(*arguments, **more), (1, lines))


for one in WRONG:
	wrong(one)


@test("a file without any setting is told all of it, in the order of the work")
def _():
	path = write_directory("bare", f"compatibility_level = 3.6\nmyhostname = mail.test\nqueue_directory = {QUEUE}\n",
		"smtp unix - - y - - smtp\n")
	status, lines = check(where=path, chroot="y", resolvers_are="")
	equal(status, 1)
	equal([line for line in lines if line.startswith("    ")], [f"    smtp_tls_policy_maps = {MAP}",
		"    smtp_tls_security_level = dane", "    smtp_dns_support_level = dnssec", AUTHORITIES, LOCAL])


@test("a directory that is none, or no postconf: exit status 2")
def _():
	equal(check(where="/nonexistent"), (2, []))
	contains(check.complaint, "postconf(1) cannot be run, or cannot read the configuration of Postfix")
	equal(check(env=os.environ | {"PATH": lab.directory}), (2, []))
	contains(check.complaint, "postconf(1) cannot be run, or cannot read the configuration of Postfix")


run(lab)
