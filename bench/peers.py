# SPDX-License-Identifier: MIT
"""The servers that `make bench` compares: how each is started, watched and stopped."""

import contextlib
import ctypes
import grp
import json
import os
import pwd
import random
import re
import resource
import select
import shutil
import signal
import socket
import ssl
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_S = 20  # until a server accepts connections
MANY_START_S = 90  # the same, with thousands of certificates
STOP_S = 15  # until it has ended after SIGTERM
POLL_S = 0.01  # between two looks while waiting for a state


# what a server of the variant "all" listens for beside PORT: its port's name -> loadgen's mode
PROTOCOLS = {"IMAP": "imap", "POP": "pop3", "SUBMISSION": "submission", "SIEVE": "sieve",
             "XMPP": "xmpp"}


BEFORE = "before"  # the name of another gatepost


class BenchError(Exception):
    """One peer could not be measured; the message says why."""


class Peer:
    """A server of the comparison.

    `greets`: it greets by itself and dials no backend before the login. `proxy`: it sends a
    PROXY header. `starttls`: the protocols in which it offers STARTTLS. `version` is a command
    whose output holds the version number.
    """

    def __init__(self, name, title, command, version, package, greets=False, proxy=True,
                 starttls=(), configured_as=None):
        self.name = name
        self.title = title
        self.command = command
        self.version_command = version
        self.package = package
        self.greets = greets
        self.proxy = proxy
        self.starttls = starttls
        self.configured_as = configured_as or name

    def template(self, variant):
        return os.path.join(HERE, "peers", variant, self.configured_as + ".conf.in")

    def program(self):
        """The program's path, or None when it is not there."""
        return shutil.which(self.command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def version(self):
        output = subprocess.run([self.program()] + self.version_command, text=True, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        found = re.search(r"\d+\.\d+(\.\d+)*", output)
        return found.group(0) if found else "of this tree"


def another_gatepost(path):
    """An older program, say, beside the one that is measured."""
    return Peer(BEFORE, "gatepost before", [path, "serve", "-c", "@CONF@"], ["--version"], None,
                starttls=tuple(PROTOCOLS.values()), configured_as="gatepost")


def all_peers(gatepost):
    """Every peer; `gatepost` is the path of the program."""
    nginx = ["nginx", "-p", "@DIR@", "-c", "@CONF@", "-e", "stderr"]
    return [
        Peer("gatepost", "gatepost", [gatepost, "serve", "-c", "@CONF@"], ["--version"], None,
             starttls=tuple(PROTOCOLS.values())),
        Peer("haproxy", "HAProxy", ["haproxy", "-db", "-f", "@CONF@"], ["-v"], "haproxy"),
        Peer("hitch", "hitch", ["hitch", "--config=@CONF@"], ["--version"], "hitch"),
        Peer("nginx-stream", "nginx stream", nginx, ["-v"], "nginx-light libnginx-mod-stream"),
        Peer("stunnel", "stunnel", ["stunnel4", "@CONF@"], ["-version"], "stunnel4"),
        Peer("nginx-mail", "nginx mail", nginx, ["-v"], "nginx-light libnginx-mod-mail",
             greets=True, starttls=("imap", "pop3", "submission")),
        Peer("dovecot", "Dovecot", ["dovecot", "-F", "-c", "@CONF@"], ["--version"],
             "dovecot-imapd dovecot-managesieved dovecot-pop3d dovecot-submissiond",
             greets=True, proxy=False, starttls=("imap", "pop3", "submission", "sieve")),
    ]


def serving_user():
    """Who serves, as (user, group): nobody for root, else whoever runs the bench."""
    uid = os.geteuid()
    entry = pwd.getpwnam("nobody") if uid == 0 else pwd.getpwuid(uid)
    return entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name


def fill_template(text, values):
    """Replaces @NAME@; a line that needs a value which is None is left out."""
    lines = []
    for line in text.splitlines():
        names = re.findall(r"@([A-Z]+)@", line)
        if all(values[name] is not None for name in names):
            lines.append(re.sub(r"@([A-Z]+)@", lambda m: str(values[m.group(1)]), line))
    return "\n".join(lines) + "\n"


def candidate_ports():
    """Outside the range from which the kernel gives ports to others, in a random order."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first, last = map(int, file.read().split())
    ports = [port for port in range(1024, 65536) if not first <= port <= last]
    return random.sample(ports, len(ports))


def read_line(stream, seconds, what):
    """One line of a program's output, waited for at most `seconds`."""
    ready, _, _ = select.select([stream], [], [], seconds)
    line = stream.readline() if ready else ""
    if not line:
        raise BenchError(f"{what}: " + ("ended without a result" if ready else "no result in time"))
    return json.loads(line)


def adopt_orphans():
    """Processes that a server leaves behind become our children, so that we can wait for them."""
    pr_set_child_subreaper = 36
    if ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0) != 0:
        raise SystemExit("bench: prctl(PR_SET_CHILD_SUBREAPER) failed")


def stop(process, pids=()):
    """Ends a program that we started, and by their numbers those of its children that stay."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid, birth in pids:
        deadline = time.monotonic() + STOP_S
        while birth_of(pid) == birth and time.monotonic() < deadline:
            time.sleep(POLL_S)
        if birth_of(pid) == birth:
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass  # its own parent has waited for it
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


# ---- what /proc says of a server


def stat_fields(pid):
    """The fields of /proc/PID/stat behind the name, state first; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def birth_of(pid):
    """The start time of a living process, else None (a zombie counts as gone)."""
    fields = stat_fields(pid)
    return None if fields is None or fields[0] in "ZX" else fields[19]


def family(root):
    """The process and all its descendants."""
    children = {}
    for name in os.listdir("/proc"):
        fields = stat_fields(name) if name.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(pids):
    """User and system time of these processes.

    The kernel's process clock counts in nanoseconds and holds all threads, ended ones too;
    cutime and cstime of /proc/PID/stat add the children that have ended.
    """
    total = 0.0
    for pid in pids:
        fields = stat_fields(pid)
        if fields is None:
            continue
        total += (int(fields[13]) + int(fields[14])) / TICKS_PER_S
        try:
            total += time.clock_gettime((~pid << 3) | 2)
        except OSError:
            total += (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    return total


def memory_kib(pids):
    """Private dirty and resident memory of these processes, summed up."""
    dirty = resident = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                for line in file:
                    if line.startswith("Private_Dirty:"):
                        dirty += int(line.split()[1])
                    elif line.startswith("Rss:"):
                        resident += int(line.split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return {"dirty": dirty, "rss": resident}


# ---- the lab


class Lab:
    """The temporary directory with certificates, the two processors, and ports for servers."""

    def __init__(self, directory, build, sessions):
        self.directory = directory
        self.tools = os.path.join(build, "bench")
        self.sessions = sessions
        cpus = sorted(os.sched_getaffinity(0))
        self.server_cpu = cpus[0]
        self.client_cpu = cpus[1] if len(cpus) > 1 else cpus[0]
        self.both_cpus = ",".join(str(cpu) for cpu in cpus[:2])
        self.started = 0
        self.candidate_ports = candidate_ports()
        os.chmod(directory, 0o755)
        self.ca = os.path.join(directory, "ca.pem")
        self.make_certificates()

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def free_port(self):
        """One that this lab has not given before."""
        while self.candidate_ports:
            port = self.candidate_ports.pop()
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
                return port
        raise BenchError("no port is free outside net.ipv4.ip_local_port_range")

    def openssl(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.directory, text=True, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise SystemExit(f"bench: openssl {args[0]}: {done.stderr.strip()}")

    def make_certificates(self):
        """A root and two server certificates: P-256 and RSA-2048, each as parts and as one file."""
        ec_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self.openssl("req", "-x509", *ec_key, "-noenc", "-subj", "/CN=bench root", "-days", "30",
                     "-keyout", "ca.key", "-out", "ca.pem")
        for name, new_key in (("ec", ec_key), ("rsa", ["-newkey", "rsa:2048"])):
            self.openssl("req", *new_key, "-noenc", "-subj", "/CN=mail.example.test",
                         "-addext", "subjectAltName=DNS:mail.example.test",
                         "-addext", "extendedKeyUsage=serverAuth",
                         "-keyout", name + ".key", "-out", name + ".csr")
            self.openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                         "-copy_extensions", "copyall", "-days", "30", "-out", name + ".pem")
            both = self.path(name + ".both")
            with open(os.open(both, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as out:
                for part in (name + ".key", name + ".pem"):
                    with open(self.path(part), encoding="ascii") as file:
                        out.write(file.read())

    def pinned(self, cpu, command):
        return ["taskset", "-c", str(cpu)] + command

    def start_stub(self, proxy):
        command = [os.path.join(self.tools, "mailstub"), "--auth"] + (["--proxy"] if proxy else [])
        return subprocess.Popen(self.pinned(self.client_cpu, command), stdout=subprocess.PIPE,
                                text=True)

    def start_loadgen(self, mode, port, *options):
        return self.start_tool("loadgen", mode, "--connect", f"127.0.0.1:{port}", *options)

    def start_tool(self, name, *arguments):
        command = [os.path.join(self.tools, name), *map(str, arguments)]
        return subprocess.Popen(self.pinned(self.client_cpu, command), text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def make_names(self, count):
        """A directory with certificates for n0.example.test and so on, which every user can read."""
        directory = self.path("names")
        os.mkdir(directory, 0o755)
        subprocess.run([os.path.join(self.tools, "names"), str(count), "example.test", directory],
                       check=True)
        return directory


class Server:
    """One running peer with its stub; a context manager."""

    def __init__(self, lab, peer, certificate, variant="", cpus=None, **more):
        """`variant`: a directory of templates; `cpus`: of the server; `more`: what templates need."""
        self.lab = lab
        self.peer = peer
        self.variant = variant
        self.cpus = lab.server_cpu if cpus is None else cpus
        self.more = more
        names = ["PORT"] + ([*PROTOCOLS, "SUBMISSIONS"] if variant == "all" else [])
        self.ports = {name: lab.free_port() for name in names}
        self.port = self.ports["PORT"]
        lab.started += 1
        self.directory = lab.path(f"{peer.name}-{lab.started}")
        self.certificate = certificate
        self.process = self.stub = None

    def __enter__(self):
        try:
            self.start()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.process:
            stop(self.process, [(pid, birth_of(pid)) for pid in family(self.process.pid)[1:]])
        if self.stub:
            stop(self.stub)

    def values(self, ports):
        """What stands for @NAME@ in the templates; USER and GROUP only where root starts."""
        own, own_group = serving_user()
        user, group = (own, own_group) if os.geteuid() == 0 else (None, None)
        path = self.lab.path(self.certificate)
        return {
            "DIR": self.directory, "CONF": os.path.join(self.directory, "conf"), "USER": user,
            "GROUP": group, "SELF": own, "SELFGROUP": own_group,
            **self.ports, "BACKEND": ports["port"], "AUTH": ports["auth_port"],
            "BACKENDPOP": ports["pop3"], "BACKENDSMTP": ports["smtp"],
            "BACKENDSIEVE": ports["sieve"], "BACKENDXMPP": ports["xmpp"],
            "WORKERS": 1, "CURVES": "X25519", "CHAIN": path + ".pem", "KEY": path + ".key",
            "PEM": path + ".both", "SESSIONS": self.lab.sessions + 100,
            "FILES": resource.getrlimit(resource.RLIMIT_NOFILE)[1], **self.more,
        }

    def make_directory(self):
        """The peer's own directory, with `run` and `state` for the user that serves."""
        user, group = serving_user()
        os.mkdir(self.directory, 0o755)
        for name in ("run", "state"):
            os.mkdir(os.path.join(self.directory, name), 0o750)
            if os.geteuid() == 0:
                shutil.chown(os.path.join(self.directory, name), user, group)

    def start(self):
        self.stub = self.lab.start_stub(self.peer.proxy)
        values = self.values(read_line(self.stub.stdout, START_S, "mailstub"))
        self.make_directory()
        with open(self.peer.template(self.variant), encoding="utf-8") as file:
            text = fill_template(file.read(), values)
        with open(values["CONF"], "w", encoding="utf-8") as file:
            file.write(text)
        command = [self.peer.program()] + self.peer.command[1:]
        command = [fill_template(word, values).strip() for word in command]
        begun = time.monotonic()
        with open(os.path.join(self.directory, "output"), "wb") as output:
            command = self.lab.pinned(self.cpus, command)
            # a session of its own, as a service has: the scheduler groups by sessions
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, start_new_session=True)
        self.await_ready()
        self.greet()
        self.start_s = time.monotonic() - begun
        if self.variant != "names":  # those sign themselves
            self.run_loadgen("greeting", "--count", "3", "--ca", self.lab.ca)

    def greet(self):
        """The first bytes of the first session: now it serves."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            with socket.create_connection(("127.0.0.1", self.port), START_S) as sock:
                with context.wrap_socket(sock, server_hostname="n0.example.test") as inside:
                    certificate = inside.getpeercert(binary_form=True)
                    if not inside.recv(1):
                        raise BenchError("does not greet: " + self.last_words())
                    return certificate
        except OSError as error:
            raise BenchError(f"does not greet: {error}; {self.last_words()}") from error

    def await_ready(self):
        patience = MANY_START_S if self.variant == "names" else START_S
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise BenchError("did not start: " + self.last_words())
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(POLL_S)
        raise BenchError("does not listen: " + self.last_words())

    def last_words(self):
        words = []
        for name in ("output", "log"):
            path = os.path.join(self.directory, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    words += file.read().strip().splitlines()[-3:]
        return " / ".join(words) or "no output"

    def pids(self):
        return family(self.process.pid)

    def cpu_seconds(self):
        return cpu_seconds(self.pids())

    def memory_kib(self):
        return memory_kib(self.pids())

    def fail(self, loadgen, what):
        """Turns a failure of the load generator into one that names both sides."""
        stop(loadgen)
        said = loadgen.stderr.read().strip()
        raise BenchError(f"{what}; {said}; the server: {self.last_words()}")

    def ask(self, loadgen, seconds):
        """The load generator's next line; its failure ends the measurement."""
        try:
            return read_line(loadgen.stdout, seconds, "loadgen")
        except BenchError as error:
            return self.fail(loadgen, str(error))

    def run_loadgen(self, mode, *options, seconds=2):
        """One timed run; the result gets the server's CPU seconds as `cpu`."""
        return run_together([Load(self, mode, options, self.port)], seconds)[0]


class Load:
    """What one load generator is to do to one server."""

    def __init__(self, server, mode, options, port):
        self.server, self.mode, self.options, self.port = server, mode, options, port

    def start(self, seconds):
        return self.server.lab.start_loadgen(self.mode, self.port, "--sync", "--seconds",
                                             str(seconds), *self.options)

    def expect_no_error(self, result):
        if result["errors"] > 0:
            raise BenchError(f"{self.mode}: {result['errors']} sessions failed "
                             f"({result['error']}); the server: {self.server.last_words()}")


def run_together(loads, seconds):
    """One timed run of all loads at the same time; their results, each with the CPU seconds of its
    server as `cpu`."""
    with contextlib.ExitStack() as stack:
        running = []
        for load in loads:
            loadgen = load.start(seconds)
            stack.callback(loadgen.stderr.close)
            stack.callback(stop, loadgen)
            running.append(loadgen)
        for load, loadgen in zip(loads, running):
            load.server.ask(loadgen, 30)
        before = [load.server.cpu_seconds() for load in loads]
        for loadgen in running:
            loadgen.stdin.write("\n")
            loadgen.stdin.flush()
        results = [load.server.ask(loadgen, seconds + 60) for load, loadgen in zip(loads, running)]
        for load, result, start in zip(loads, results, before):
            result["cpu"] = load.server.cpu_seconds() - start
            load.expect_no_error(result)
    return results
