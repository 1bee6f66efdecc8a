#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Speed and memory of gatepost beside other TLS servers, as ratios from one run.

A load generator and an IMAP backend on one processor, the server on another. Each of many short
rounds takes all peers in turn, in an order that turns from round to round; memory is measured in
the first one. report.py says what is made of it. peers.py knows the servers, report.py the tables.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import peers  # noqa: E402  (no bytecode is to be left in the source folder)
import report  # noqa: E402


# load generator modes: for servers that dial a backend, for those that greet by themselves
FULL = ("handshake", "greeting-only")
RESUMED = ("resume", "resume-greeting")


class Plan:
    """How long and how much; the same for every peer."""

    def __init__(self, options):
        quick = options.quick
        self.command = command_to_repeat(options)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        most = min(10000, (limit - 500) // 2)
        self.rounds = options.rounds or (1 if quick else 8)
        self.seconds = options.seconds or 1
        self.concurrency = options.concurrency
        self.greetings = 50 if quick else 300
        self.sessions = min(options.sessions or (2000 if quick else most), most)
        self.first_sessions = min(500 if quick else 2000, self.sessions)
        self.after_close_s = 1 if quick else 10


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build-bench", metavar="DIR",
                        help="the folder that holds bench/loadgen and bench/mailstub")
    parser.add_argument("--gatepost", default="build/gatepost", metavar="PATH")
    parser.add_argument("--only", metavar="PEER[,PEER..]", help="measure these peers only")
    parser.add_argument("--quick", action="store_true", help="one short round, for trying it out")
    parser.add_argument("--rounds", type=int, metavar="N")
    parser.add_argument("--seconds", type=int, metavar="S", help="length of one timed run")
    parser.add_argument("--sessions", type=int, metavar="N", help="idle sessions to hold")
    parser.add_argument("--concurrency", type=int, default=64, metavar="K",
                        help="sessions at the same time in the handshake runs")
    parser.add_argument("--part", choices=["speed", "memory"], help="measure this part only")
    parser.add_argument("--write", metavar="FILE", help="write the report as Markdown")
    parser.add_argument("--json", metavar="FILE", help="write all figures of all rounds")
    return parser.parse_args()


def command_to_repeat(options):
    """`make bench`, or bench.py with what was given beside the paths."""
    given = ["--quick"] if options.quick else []
    for name, default in (("only", None), ("rounds", None), ("seconds", None), ("sessions", None),
                          ("concurrency", 64), ("part", None)):
        value = getattr(options, name)
        if value != default:
            given += ["--" + name, str(value)]
    return " ".join(["python3 bench/bench.py"] + given) if given else "make bench"


def choose_peers(options):
    """The peers to measure; ends the program when one of them is not there."""
    everyone = peers.all_peers(os.path.abspath(options.gatepost))
    chosen = everyone
    if options.only:
        names = options.only.split(",")
        chosen = [peer for peer in everyone if peer.name in names]
        unknown = set(names) - {peer.name for peer in everyone}
        if unknown:
            sys.exit(f"bench: no such peer: {', '.join(sorted(unknown))}; there are: "
                     + " ".join(peer.name for peer in everyone))
    missing = [peer for peer in chosen if not peer.program()]
    for peer in missing:
        where = f"install {peer.package}" if peer.package else "build it first (make build)"
        print(f"bench: {peer.name} is not there: {where}", file=sys.stderr)
    if missing:
        sys.exit(1)
    return chosen


def copy_gatepost(lab, chosen):
    """Where `nobody` can execute it, whatever folder it was built in."""
    for peer in chosen:
        if peer.name == "gatepost":
            copy = lab.path("gatepost")
            shutil.copy(peer.command[0], copy)
            os.chmod(copy, 0o755)
            peer.command[0] = copy


# ---- the measurements; each returns {metric: value}


def rate(result, what="sessions"):
    """Per second of server CPU."""
    return result[what] / result["cpu"] if result["cpu"] > 0 else None


def measure_handshakes(server, plan, metric, mode):
    """`mode` is a pair: for servers that dial a backend, for those that greet by themselves."""
    result = server.run_loadgen(mode[server.peer.greets], "--concurrency", str(plan.concurrency),
                                seconds=plan.seconds)
    if result["sessions"] == 0 or result["not_resumed"] > result["sessions"] / 100:
        raise peers.BenchError(f"{metric}: {result['sessions']} sessions counted, "
                               f"{result['not_resumed']} were not resumed")
    return {metric: rate(result), metric + "-busy": result["cpu"] / result["seconds"],
            "ciphers": result["cipher"]}


def measure_greeting(server, plan):
    result = server.run_loadgen("greeting", "--count", str(plan.greetings), seconds=20)
    return {"greeting": result["p50_ms"], "greeting-p95": result["p95_ms"]}


def measure_fetch(server, plan):
    result = server.run_loadgen("fetch", seconds=plan.seconds)
    return {"fetch-cpu": rate(result, "octets") / 1e6,
            "fetch-wall": result["octets"] / result["seconds"] / 1e6,
            "fetch-busy": result["cpu"] / result["seconds"]}


def expect_held(answer, count):
    if answer["held"] != count or answer["errors"] or answer["lost"]:
        raise peers.BenchError(f"{answer['held']} of {count} sessions held, {answer['errors']} "
                               f"failed, {answer['lost']} lost ({answer['error']})")


def per_session(now, base, count):
    return {kind: (now[kind] - base[kind]) / count for kind in now}


def measure_idle(server, plan):
    """Memory with logged in sessions open, and after all are closed; a fresh process."""
    steps = sorted({plan.first_sessions, plan.sessions})
    base = server.memory_kib()
    values = {"mem-start": base["dirty"] / 1024}
    loadgen = server.lab.start_loadgen("idle", server.port, "--count",
                                       ",".join(str(step) for step in steps))
    try:
        for count in steps:
            expect_held(server.ask(loadgen, 150), count)
            now = server.memory_kib()
            each = per_session(now, base, count)
            which = "first" if count == plan.first_sessions else "most"
            values.update({f"mem-{which}": each["dirty"], f"rss-{which}": each["rss"]})
            loadgen.stdin.write("\n")
            loadgen.stdin.flush()
        values["mem-open"] = now["dirty"] / 1024
        expect_held(server.ask(loadgen, 150), 0)
        time.sleep(plan.after_close_s)  # the measurement itself: what is given back by then
        values["mem-closed"] = server.memory_kib()["dirty"] / 1024
    finally:
        peers.stop(loadgen)
        loadgen.stderr.close()
    return values


class Collector:
    """All figures of all rounds, and what went wrong."""

    def __init__(self, chosen):
        self.values = {peer.name: {} for peer in chosen}
        self.failures = []

    def run(self, lab, peer, certificate, measurements):
        """Starts a peer once and takes these measurements from it."""
        try:
            with peers.Server(lab, peer, certificate) as server:
                for measure in measurements:
                    self.take(peer, measure, server)
        except peers.BenchError as error:
            self.fail(peer, error)

    def take(self, peer, measure, server):
        try:
            for metric, value in measure(server).items():
                self.values[peer.name].setdefault(metric, []).append(value)
        except peers.BenchError as error:
            self.fail(peer, error)

    def fail(self, peer, error):
        self.failures.append(f"{peer.name}: {error}")
        print(f"bench: {self.failures[-1]}", file=sys.stderr, flush=True)


def turned(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def measure_in_turn(lab, chosen, collector, certificate, measurements):
    """All peers stand ready; each measurement goes round before the next begins, so that what is
    compared was measured within seconds."""
    with contextlib.ExitStack() as stack:
        servers = {}
        for peer in chosen:
            try:
                servers[peer] = stack.enter_context(peers.Server(lab, peer, certificate))
            except peers.BenchError as error:
                collector.fail(peer, error)
        for measure in measurements:
            for peer, server in servers.items():
                collector.take(peer, measure, server)


def run_round(lab, plan, chosen, collector, part):
    ec = [lambda s: measure_handshakes(s, plan, "ecdsa", FULL),
          lambda s: measure_handshakes(s, plan, "resumed", RESUMED),
          lambda s: measure_greeting(s, plan),
          lambda s: measure_fetch(s, plan)]
    rsa = [lambda s: measure_handshakes(s, plan, "rsa", FULL)]
    if part != "memory":
        print("  speed", file=sys.stderr, flush=True)
        measure_in_turn(lab, chosen, collector, "ec", ec)
        measure_in_turn(lab, chosen, collector, "rsa", rsa)
    for peer in [] if part == "speed" else chosen:
        print(f"  memory: {peer.name}", file=sys.stderr, flush=True)
        collector.run(lab, peer, "ec", [lambda s: measure_idle(s, plan)])


def processor_seconds():
    """Busy seconds of the whole machine so far, all processors."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / peers.TICKS_PER_S


def own_seconds():
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


def run_all(lab, plan, chosen, part):
    """All rounds; returns the collector and the share of the machine that others used."""
    collector = Collector(chosen)
    start, busy, own = time.monotonic(), processor_seconds(), own_seconds()
    for number in range(plan.rounds):
        print(f"round {number + 1} of {plan.rounds}", file=sys.stderr, flush=True)
        run_round(lab, plan, turned(chosen, number), collector,
                  part if number == 0 else "speed")
    foreign = processor_seconds() - busy - (own_seconds() - own)
    wall = (time.monotonic() - start) * os.cpu_count()
    return collector, max(0.0, foreign / wall)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every server is stopped
    peers.adopt_orphans()
    options = parse_options()
    plan = Plan(options)
    chosen = choose_peers(options)
    for name in ("loadgen", "mailstub"):
        if not os.access(os.path.join(options.build, "bench", name), os.X_OK):
            sys.exit(f"bench: {name} is not in {options.build}/bench; build it with -Dbench=true")
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-", dir="/tmp") as folder:
        lab = peers.Lab(folder, os.path.abspath(options.build), plan.sessions)
        copy_gatepost(lab, chosen)
        collector, foreign = run_all(lab, plan, chosen, options.part)
        machine = report.machine(chosen)
    page = report.Report(plan, chosen, collector, machine, foreign)
    print(page.terminal())
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(collector.values, file, indent=1)
    if options.write:
        with open(options.write, "w", encoding="utf-8") as file:
            file.write(page.markdown())
    return 1 if collector.failures else 0


if __name__ == "__main__":
    sys.exit(main())
