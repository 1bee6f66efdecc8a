#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Speed and memory of the policy service beside postfix-mta-sts-resolver, as ratios from one run.

Everything runs in a network name space of its own, with the real ports: Knot on 53 of loopback and a policy host on
443. Both services answer for the same domains with the same policies; the load (policyload.c) is what Postfix sends.
Needs root, or a kernel that gives name spaces to users.
"""

import argparse
import contextlib
import http.server
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path[:0] = [os.path.join(TOP, "bench"), os.path.join(TOP, "tests", "integration")]

DOMAINS = 50             # with an enforced policy: what is asked for again and again
RUN_S, ROUNDS = 4, 5
COLD = 20000             # asked for once each
KEPT = 100000            # policies in memory
POLICY_HOST, OTHER_PORT, OUR_PORT, ECHO_PORT = "127.0.0.40", 8461, 8642, 8643
ECHO = "an answer without a look"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx1.sts.test\r\nmx: *.mail.sts.test\r\nmax_age: 604800\r\n"


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build-bench", metavar="DIR")
    parser.add_argument("--quick", action="store_true", help="short and small, for trying it out")
    parser.add_argument("--append", metavar="FILE", help="append the section to a Markdown page")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


# ---- the world ----


def zones(many):
    sts = "mx1 A 127.0.0.21\n"
    for i in range(DOMAINS):
        sts += f"d{i} MX 10 mx1\n_mta-sts.d{i} TXT \"v=STSv1; id=1;\"\nmta-sts.d{i} A {POLICY_HOST}\n"
    cold = "mx A 127.0.0.21\n* MX 10 mx\n"
    kept = "mx A 127.0.0.21\n* MX 10 mx\n* TXT \"v=STSv1; id=1;\"\n" if many else cold
    return {"sts.test": (sts, "insecure"), "cold.test": (cold, "insecure"), "kept.test": (kept, "insecure")}


class PolicyHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(POLICY)))
        self.end_headers()
        self.wfile.write(POLICY.encode())

    def log_message(self, *_):
        pass


def serve_policies(leaf):
    server = http.server.ThreadingHTTPServer((POLICY_HOST, 443), PolicyHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.chain, leaf.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def start_gatepost(lab, zones_, pki, name="gate"):
    from lab import eventually, connects
    for part in ("run", "state"):
        lab.make_directory(name, part)
    conf = lab.write(f"{name}/gatepost.conf", f'''
server: {{ user = "nobody"; separate-users = false; run-dir = "{lab.path(name, 'run')}"; state-dir = "{lab.path(name, 'state')}"; }};
log: {{ level = "error"; }};
dns: {{ trust-anchors = "{zones_.anchor}"; unbound-conf = "{zones_.unbound_conf()}"; self-test = "test"; }};
policy: {{ addresses = [ "127.0.0.1:{OUR_PORT}" ]; mta-sts-ca = "{pki.root}"; mta-sts-networks = [ "127.0.0.0/8" ]; domains = 1000000; }};
''')
    process = lab.start("gatepost", [lab.program(), "policy", "-c", conf])
    eventually(lambda: connects(f"127.0.0.1:{OUR_PORT}") or process.ended, "gatepost")
    if process.ended:
        raise SystemExit("policy bench: gatepost ended:\n" + process.tail())
    return process


def start_other(lab, pki):
    from lab import eventually, connects
    conf = lab.write("mta-sts-daemon.yml", f'''host: 127.0.0.1
port: {OTHER_PORT}
shutdown_timeout: 1
cache:
  type: internal
  options:
    cache_size: 1000000
default_zone:
  strict_testing: false
  timeout: 4
''')
    process = lab.start("mta-sts-daemon", ["mta-sts-daemon", "-c", conf], 
                        env={**os.environ, "SSL_CERT_FILE": pki.root, "HOME": lab.directory})
    eventually(lambda: connects(f"127.0.0.1:{OTHER_PORT}") or process.ended, "mta-sts-daemon")
    if process.ended:
        raise SystemExit("policy bench: mta-sts-daemon ended:\n" + process.tail())
    return process


def start_echo(options, lab):
    from lab import eventually, connects
    process = lab.start("policyecho", [os.path.join(options.build, "bench", "policyecho"), str(ECHO_PORT)], root=True)
    eventually(lambda: connects(f"127.0.0.1:{ECHO_PORT}"), "policyecho")
    return process


# ---- measuring ----


def load(options, process, port, connections, seconds, first, count, suffix):
    """One run of the load, with the CPU seconds that the service used for it."""
    import peers
    pids = peers.family(process.pid)
    words = [os.path.join(options.build, "bench", "policyload"), "127.0.0.1", str(port), "QUERY", str(connections),
             str(seconds), str(first), str(count), suffix]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as loader:
        before = peers.cpu_seconds(pids)
        out, _ = loader.communicate("\n")
    result = json.loads(out)
    result["cpu"] = peers.cpu_seconds(pids) - before
    result["answers"] = result["ok"] + result["notfound"] + result["other"]
    return result


def cached(options, services):
    """Answers per CPU second of the server, over one connection and over twenty, in turn."""
    rates = {}
    for name, (process, port) in services.items():
        load(options, process, port, 1, 0, 0, DOMAINS, "sts.test")
    for _ in range(1 if options.quick else ROUNDS):
        for connections in (1, 20):
            for name, (process, port) in services.items():
                result = load(options, process, port, connections, 1 if options.quick else RUN_S, 0, DOMAINS, "sts.test")
                if result["ok"] != result["answers"]:
                    raise SystemExit(f"policy bench: {name} did not answer secure: {result}")
                rates.setdefault((name, connections), []).append(
                    (result["answers"] / result["cpu"], result["answers"] / result["seconds"]))
    return rates


def median(values):
    return sorted(values)[len(values) // 2]


def resident_mib(process):
    """Of the policy process, or of the only one."""
    import peers
    best = 0
    for pid in peers.family(process.pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            best = max([best] + [int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS")])
    return best


def fill_store(lab, count):
    """As many kept policies as if they had been fetched yesterday."""
    path = lab.path("gate", "state", "policy", "policy.db")
    now = int(time.time())
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.executemany("INSERT INTO sts_policy (domain, id, mode, max_age, fetched_at, next_refresh_at,"
                       " last_used_at, failed_id, failed_at, failures, body) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                       ((f"d{i}.kept.test", "1", 2, 604800, now - 3600, now + 80000, now, "", 0, 0, POLICY)
                        for i in range(count)))


def report(options, rates, cold, memory):
    kept = 2000 if options.quick else KEPT
    lines = ["", "## The policy service", "",
             f"`{'python3 bench/policy.py' if not options.quick else 'python3 bench/policy.py --quick'}`, part of "
             "`make bench`; beside postfix-mta-sts-resolver of Debian 12, both with the same policies in memory.", "",
             "| answers from memory, per CPU second of the server | 1 connection | 20 connections |",
             "|----------------------------------------------|-----:|-----:|"]
    for name in ("gatepost", "postfix-mta-sts-resolver", ECHO):
        lines.append(f"| {name} | " + " | ".join(
            f"{median([cpu for cpu, _ in rates[name, n]]):,.0f}" for n in (1, 20)) + " |")
    ratios = [median([a[0] / b[0] for a, b in zip(rates["gatepost", n], rates["postfix-mta-sts-resolver", n])])
              for n in (1, 20)]
    lines.append("| **ratio** (bound 20) | " + " | ".join(f"**{ratio:.1f}**" for ratio in ratios) + " |")
    lines.append("| gatepost, per second of wall time | " + " | ".join(
        f"{median([wall for _, wall in rates['gatepost', n]]):,.0f}" for n in (1, 20)) + " |")
    lines += ["", "The third line is `bench/policyecho.c`, a loop of epoll, recv and send: most of an answer's cost is the "
              "kernel's TCP, and its ratio to the second line is the most that any service could reach here."]
    lines += ["", "| domains asked for once each, over 20 connections | per second | per CPU second |",
              "|---------------------------------|----:|----:|"]
    for name, result in cold.items():
        lines.append(f"| {name} | {result['answers'] / result['seconds']:,.0f} | {result['answers'] / result['cpu']:,.0f} |")
    lines += ["", f"Every one is an MX and a TXT question to Knot on the same machine, which is the limit; gatepost validates.",
              "", "| memory of the policy process, MiB resident |  |", "|-------------------------------|----:|",
              f"| at the start | {memory['start']:.1f} |",
              f"| with {kept:,} MTA-STS policies read from the store | {memory['kept']:.1f} |",
              f"| and answers for all of them (bound 64) | **{memory['answers']:.1f}** |", ""]
    return "\n".join(lines)


def measure(options):
    options.build = os.path.abspath(options.build)
    os.environ["GATEPOST"] = os.path.join(options.build, "gatepost")  # lab looks for it when it is imported
    from lab import Lab, command, furnish_namespace
    from pki import Pki
    from zones import Zones
    with Lab() as lab:
        furnish_namespace(lab, {})
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w", encoding="ascii") as file:
            file.write("0")
        for name, text in (("resolv.conf", "nameserver 127.0.0.1\n"), ("nsswitch.conf", "hosts: files dns\n")):
            command("mount", "--bind", lab.write("etc-" + name, text), "/etc/" + name, root=True)
        pki = Pki(lab)
        serve_policies(pki.leaf("policyhost", [f"mta-sts.d{i}.sts.test" for i in range(DOMAINS)]))
        names = Zones(lab, zones(True), port=53, host="127.0.0.1", ttl=3600)
        services = {"gatepost": (start_gatepost(lab, names, pki), OUR_PORT),
                    "postfix-mta-sts-resolver": (start_other(lab, pki), OTHER_PORT)}
        rates = cached(options, services | {ECHO: (start_echo(options, lab), ECHO_PORT)})
        cold = {name: load(options, process, port, 20, 0, 0, 1000 if options.quick else COLD, "cold.test")
                for name, (process, port) in services.items()}
        services["gatepost"][0].stop()
        count = 2000 if options.quick else KEPT
        process = start_gatepost(lab, names, pki)
        memory = {"start": resident_mib(process)}
        process.stop()
        fill_store(lab, count)
        process = start_gatepost(lab, names, pki)
        load(options, process, OUR_PORT, 1, 0, 0, 1, "kept.test")  # when it answers it has read them all
        memory["kept"] = resident_mib(process)
        answers = load(options, process, OUR_PORT, 20, 0, 0, count, "kept.test")
        if answers["ok"] != count:
            raise SystemExit(f"policy bench: not every kept policy was used: {answers}")
        memory["answers"] = resident_mib(process)
        return report(options, rates, cold, memory)


def main():
    options = parse_options()
    if not options.inside:
        from lab import namespace_command
        words = [*namespace_command(False), sys.executable, "-B", os.path.realpath(__file__), *sys.argv[1:], "--inside"]
        return subprocess.run(words, check=False).returncode
    socket.setdefaulttimeout(30)
    page = measure(options)
    print(page)
    if options.append:
        with open(options.append, "a", encoding="utf-8") as file:
            file.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
