# SPDX-License-Identifier: MIT
"""Start a program as systemd would: listening sockets from descriptor 3 on, and variables that tell of them.

activate.py NAMES FD... -- PROGRAM ARGUMENTS    (NAMES: LISTEN_FDNAMES, may be empty; FD: inherited descriptors)
"""

import os
import sys

FIRST = 3


def main(names, rest):
	end = rest.index("--")
	high = [os.dup2(int(fd), 100 + place) for place, fd in enumerate(rest[:end])]
	for place, fd in enumerate(high):
		os.dup2(fd, FIRST + place)
		os.close(fd)
	os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(high)))
	if names:
		os.environ["LISTEN_FDNAMES"] = names
	os.execv(rest[end + 1], rest[end + 1:])


main(sys.argv[1], sys.argv[2:])
