#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Speed and memory of gatepost beside other TLS servers, as ratios from one run.

Load generators and backends on one processor, the servers on another. For handshakes and messages
gatepost and one other server are under load at the same time, so that whatever else the host does
slows both alike; for the rest the servers take turns. All that comes in short rounds; what needs
thousands of sessions or names, or a flood, is measured once. peers.py knows the servers,
measures.py the measurements, report.py the tables.
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

import measures  # noqa: E402
import peers  # noqa: E402  (no bytecode is to be left in the source directory)
import report  # noqa: E402


CONCURRENCY = 32
PARTS = ("speed", "starttls", "memory", "names", "swap", "workers", "flood")
WITH_ALL_PROTOCOLS = ("gatepost", peers.BEFORE, "nginx-mail", "dovecot")
WITH_WORKERS = ("gatepost", peers.BEFORE, "nginx-stream")
WITH_NAMES = ("gatepost", peers.BEFORE, "haproxy", "nginx-stream")
UNDER_FLOOD = ("gatepost", peers.BEFORE, "haproxy", "nginx-stream")


class Plan:
    """How long and how much; the same for every peer."""

    def __init__(self, options):
        quick = options.quick
        self.command = command_to_repeat(options)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        most = min(10000, (limit - 500) // 2)
        self.rounds = options.rounds or (1 if quick else 5)
        self.parts = options.part.split(",") if options.part else PARTS
        self.seconds = options.seconds or 1
        self.concurrency = options.concurrency
        self.greetings = 50 if quick else 100
        self.turns = 1 if quick else 2
        self.sessions = min(options.sessions or (2000 if quick else most), most)
        self.first_sessions = min(500 if quick else 2000, self.sessions)
        self.after_close_s = 5 if quick else 10
        self.idle_s = 1 if quick else 5
        self.names = 500 if quick else 10000
        self.ping_s = 1 if quick else 3
        self.flood_turns = 1 if quick else 5
        self.flood = 64
        self.half_open = 500


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build-bench", metavar="DIR",
                        help="the directory that holds bench/loadgen and the other tools")
    parser.add_argument("--gatepost", default="build/gatepost", metavar="PATH")
    parser.add_argument("--before", metavar="PATH",
                        help="another gatepost, measured beside this one")
    parser.add_argument("--only", metavar="PEER[,PEER..]",
                        help="measure gatepost and these peers only")
    parser.add_argument("--quick", action="store_true", help="one short round, for trying it out")
    parser.add_argument("--rounds", type=int, metavar="N")
    parser.add_argument("--seconds", type=int, metavar="S", help="length of one timed run")
    parser.add_argument("--sessions", type=int, metavar="N", help="idle sessions to hold")
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY, metavar="K",
                        help="sessions at the same time at each server in the handshake runs")
    parser.add_argument("--part", metavar="PART[,PART..]",
                        help="measure these parts only: " + " ".join(PARTS))
    parser.add_argument("--write", metavar="FILE", help="write the report as Markdown")
    parser.add_argument("--json", metavar="FILE", help="write all figures of all rounds")
    return parser.parse_args()


def command_to_repeat(options):
    """`make bench`, or bench.py with what was given beside the paths."""
    given = ["--quick"] if options.quick else []
    for name, default in (("only", None), ("rounds", None), ("seconds", None), ("sessions", None),
                          ("concurrency", CONCURRENCY), ("part", None)):
        value = getattr(options, name)
        if value != default:
            given += ["--" + name, str(value)]
    return " ".join(["python3 bench/bench.py"] + given) if given else "make bench"


def choose_peers(options):
    """The peers to measure; ends the program when one of them is not there."""
    everyone = peers.all_peers(os.path.abspath(options.gatepost))
    if options.before:
        everyone.insert(1, peers.another_gatepost(os.path.abspath(options.before)))
    chosen = everyone
    if options.only:
        names = ["gatepost"] + options.only.split(",")
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
    """Where `nobody` can execute it, whatever directory it was built in."""
    for peer in chosen:
        if peer.configured_as == "gatepost":
            copy = lab.path(peer.name + "-program")
            shutil.copy(peer.command[0], copy)
            os.chmod(copy, 0o755)
            peer.command[0] = copy


class Collector:
    """All figures of all rounds, and what went wrong."""

    def __init__(self, chosen):
        self.values = {peer.name: {} for peer in chosen}
        self.failures = []
        self.failed = set()  # their figures would stand beside those of other turns

    def add(self, peer, metric, value):
        self.values[peer.name].setdefault(metric, []).append(value)

    def run(self, peer, server, measure):
        """Starts a server for one measurement."""
        try:
            with server:
                self.take(peer, measure, server)
        except peers.BenchError as error:
            self.fail(peer, error)

    def take(self, peer, measure, server):
        try:
            for metric, value in measure(server).items():
                self.add(peer, metric, value)
        except peers.BenchError as error:
            self.fail(peer, error)

    def take_together(self, work, plan, servers):
        """gatepost first, and another server where there is one that speaks this."""
        try:
            results = measures.together(work, plan, servers)
        except peers.BenchError as error:
            self.fail(servers[-1].peer, f"beside {servers[0].peer.name}: {error}")
            return
        for server, result in zip(servers, results):
            self.add(server.peer, work.metric, result["rate"])
            self.add(server.peer, "ciphers", result["cipher"])
            self.add(server.peer, work.metric + "-busy", measures.busy(results))
        for server, result in list(zip(servers, results))[1:]:
            self.add(server.peer, report.ratio_metric(work.metric),
                     results[0]["rate"] / result["rate"])

    def fail(self, peer, error):
        self.failed.add(peer.name)
        self.failures.append(f"{peer.name}: {error}")
        print(f"bench: {self.failures[-1]}", file=sys.stderr, flush=True)


def turned(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def start_all(stack, servers, collector):
    """Those that do start."""
    ready = []
    for server in servers:
        try:
            ready.append(stack.enter_context(server))
        except peers.BenchError as error:
            collector.fail(server.peer, error)
    return ready


def measure_in_turn(ready, collector, measurements):
    """Each measurement goes round before the next begins, so that what is compared was measured
    within seconds."""
    for measure in measurements:
        for server in ready:
            collector.take(server.peer, measure, server)


def measure_beside(ready, plan, collector, works):
    """gatepost and one other server at the same time; alone what nobody else speaks."""
    ours = next((server for server in ready if server.peer.name == "gatepost"), None)
    if not ours:
        return
    for work in works:
        others = [server for server in ready if server is not ours and work.is_spoken_by(server)]
        for beside in [[other] for other in others] or [[]]:
            collector.take_together(work, plan, [ours] + beside)


def named(chosen, names):
    return [peer for peer in chosen if peer.name in names]


# ---- the parts; those of a round are measured in each


def part_speed(lab, plan, chosen, collector):
    with contextlib.ExitStack() as stack:
        ready = start_all(stack, [peers.Server(lab, peer, "ec") for peer in chosen], collector)
        measure_beside(ready, plan, collector, [measures.HANDSHAKES, measures.RESUMPTIONS])
        measure_in_turn(ready, collector, [lambda s: measures.greeting(s, plan),
                                           lambda s: measures.fetch(s, plan)] * plan.turns)
    with contextlib.ExitStack() as stack:
        ready = start_all(stack, [peers.Server(lab, peer, "rsa") for peer in chosen], collector)
        measure_beside(ready, plan, collector, [measures.RSA_HANDSHAKES])


def part_starttls(lab, plan, chosen, collector):
    servers = [peers.Server(lab, peer, "ec", "all") for peer in named(chosen, WITH_ALL_PROTOCOLS)]
    with contextlib.ExitStack() as stack:
        measure_beside(start_all(stack, servers, collector), plan, collector,
                       measures.STARTTLS + [measures.STARTTLS_RESUMED, measures.MESSAGES])


def part_workers(lab, plan, chosen, collector):
    """One worker and two at the same time; all may use both processors."""
    for peer in named(chosen, WITH_WORKERS):
        servers = [peers.Server(lab, peer, "ec", cpus=lab.both_cpus, WORKERS=count)
                   for count in (2, 1)]
        with contextlib.ExitStack() as stack:
            ready = start_all(stack, servers, collector)
            for _ in range(plan.turns if len(ready) == len(servers) else 0):
                collector.take(peer, lambda s: measures.workers(plan, *s), ready)


def part_memory(lab, plan, chosen, collector):
    for peer in chosen:
        say(f"  memory: {peer.name}")
        collector.run(peer, peers.Server(lab, peer, "ec"), lambda s: measures.idle(s, plan))


def part_names(lab, plan, chosen, collector):
    directory = lab.make_names(plan.names)
    for peer in named(chosen, WITH_NAMES):
        say(f"  names: {peer.name}")
        collector.run(peer, peers.Server(lab, peer, "ec"),
                      lambda s: {"names-none": measures.rate(measures.run_sessions(
                          s, plan, "names-none", measures.FULL[0]))})
        collector.run(peer, peers.Server(lab, peer, "ec", "names", NAMES=directory),
                      lambda s: measures.names(s, plan))
    for peer in named(chosen, ("gatepost",)):
        collector.take(peer, lambda _: measures.lookup(lab, plan), None)


def part_swap(lab, plan, chosen, collector):
    for peer in named(chosen, ("gatepost",)):
        live = measures.swap_files(lab, lab.directory, "ec.both")
        collector.run(peer, peers.Server(lab, peer, "ec", CHAIN=live, KEY=live),
                      lambda s: measures.swap(s, plan, lab.directory))


def part_flood(lab, plan, chosen, collector):
    for peer in named(chosen, UNDER_FLOOD):
        say(f"  flood: {peer.name}")
        collector.run(peer, peers.Server(lab, peer, "ec", CURVES="X25519:P-256:P-384"),
                      lambda s: measures.flood(s, plan) | measures.half_open(s, plan))


IN_ROUNDS = {"speed": part_speed, "starttls": part_starttls, "workers": part_workers}
ONCE = {"memory": part_memory, "names": part_names, "swap": part_swap, "flood": part_flood}


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_parts(parts, lab, plan, chosen, collector):
    for name, part in parts.items():
        if name in plan.parts:
            say("  " + name)
            part(lab, plan, chosen, collector)


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


def run_all(lab, plan, chosen):
    """All rounds; returns the collector and the share of the machine that others used."""
    collector = Collector(chosen)
    start, busy, own = time.monotonic(), processor_seconds(), own_seconds()
    for number in range(plan.rounds):
        say(f"round {number + 1} of {plan.rounds}")
        run_parts(IN_ROUNDS, lab, plan, turned(chosen, number), collector)
    say("once")
    run_parts(ONCE, lab, plan, chosen, collector)
    foreign = processor_seconds() - busy - (own_seconds() - own)
    seconds = time.monotonic() - start
    say(f"measured for {seconds:.0f} s")
    return collector, max(0.0, foreign / (seconds * os.cpu_count()))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every server is stopped
    peers.adopt_orphans()
    options = parse_options()
    plan = Plan(options)
    chosen = choose_peers(options)
    unknown = set(plan.parts) - set(PARTS)
    if unknown:
        sys.exit(f"bench: no such part: {', '.join(sorted(unknown))}")
    for name in ("flood", "loadgen", "mailstub", "names"):
        if not os.access(os.path.join(options.build, "bench", name), os.X_OK):
            sys.exit(f"bench: {name} is not in {options.build}/bench; build it with -Dbench=true")
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-", dir="/tmp") as directory:
        lab = peers.Lab(directory, os.path.abspath(options.build), plan.sessions)
        copy_gatepost(lab, chosen)
        collector, foreign = run_all(lab, plan, chosen)
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
