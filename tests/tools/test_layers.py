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


def refuses(message, **files):
	status, out = layers(**files)
	equal(status, 1)
	contains(out, "not ok")
	contains(out, message)


@test("layers: includes that point down are fine")
def _():
	status, out = layers(lib__base__buf_h="#include <stddef.h>\n#include <time.h>", lib__proto__imap_h='#include "base/buf.h"',
		lib__proto__imap_c='#include "imap.h"\n#include <arpa/inet.h>', daemon__edge_c='#include "proto/imap.h"\n#include <seccomp.h>',
		cli__main_c='#include "daemon/edge.h"', daemon__edge_h="", tests__unit__free_c='#include <openssl/ssl.h>')
	equal((status, out), (0, "1..4\nok 1 - layers: lib/base\nok 2 - layers: lib/proto\nok 3 - layers: daemon\nok 4 - layers: cli\n"))


@test("layers: includes that point up or sideways are refused, with file and line")
def _():
	refuses("lib/base/buf.c:2: lib/base must not include lib/proto", lib__base__buf_c='\n#include "proto/imap.h"', lib__proto__imap_h="")
	refuses("lib/tls must not include lib/io", lib__tls__ctx_c='#include "../io/loop.h"', lib__io__loop_h="")
	refuses("daemon must not include cli", daemon__a_c='#include "cli/b.h"', cli__b_h="")


@test("layers: foreign libraries stay in their folders")
def _():
	refuses("<openssl/ssl.h> belongs to lib/tls only", lib__io__a_c="#include <openssl/ssl.h>")
	refuses("<event2/event.h> belongs to lib/io only", daemon__a_c="#include <event2/event.h>")
	refuses("<libconfig.h> belongs to lib/conf only", daemon__a_c="# include <libconfig.h>")
	refuses("<seccomp.h> belongs to daemon only", lib__io__a_c="#include <seccomp.h>")


@test("layers: pure code knows no socket and no clock")
def _():
	for header in ("sys/socket.h", "time.h", "unistd.h"):
		refuses(f"<{header}> has no place in pure code", lib__proto__a_c=f"#include <{header}>")


@test("layers: a header that needs another one first is refused")
def _():
	refuses("lib/base/a.h does not compile alone", lib__base__a_h="size_t f(void);")


@test("layers: unknown folders and lost headers are refused")
def _():
	refuses("lib/new is not in the table", lib__new__a_c="")
	refuses('"gone.h" is no file of ours', lib__base__a_c='#include "gone.h"')


run()
