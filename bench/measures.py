# SPDX-License-Identifier: MIT
"""The measurements of `make bench`. Each takes a running server and returns {metric: value}."""

import contextlib
import os
import shutil
import socket
import statistics
import time

import peers

# load generator modes: for servers that dial a backend, for those that greet by themselves
FULL = ("handshake", "greeting-only")
RESUMED = ("resume", "resume-greeting")
NAMES_DOMAIN = "example.test"
SWAP_S = 5  # how long sessions are watched around a swap of certificates


def rate(result, what="sessions"):
    """Per second of server CPU."""
    if result["cpu"] <= 0:
        raise peers.BenchError("the server used no CPU time that could be seen")
    return result[what] / result["cpu"]


def expect_sessions(result, what):
    if result["sessions"] == 0 or result["not_resumed"] > result["sessions"] / 100:
        raise peers.BenchError(f"{what}: {result['sessions']} sessions counted, "
                               f"{result['not_resumed']} were not resumed")


def run_sessions(server, plan, what, mode, *options):
    result = server.run_loadgen(mode, "--concurrency", str(plan.concurrency), *options,
                                seconds=plan.seconds)
    expect_sessions(result, what)
    return result


# ---- two servers at the same time


class Work:
    """Sessions that two servers do at the same time. `modes` is a pair: for servers that dial a
    backend, for those that greet by themselves."""

    def __init__(self, metric, modes, port="PORT", protocol=None):
        self.metric, self.modes, self.port, self.protocol = metric, modes, port, protocol

    def is_spoken_by(self, server):
        return self.protocol is None or self.protocol in server.peer.starttls

    def load(self, server, plan):
        return peers.Load(server, self.modes[server.peer.greets],
                          ("--concurrency", str(plan.concurrency)), server.ports[self.port])


HANDSHAKES = Work("ecdsa", FULL)
RESUMPTIONS = Work("resumed", RESUMED)
RSA_HANDSHAKES = Work("rsa", FULL)
STARTTLS = [Work("starttls-" + protocol, ("starttls-" + protocol,) * 2, port, protocol)
            for port, protocol in peers.PROTOCOLS.items()]
STARTTLS_RESUMED = Work("starttls-resumed", ("resume-starttls-imap",) * 2, "IMAP")
MESSAGES = Work("submit", ("submit",) * 2, "SUBMISSIONS")


def together(work, plan, servers):
    """What all of them did in the same seconds."""
    results = peers.run_together([work.load(server, plan) for server in servers], plan.seconds)
    for result in results:
        expect_sessions(result, work.metric)
        result["rate"] = rate(result)
    return results


def busy(results):
    """The share of one processor that the servers used."""
    return sum(result["cpu"] for result in results) / results[0]["seconds"]


def workers(plan, two, one):
    """Two workers beside one of the same server."""
    results = together(HANDSHAKES, plan, (two, one))
    return {"workers-2": results[0]["rate"], "workers-1": results[1]["rate"]}


# ---- one server at a time


def greeting(server, plan):
    result = server.run_loadgen("greeting", "--count", str(plan.greetings), seconds=20)
    return {"greeting": result["p50_ms"], "greeting-p95": result["p95_ms"]}


def fetch(server, plan):
    result = server.run_loadgen("fetch", seconds=plan.seconds)
    return {"fetch-cpu": rate(result, "bytes") / 1e6,
            "fetch-wall": result["bytes"] / result["seconds"] / 1e6,
            "fetch-busy": result["cpu"] / result["seconds"]}


# ---- idle sessions


def expect_held(answer, count):
    if answer["held"] != count or answer["errors"] or answer["lost"]:
        raise peers.BenchError(f"{answer['held']} of {count} sessions held, {answer['errors']} "
                               f"failed, {answer['lost']} lost ({answer['error']})")


def per_session(now, base, count):
    return {kind: (now[kind] - base[kind]) / count for kind in now}


def next_step(loadgen):
    loadgen.stdin.write("\n")
    loadgen.stdin.flush()


def idle_cpu(server, plan):
    """Percent of one processor while nobody says anything."""
    before, start = server.cpu_seconds(), time.monotonic()
    time.sleep(plan.idle_s)  # the measurement itself
    return (server.cpu_seconds() - before) / (time.monotonic() - start) * 100


def idle(server, plan):
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
            if count == steps[-1]:
                values["idle-cpu"] = idle_cpu(server, plan)
            next_step(loadgen)
        values["mem-open"] = now["dirty"] / 1024
        expect_held(server.ask(loadgen, 150), 0)
        time.sleep(plan.after_close_s)  # the measurement itself: what is given back by then
        values["mem-closed"] = server.memory_kib()["dirty"] / 1024
        values["mem-kept"] = values["mem-closed"] / values["mem-start"]
    finally:
        peers.stop(loadgen)
        loadgen.stderr.close()
    return values


# ---- many names


def names(server, plan):
    """With a directory of certificates: the start, memory, one name again and again, all in turn."""
    after_start = server.memory_kib()["dirty"] / 1024
    one = run_sessions(server, plan, "names-one", FULL[0], "--name", "n7." + NAMES_DOMAIN)
    every = run_sessions(server, plan, "names-all", FULL[0], "--name", NAMES_DOMAIN,
                         "--names", str(plan.names))
    return {"names-start": server.start_s, "names-mem": after_start, "names-one": rate(one),
            "names-all": rate(every)}


def lookup(lab, plan):
    tool = lab.start_tool("names", plan.names, NAMES_DOMAIN)
    try:
        return {"names-lookup": peers.read_line(tool.stdout, 120, "names")["lookup_ns"] / 1000}
    finally:
        peers.stop(tool)
        tool.stderr.close()


# ---- a swap of certificates under sessions


def swap_files(lab, directory, name):
    """Put another certificate with its key in place of live.pem, in one step."""
    live = os.path.join(directory, "live.pem")
    shutil.copy(lab.path(name), live + ".new")
    os.chmod(live + ".new", 0o600)
    os.rename(live + ".new", live)
    return live


def await_other(server, old):
    deadline = time.monotonic() + peers.START_S
    while server.greet() == old:
        if time.monotonic() > deadline:
            raise peers.BenchError("the new certificate was not taken over")
        time.sleep(peers.POLL_S)


def swap(server, plan, directory):
    """Sessions that are lost, and the longest wait of others, while certificates change."""
    count = plan.sessions - 200
    holder = server.lab.start_loadgen("idle", server.port, "--count", str(count))
    pinger = server.lab.start_loadgen("ping", server.port, "--sync", "--concurrency", "16",
                                      "--seconds", str(SWAP_S))
    try:
        expect_held(server.ask(holder, 150), count)
        server.ask(pinger, 30)
        old = server.greet()
        next_step(pinger)
        swap_files(server.lab, directory, "rsa.both")
        await_other(server, old)
        result = server.ask(pinger, SWAP_S + 60)
        next_step(holder)
        closed = server.ask(holder, 150)
    finally:
        for tool in (pinger, holder):
            peers.stop(tool)
            tool.stderr.close()
    return {"swap-lost": closed["lost"] + closed["errors"] + result["errors"],
            "swap-stall": result["max_ms"], "swap-p50": result["p50_ms"]}


# ---- a flood of expensive handshakes


def ping(server, plan):
    result = server.run_loadgen("ping", "--concurrency", "32", seconds=plan.ping_s)
    return result["p99_ms"]


def ping_under_flood(server, plan):
    """The p99 and how many answers a second the flood had."""
    attack = server.lab.start_tool("flood", server.port, plan.flood, "mail.example.test")
    try:
        server.ask(attack, 30)
        under = ping(server, plan)
        attack.stdin.close()
        answers = server.ask(attack, 30)["answers"]
    finally:
        attack.stdin = None
        peers.stop(attack)
        attack.stderr.close()
    return under, answers / plan.ping_s


def flood(server, plan):
    """The p99 of established sessions without and with a flood of P-384, in turns: the medians, as
    the host makes all sessions wait for some milliseconds now and then."""
    normal, under, answers = [], [], []
    for _ in range(plan.flood_turns):
        normal.append(ping(server, plan))
        p99, answered = ping_under_flood(server, plan)
        under.append(p99)
        answers.append(answered)
    before, during = statistics.median(normal), statistics.median(under)
    return {"flood-normal": before, "flood-p99": during, "flood-ratio": during / before,
            "flood-answers": statistics.median(answers)}


# ---- connections that owe their ClientHello


def open_half(stack, server, count):
    """As many connections with one byte each, from two addresses."""
    for number in range(count):
        sock = stack.enter_context(socket.create_connection(
            ("127.0.0.1", server.port), 10, (f"127.0.0.{2 + number % 2}", 0)))
        sock.sendall(b"\x16")


def half_open(server, plan):
    """The p99 of the greeting of new clients, without and beside half-open handshakes."""
    def p99():
        return server.run_loadgen("greeting", "--count", str(plan.greetings), seconds=20)["p99_ms"]
    before = p99()
    with contextlib.ExitStack() as stack:
        open_half(stack, server, plan.half_open)
        return {"half-normal": before, "half-p99": p99()}
