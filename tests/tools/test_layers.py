#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/layers on small made-up trees."""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
LAYERS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tools", "layers")
from tap import contains, equal, run, test  # noqa: E402


def layers(**files):
	"""(exit status, output); a file's name is written with __ for / and _h or _c for its end."""
	with tempfile.TemporaryDirectory() as root:
		for name, text in files.items():
			path = os.path.join(root, name.replace("__", "/")[:-2] + "." + name[-1])
			os.makedirs(os.path.dirname(path), exist_ok=True)
			with open(path, "w", encoding="utf-8") as file:
				file.write(text + "\n")
		done = subprocess.run([sys.executable, LAYERS, root], capture_output=True, text=True, check=False)
		return done.returncode, done.stdout


def objects(**files):
	"""The same with the sources compiled, as Meson would."""
	with tempfile.TemporaryDirectory() as root:
		for name, text in files.items():
			path = name.replace("__", "/")[:-2] + "." + name[-1]
			top, rest = path.split("/", 1)
			library = os.path.join(root, "build", top, {"lib": "libgatepost.a.p", "daemon": "libgatepost-daemon.a.p"}[top])
			for directory in (os.path.dirname(os.path.join(root, path)), library):
				os.makedirs(directory, exist_ok=True)
			with open(os.path.join(root, path), "w", encoding="utf-8") as file:
				file.write(text + "\n")
			subprocess.run(["gcc", "-c", "-o", os.path.join(library, rest.replace("/", "_") + ".o"), os.path.join(root, path)],
				check=True)
		done = subprocess.run([sys.executable, LAYERS, root, os.path.join(root, "build")], capture_output=True, text=True,
			check=False)
		return done.returncode, done.stdout


def refuses(message, **files):
	status, out = layers(**files)
	equal(status, 1)
	contains(out, "not ok")
	contains(out, message)


@test("layers: includes that point down are fine")
def _():
	status, out = layers(lib__base__buf_h="#include <stddef.h>\n#include <time.h>", lib__proto__imap_h='#include "base/buf.h"',
		lib__proto__imap_c='#include "imap.h"\n#include <arpa/inet.h>', daemon__edge__edge_c='#include "proto/imap.h"\n#include <sys/socket.h>',
		cli__main_c='#include "daemon/edge/edge.h"', daemon__edge__edge_h="", tests__unit__free_c='#include <openssl/ssl.h>')
	equal((status, out), (0, "1..4\nok 1 - layers: lib/base\nok 2 - layers: lib/proto\nok 3 - layers: daemon/edge\nok 4 - layers: cli\n"))


@test("layers: includes that point up or sideways are refused, with file and line")
def _():
	refuses("lib/base/buf.c:2: lib/base must not include lib/proto", lib__base__buf_c='\n#include "proto/imap.h"', lib__proto__imap_h="")
	refuses("lib/tls must not include lib/io", lib__tls__ctx_c='#include "../io/loop.h"', lib__io__loop_h="")
	refuses("daemon/edge must not include cli", daemon__edge__a_c='#include "cli/b.h"', cli__b_h="")
	refuses("daemon/edge must not include daemon/policy", daemon__edge__a_c='#include "daemon/policy/b.h"', daemon__policy__b_h="")
	refuses("lib/proto/smtp must not include lib/proto/imap", lib__proto__smtp__a_c='#include "proto/imap/b.h"',
		lib__proto__imap__b_h="")


@test("layers: foreign libraries stay in their directories")
def _():
	refuses("<openssl/ssl.h> belongs to lib/tls only", lib__io__a_c="#include <openssl/ssl.h>")
	refuses("<event2/event.h> belongs to lib/io only", daemon__edge__a_c="#include <event2/event.h>")
	refuses("<libconfig.h> belongs to lib/conf only", daemon__edge__a_c="# include <libconfig.h>")
	refuses("<seccomp.h> belongs to daemon/process only", lib__io__a_c="#include <seccomp.h>")


@test("layers: pure code knows no socket and no clock")
def _():
	for header in ("sys/socket.h", "time.h", "unistd.h"):
		refuses(f"<{header}> has no place in pure code", lib__proto__a_c=f"#include <{header}>")


@test("layers: a role is named in its table only")
def _():
	refuses("lib/conf/a.c:1: a role is named outside lib/proto/role", lib__conf__a_c="int f(void) { return GP_ROLE_IMAPS; }")
	equal(layers(lib__proto__role_h="enum gp_role { GP_ROLE_IMAPS, GP_ROLES };")[0], 0)


@test("layers: a header that needs another one first is refused")
def _():
	refuses("lib/base/a.h does not compile alone", lib__base__a_h="size_t f(void);")


@test("layers: unknown directories and lost headers are refused")
def _():
	refuses("lib/new is not in the table", lib__new__a_c="")
	refuses('"gone.h" is no file of ours', lib__base__a_c='#include "gone.h"')


@test("layers: a ring of files is refused, and says which file uses which")
def _():
	status, out = objects(lib__base__a_c="void gp_b(void); void gp_a(void) { gp_b(); }",
		lib__base__b_c="void gp_c(void); void gp_b(void) { gp_c(); }", lib__base__c_c="void gp_a(void); void gp_c(void) { gp_a(); }",
		lib__base__d_c="void gp_a(void); void gp_d(void) { gp_a(); }")
	equal(status, 1)
	contains(out, "not ok 2 - layers: no ring of files")
	contains(out, "# lib/base/c.c uses lib/base/a.c and is used by it (gp_a)")
	equal("lib/base/d.c" in out, False)
	contains(out, "ok 3 - layers: no ring of directories")


@test("layers: a ring of directories is refused, though no file is in one")
def _():
	status, out = objects(lib__base__a_c="void gp_b(void); void gp_a(void) { gp_b(); }", lib__proto__b_c="void gp_b(void) { }",
		lib__proto__c_c="void gp_d(void); void gp_c(void) { gp_d(); }", lib__base__d_c="void gp_d(void) { }")
	equal(status, 1)
	contains(out, "ok 3 - layers: no ring of files")
	contains(out, "not ok 4 - layers: no ring of directories")
	contains(out, "# lib/base uses lib/proto and is used by it (a.c: gp_b)")


@test("layers: a symbol of the library that does not begin with gp_ is refused")
def _():
	status, out = objects(lib__base__a_c="int smtp_wait;", daemon__edge__b_c="int free_name;")
	equal(status, 1)
	contains(out, "# lib/base/a.c: smtp_wait does not begin with gp_")
	equal("free_name" in out, False)
	equal(objects(lib__base__a_c="int gp_wait;")[0], 0)


@test("layers: a build directory without objects is refused")
def _():
	with tempfile.TemporaryDirectory() as root:
		done = subprocess.run([sys.executable, LAYERS, root, root], capture_output=True, text=True, check=False)
	equal(done.returncode, 1)
	contains(done.stdout, "build first")


run()
