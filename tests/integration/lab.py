# SPDX-License-Identifier: MIT
"""The ground under every integration test: a directory, addresses, processes, patience, name spaces, and TAP.

	lab = Lab()
	server = lab.start("server", ["prog", "-f"])
	server.wait_line(lambda line: "ready" in line)

	@test("[8314-2-1] it answers")
	def _():
		equal(...)

	run(lab)

Beside it stand pki.py (certificates), gate.py (gatepost), dovecot.py (the real server behind it), wire.py (raw
clients, TLS clients, fake backends), peers.py (other people's programs). Nothing here waits for a fixed time: each
wait is for something to happen, with a generous ceiling (PATIENCE_S), so that a slow machine is only slow.

Started as root, the servers run as `nobody`. As anybody else, they run as that user.
"""

import atexit
import contextlib
import os
import pwd
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, os.pardir, "tools"))

import tap  # noqa: E402
from tap import contains, equal, test  # noqa: E402,F401  (for the tests)

# servers live where an ordinary user does not look
os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"

PATIENCE_S = 30.0 * float(os.environ.get("LAB_PATIENCE", "1"))
ROOT = os.getuid() == 0
USER = pwd.getpwnam("nobody") if ROOT else pwd.getpwuid(os.getuid())


def find_program():
	"""What Meson names, or else, by hand, the program that was built last."""
	built = [os.path.join(TOP, name, "gatepost") for name in os.listdir(TOP) if name == "build" or name.startswith("build-")]
	built = [path for path in built if os.access(path, os.X_OK)]
	return os.environ.get("GATEPOST") or max(built, key=os.path.getmtime, default=os.path.join(TOP, "build", "gatepost"))


PROGRAM = find_program()


CRASH = re.compile(r"AddressSanitizer|runtime error:|worker-lost.*(signal (4|6|7|8|11) |exit status)")


class Skip(Exception):
	"""Raised by a test that cannot run here. The text says why; it begins with `kernel: ` when a feature of the kernel is
	missing, the only reason that ./test allows."""


class Gone(Exception):
	"""What was waited for did not happen."""


def eventually(check, what, patience=PATIENCE_S):
	"""Ask check() until it says something true, and return that."""
	end = time.monotonic() + patience
	while True:
		found = check()
		if found:
			return found
		if time.monotonic() > end:
			raise Gone(f"waited {patience:.0f} s in vain for {what}")
		time.sleep(0.005)


def steady(look, times=10, patience=PATIENCE_S):
	"""Wait until look() says the same `times` times in a row: whatever moved has come to a stand, most likely.
	Something that never stands still is left to the test after a while."""
	seen, same, end = look(), 0, time.monotonic() + patience
	while same < times and time.monotonic() < end:
		time.sleep(0.02)
		now = look()
		same = same + 1 if now == seen else 0
		seen = now
	return seen


def split_address(address):
	host, _, port = address.rpartition(":")
	return host.strip("[]"), int(port)


def connects(address):
	try:
		socket.create_connection(split_address(address), timeout=PATIENCE_S).close()
		return True
	except OSError:
		return False


# ---- processes ----


def as_user():
	"""Arguments for Popen that make a child ordinary when we are root."""
	return {"user": USER.pw_uid, "group": USER.pw_gid, "extra_groups": []} if ROOT else {}


class Process:
	"""A program that runs beside the test. What it prints is kept, line by line."""

	def __init__(self, name, command, *, root=False, own_group=False, **more):
		self.name = name
		self.lines = []
		self.changed = threading.Condition()
		self.ended = False
		more = {**({} if root else as_user()), **more}
		self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
			stderr=subprocess.STDOUT, cwd="/", process_group=0 if own_group else None, **more)
		self.pid = self.popen.pid
		self.reader = threading.Thread(target=self.keep_lines, daemon=True)
		self.reader.start()

	def keep_lines(self):
		for raw in self.popen.stdout:
			with self.changed:
				self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
				self.changed.notify_all()
		with self.changed:
			self.ended = True
			self.changed.notify_all()

	def mark(self):
		"""The place in the output up to which everything is old."""
		with self.changed:
			return len(self.lines)

	def wait_line(self, accept, since=0, what="a line", patience=PATIENCE_S):
		"""The first line behind `since` for which accept(line) is true; its result is returned."""
		end = time.monotonic() + patience
		place = since
		with self.changed:
			while True:
				for line in self.lines[place:]:
					place += 1
					found = accept(line)
					if found:
						return line if found is True else found
				left = end - time.monotonic()
				if self.ended or left <= 0:
					why = "it ended" if self.ended else f"not within {patience:.0f} s"
					raise Gone(f"{self.name} did not print {what} ({why}):\n" + self.tail())
				self.changed.wait(left)

	def tail(self, count=12):
		return "\n".join("  " + line[:400] for line in self.lines[-count:])

	def running(self):
		return self.popen.poll() is None

	def signal(self, number):
		if self.running():
			os.kill(self.pid, number)

	def wait(self, patience=PATIENCE_S):
		"""Its exit status, when it ends by itself; all of its output is there then."""
		try:
			status = self.popen.wait(patience)
		except subprocess.TimeoutExpired:
			raise Gone(f"{self.name} does not end:\n" + self.tail()) from None
		self.reader.join(PATIENCE_S)
		return status

	def stop(self):
		"""Ask it to end, then make it."""
		for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, None)):
			self.signal(number)
			with contextlib.suppress(subprocess.TimeoutExpired):
				return self.popen.wait(patience)
		return None


def children(pid):
	"""The processes that `pid` started and that still live."""
	found = []
	for name in os.listdir("/proc"):
		if name.isdigit() and parent_of(int(name)) == pid:
			found.append(int(name))
	return sorted(found)


def parent_of(pid):
	try:
		with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
			state, parent = file.read().rpartition(")")[2].split()[:2]
	except OSError:
		return None
	return None if state in "ZX" else int(parent)


def proc_status(pid):
	"""/proc/PID/status as a dictionary."""
	with open(f"/proc/{pid}/status", encoding="utf-8") as file:
		return {key: value.strip() for key, _, value in (line.partition(":") for line in file)}


@contextlib.contextmanager
def stopped(pid):
	"""A process that gets no time for a while: what it would do is left to others."""
	os.kill(pid, signal.SIGSTOP)
	try:
		yield
	finally:
		os.kill(pid, signal.SIGCONT)


def command(*words, check=True, root=False, **more):
	"""Run a program to its end, as the user of the servers; stdout and stderr as text."""
	more = {"timeout": 4 * PATIENCE_S, "stdin": subprocess.DEVNULL, "text": True, "cwd": "/",
		**({} if root else as_user()), **more}
	if "input" in more:
		del more["stdin"]
	done = subprocess.run(words, capture_output=True, check=False, **more)
	if check and done.returncode:
		raise AssertionError(f"{words[0]} ended with {done.returncode}: {' '.join(map(str, words))}\n"
			f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
	return done


# ---- the lab itself ----


class Lab:
	"""A directory below /tmp, a network 127.x.y.0/24 that no other lab has, and what was started."""

	def __init__(self, own_group=False):
		self.directory = tempfile.mkdtemp(prefix="gatepost-", dir="/tmp")
		self.own_group = own_group
		self.processes = []
		self.everybody = []
		self.closers = contextlib.ExitStack()
		self.closers.callback(shutil.rmtree, self.directory, ignore_errors=True)
		self.network, self.reserved = reserve_network()
		self.hosts = 0
		os.chmod(self.directory, 0o755)
		self.own(self.directory)
		raise_descriptor_limit()
		atexit.register(self.close)

	def path(self, *parts):
		return os.path.join(self.directory, *parts)

	def own(self, path):
		"""Give a file to the user that the servers run as."""
		if ROOT:
			os.chown(path, USER.pw_uid, USER.pw_gid)
		return path

	def make_directory(self, *parts, mode=0o755):
		path = self.path(*parts)
		os.makedirs(path, exist_ok=True)
		os.chmod(path, mode)
		return self.own(path)

	def write(self, name, data, mode=0o644):
		"""A file in the directory, written whole or not at all; returns its path."""
		path = self.path(name)
		with open(path + ".new", "wb") as file:
			file.write(data if isinstance(data, bytes) else data.encode())
			os.fchmod(file.fileno(), mode)
		self.own(path + ".new")
		os.rename(path + ".new", path)
		return path

	def host(self):
		"""An address of our own that nobody has had yet."""
		self.hosts += 1
		if self.hosts > 250:
			raise Gone("all addresses of this lab are used up")
		return f"{self.network}.{self.hosts}"

	def address(self, port, host=None):
		"""host:port where nobody listens. Ports below 1024 need a name space."""
		return f"{host or self.host()}:{port}"

	def free_port(self, host="127.0.0.1", first=10000, last=30000):
		"""A port of an address where nobody listens. It lies below those that the kernel gives away."""
		while True:
			port = random.randint(first, last)
			with socket.socket() as sock:
				with contextlib.suppress(OSError):
					sock.bind((host, port))
					return port

	def program(self):
		"""gatepost, in a place where every user can run it."""
		path = self.path("gatepost")
		if not os.path.exists(path):
			shutil.copy(PROGRAM, path)
			os.chmod(path, 0o755)
		return path

	def start(self, name, words, **more):
		process = Process(name, words, own_group=self.own_group, **more)
		self.adopt(process)
		return process

	def adopt(self, process):
		self.processes.append(process)
		self.everybody.append(process)

	def crashes(self):
		"""Lines of any process, also of those that are gone, that tell of a crash or a sanitizer's finding."""
		return [f"{process.name}: {line}" for process in self.everybody for line in process.lines if CRASH.search(line)]

	def close(self):
		atexit.unregister(self.close)
		for process in reversed(self.processes):
			process.stop()
		self.processes.clear()
		if self.reserved:
			self.reserved.close()
		self.closers.close()

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.close()


def reserve_network():
	"""A /24 below 127.0.0.0/8 for us alone: an abstract socket of that name is the reservation."""
	while True:
		network = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}"
		sock = socket.socket(socket.AF_UNIX)
		try:
			sock.bind("\0gatepost-lab-" + network)
			return network, sock
		except OSError:
			sock.close()


def raise_descriptor_limit():
	_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
	resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


# ---- name spaces ----


def namespace_command(ordinary, root=ROOT):
	"""Words in front of a command that give it a network, mounts and processes of its own; `root` starts it.
	With `ordinary` it also is no root: it has the ids of the servers' user, but may bind low ports."""
	words = []
	if ordinary and root:
		words += ["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--clear-groups"]
	words += ["unshare", "--kill-child", "-n", "-m", "-u", "-i", "-p", "--fork", "--mount-proc"]
	if ordinary or not root:
		words += ["-U", "-c", "--keep-caps"]
	return words


def inside(lab, script, *arguments, ordinary=True, patience=20 * PATIENCE_S):
	"""Run a script of this directory in a name space. Returns its output; raises when it fails."""
	enter = namespace_command(ordinary)
	probe = subprocess.run([*enter, "true"], capture_output=True, text=True, cwd="/", check=False)
	if probe.returncode:
		raise Skip("kernel: no name spaces for this user: " + probe.stderr.strip())
	copy = copy_tests(lab)
	done = subprocess.run([*enter, python_for_all(), "-B", os.path.join(copy, "integration", script), *arguments],
		env={**os.environ, "GATEPOST": lab.program(), "LAB_INSIDE": "1", "HOME": lab.directory}, cwd="/",
		stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
		timeout=patience, check=False)
	if done.returncode:
		raise AssertionError(f"{script} in a name space ended with {done.returncode}:\n{done.stdout}")
	return done.stdout


def move_inside(*, ordinary=True):
	"""Go on with the whole program in a name space, where low ports are free. To be called first; what comes behind it
	runs inside only. Without `ordinary` the program is root there, by sudo if need be."""
	if os.environ.get("LAB_INSIDE"):
		command("ip", "link", "set", "lo", "up", root=True)
		return
	lab = Lab()
	sudo = [] if ordinary or ROOT else ["sudo", "-n", "--preserve-env"]
	enter = sudo + namespace_command(ordinary, root=ROOT or bool(sudo))
	probe = subprocess.run([*enter, "true"], capture_output=True, text=True, cwd="/", check=False)
	if probe.returncode:
		# an ordinary user may be kept from it by the kernel, root may not
		print(f"1..0 # SKIP kernel: {probe.stderr.strip()}" if ordinary else f"Bail out! {probe.stderr.strip()}")
		lab.close()
		sys.exit(0 if ordinary else 1)
	script = os.path.join(copy_tests(lab), "integration", os.path.basename(sys.argv[0]))
	done = subprocess.run([*enter, python_for_all(), "-B", script, *sys.argv[1:]], cwd="/", check=False,
		env={**os.environ, "GATEPOST": lab.program(), "LAB_INSIDE": "1", "HOME": lab.directory}, stdin=subprocess.DEVNULL)
	lab.close()
	sys.exit(done.returncode)


def python_for_all():
	"""An interpreter that every user may run."""
	return "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable


def copy_tests(lab):
	"""The tests where every user can read them; a clone below /root is not."""
	copy = lab.path("tests")
	if not os.path.exists(copy):
		for name in ("integration", "tools"):
			shutil.copytree(os.path.join(TOP, "tests", name), os.path.join(copy, name),
				ignore=shutil.ignore_patterns("__pycache__"))
		subprocess.run(["chmod", "-R", "u=rwX,go=rX", copy], check=True)
	return copy


def replace_file(lab, path, text):
	"""Inside: another text at this path, for this name space only."""
	if os.path.exists(path):
		command("mount", "--bind", lab.write(os.path.basename(path), text), path, root=True)


def furnish_namespace(lab, hosts):
	"""Inside: bring up loopback and give names to addresses ({name: address})."""
	command("ip", "link", "set", "lo", "up", root=True)
	lines = ["127.0.0.1 localhost"] + [f"{address} {name}" for name, address in hosts.items()]
	for path, text in (("/etc/hosts", "\n".join(lines) + "\n"), ("/etc/nsswitch.conf", "hosts: files\n")):
		replace_file(lab, path, text)


# ---- TAP ----


def root_test(name):
	"""A test that only root can run; for others it is a skip that says so."""
	def keep(function):
		def skip():
			raise Skip("root: only root can run this test")
		test(name)(function if ROOT else skip)
		return function
	return keep


def run(lab):
	"""Run all tests, print TAP, clear up, exit. Names given as arguments choose among the tests."""
	for number in (signal.SIGHUP, signal.SIGTERM):
		signal.signal(number, lambda number, _: sys.exit(128 + number))
	if not os.path.exists(PROGRAM):
		print(f"Bail out! There is no {PROGRAM}")
		sys.exit(1)
	if "GATEPOST" not in os.environ:
		age = (time.time() - os.path.getmtime(PROGRAM)) / 60
		print(f"# the program is {os.path.relpath(PROGRAM)}, built {age:.0f} minutes ago")
	chosen = [row for row in tap.tests if not sys.argv[1:] or any(word in row[0] for word in sys.argv[1:])]
	print(f"1..{len(chosen)}", flush=True)
	failed = 0
	for number, (name, function) in enumerate(chosen, 1):
		failed += not run_one(lab, number, name, function)
	lab.close()
	for line in lab.crashes():
		print("# crashed: " + line)
	sys.exit(1 if failed or lab.crashes() else 0)


def run_one(lab, number, name, function):
	started = time.monotonic()
	try:
		function()
	except Skip as why:
		print(f"ok {number} - {name} # SKIP {why}", flush=True)
		return True
	except Exception:  # a failing check must not end the others
		print(f"not ok {number} - {name}")
		explain(lab)
		return False
	print(f"ok {number} - {name}", flush=True)
	if os.environ.get("LAB_TIMES"):
		print(f"# {time.monotonic() - started:.2f} s", flush=True)
	return True


def explain(lab):
	"""The traceback, and the last words of all that runs."""
	report = traceback.format_exc()
	for process in lab.processes:
		if process.lines:
			report += f"last lines of {process.name}:\n{process.tail()}\n"
	for line in report.splitlines():
		print("# " + line, flush=True)
