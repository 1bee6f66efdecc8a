# SPDX-License-Identifier: MIT
"""What `make bench` prints and writes: tables, targets, and how all of it was measured."""

import os
import statistics
import subprocess
import textwrap

BASE = "haproxy"  # the peer whose figures are 1.00

# metric, heading, digits behind the point
SPEED = [
    ("ecdsa", "full ECDSA", 0),
    ("rsa", "full RSA", 0),
    ("resumed", "resumed", 0),
    ("greeting", "greeting", 2),
    ("fetch-cpu", "FETCH/CPU", 0),
    ("fetch-wall", "FETCH wall", 0),
]
MEMORY = [("mem-first", "KiB at {first:,}", 1), ("mem-most", "KiB at {most:,}", 1)]
MEMORY_DETAIL = [
    ("mem-first", "KiB at {first:,}", 1),
    ("mem-most", "KiB at {most:,}", 1),
    ("rss-most", "RSS KiB at {most:,}", 1),
    ("mem-start", "MiB at start", 1),
    ("mem-open", "MiB with {most:,}", 1),
    ("mem-closed", "MiB after closing", 1),
]
SMALL_IS_GOOD = {"greeting"} | {row[0] for row in MEMORY_DETAIL}
SPREADS = [
    ("handshakes", ["ecdsa", "rsa", "resumed"]),
    ("greeting", ["greeting"]),
    ("FETCH", ["fetch-cpu", "fetch-wall"]),
    ("memory", ["mem-first", "mem-most"]),
]


def command_output(*command):
    return subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE).stdout


def first_value(path, key, separator):
    """The value of the first line `key separator value` of a file."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(separator)
            if name.strip() == key:
                return value.strip().strip('"')
    return "unknown"


def machine(chosen):
    """What the figures depend on, as (name, value)."""
    return [
        ("Processor", first_value("/proc/cpuinfo", "model name", ":")),
        ("Cores", str(os.cpu_count())),
        ("System", f"{first_value('/etc/os-release', 'PRETTY_NAME', '=')}, "
                   f"Linux {os.uname().release}, {os.uname().machine}"),
        ("TLS library", " ".join(command_output("openssl", "version").split()[:2])),
        ("Servers", ", ".join(f"{peer.title} {peer.version()}" for peer in chosen)),
    ]


def table(header, rows):
    """A Markdown table that also reads well as plain text; the first column is text."""
    widths = [max(len(row[i]) for row in [header] + rows) for i in range(len(header))]

    def line(cells):
        padded = [cell.rjust(width) for cell, width in zip(cells, widths)]
        padded[0] = cells[0].ljust(widths[0])
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 1) + ("-" if i == 0 else ":")
                          for i, w in enumerate(widths)) + "|"
    return "\n".join([line(header), rule] + [line(row) for row in rows])


def paragraphs(text, width=100):
    """Folds each paragraph; list items hang."""
    folded = []
    for part in textwrap.dedent(text).strip().split("\n\n"):
        hang = "  " if part.startswith("- ") else ""
        folded.append(textwrap.fill(" ".join(part.split()), width, subsequent_indent=hang,
                                    break_on_hyphens=False, break_long_words=False))
    return "\n\n".join(folded)


class Target:
    """gatepost's figure against a bound that is made from another peer's figure."""

    def __init__(self, name, value, bound, at_least, text, digits):
        self.name, self.value, self.bound, self.text = name, value, bound, text
        self.digits = digits
        self.at_least = at_least

    def verdict(self):
        if self.value is None or self.bound is None:
            return "not measured"
        good = self.value >= self.bound if self.at_least else self.value <= self.bound
        return "met" if good else "NOT MET"

    def row(self):
        def show(value):
            return "-" if value is None else f"{value:,.{self.digits}f}"
        sign = "at least" if self.at_least else "at most"
        bound = "-" if self.bound is None else f"{sign} {show(self.bound)}"
        return [self.name, show(self.value), bound, self.text, self.verdict()]


class Report:
    """One run's figures as text."""

    def __init__(self, plan, chosen, collector, machine_rows, foreign):
        self.plan = plan
        self.chosen = sorted(chosen, key=lambda peer: peer.greets)
        self.values = collector.values
        self.failures = collector.failures
        self.machine_rows = machine_rows
        self.foreign = foreign

    # ---- figures

    def figure(self, name, metric):
        """The best quarter's edge over the rounds, None when it was not measured: what else the
        host does can only slow a round down, never speed it up."""
        values = sorted(v for v in self.values.get(name, {}).get(metric, []) if v is not None)
        if not values:
            return None
        quarter = (len(values) - 1) // 4
        return values[quarter] if metric in SMALL_IS_GOOD else values[-1 - quarter]

    def spread(self, metrics):
        """The largest (max - min) / median of these metrics over the rounds, as a share."""
        worst = 0.0
        for figures in self.values.values():
            for metric in metrics:
                values = [v for v in figures.get(metric, []) if v is not None]
                if len(values) > 1 and statistics.median(values) > 0:
                    worst = max(worst, (max(values) - min(values)) / statistics.median(values))
        return worst

    def span(self, metric):
        """The smallest and the largest figure of all peers."""
        found = [self.figure(peer.name, metric) for peer in self.chosen]
        found = [value for value in found if value is not None]
        return (min(found), max(found)) if found else None

    def ratio(self, name, other, metric):
        """The median over the rounds of name's figure by other's of the same round; None when one
        of them was not measured."""
        pairs = list(zip(*(self.values.get(who, {}).get(metric, []) for who in (name, other))))
        ratios = [ours / theirs for ours, theirs in pairs if ours is not None and theirs]
        return statistics.median(ratios) if ratios else None

    def best(self, metric):
        """The best other peer that dials a backend for every session."""
        found = [(self.ratio("gatepost", p.name, metric), p.name) for p in self.chosen
                 if not p.greets and p.name != "gatepost"]
        found = [pair for pair in found if pair[0] is not None]
        return min(found)[1] if found else BASE

    # ---- tables

    def heading(self, text):
        return text.format(first=self.plan.first_sessions, most=self.plan.sessions)

    def title(self, peer):
        return peer.title + (" *" if peer.greets else "")

    def measured(self, columns):
        """The columns that hold at least one figure."""
        return [column for column in columns
                if any(self.figure(peer.name, column[0]) is not None for peer in self.chosen)]

    def peer_table(self, corner, columns, show):
        """One row for each peer; show(peer name, column) makes a cell."""
        columns = self.measured(columns)
        rows = [[self.title(peer)] + [show(peer.name, column) for column in columns]
                for peer in self.chosen]
        return table([corner] + [self.heading(name) for _, name, _ in columns], rows)

    def ratio_table(self):
        def show(name, column):
            ratio = self.ratio(name, BASE, column[0])
            return "-" if ratio is None else f"{ratio:.2f}"
        return self.peer_table("ratio to HAProxy", SPEED + MEMORY, show)

    def figure_table(self, corner, columns):
        def show(name, column):
            value = self.figure(name, column[0])
            return "-" if value is None else f"{value:,.{column[2]}f}"
        return self.peer_table(corner, columns, show)

    def targets(self):
        found = []
        for metric, name in (("ecdsa", "full handshakes, ECDSA"), ("rsa", "full handshakes, RSA"),
                             ("resumed", "resumed handshakes")):
            found.append(self.target(f"{name} per CPU second", metric, 1.00, True,
                                     self.best(metric)))
        found.append(self.target("time to greeting", "greeting", 1.10, False, "dovecot"))
        for metric, name in (("fetch-cpu", "FETCH, octets per CPU second"),
                             ("fetch-wall", "FETCH, octets per second of wall time")):
            found.append(self.target(name, metric, 0.95, True, BASE))
        for metric, count in (("mem-first", self.plan.first_sessions),
                              ("mem-most", self.plan.sessions)):
            name = f"memory per idle session at {count:,}"
            found.append(self.target(name, metric, 0.90, False, BASE))
            found.append(Target(name + ", KiB", self.figure("gatepost", metric), 15.5, False,
                                "", 1))
        return found

    def target(self, name, metric, factor, at_least, peer):
        title = next((p.title for p in self.chosen if p.name == peer), peer)
        return Target(name, self.ratio("gatepost", peer, metric), factor, at_least,
                      f"x {title}", 2)

    def target_table(self):
        return table(["target", "gatepost", "bound", "", "verdict"],
                     [target.row() for target in self.targets()])

    # ---- words

    def conditions(self):
        """What was seen of the run itself."""
        lines = [
            f"Rounds: {self.plan.rounds}. A ratio is the median over the rounds of two figures that "
            f"were measured within seconds of each other. A figure is the best one but "
            f"{(self.plan.rounds - 1) // 4}, as the host's other work can only slow a round down. "
            f"Timed runs of "
            f"{self.plan.seconds} s, {self.plan.concurrency} sessions at the same time; "
            f"{self.plan.greetings} greetings; idle sessions: {self.plan.first_sessions:,} "
            f"and {self.plan.sessions:,}.",
            f"Other programs, and the host under a virtual machine, used {self.foreign:.1%} of the "
            f"processors during the run.",
        ]
        if self.plan.rounds > 1:
            lines.append("Largest difference between two rounds, as a share of the median: "
                         + ", ".join(f"{what} {self.spread(metrics):.1%}"
                                     for what, metrics in SPREADS) + ".")
        for metric, what in (("ecdsa-busy", "full ECDSA handshakes"), ("fetch-busy", "FETCH")):
            span = self.span(metric)
            if span:
                lines.append(f"The server's processor was {span[0]:.0%} to {span[1]:.0%} busy "
                             f"during {what}.")
        ciphers = sorted({c for f in self.values.values() for c in f.get("ciphers", [])})
        if ciphers:
            lines.append(f"Cipher suite: {', '.join(ciphers)}.")
        lines += [f"FAILED: {failure}" for failure in self.failures]
        return lines

    def terminal(self):
        parts = ["\n".join(f"{name}: {value}" for name, value in self.machine_rows),
                 "\n".join(self.conditions()),
                 self.ratio_table(), self.figure_table("figures", SPEED),
                 self.figure_table("memory", MEMORY_DETAIL),
                 "* greets by itself: its handshakes are counted at the greeting, no backend is "
                 "dialled", self.target_table()]
        return "\n\n".join(parts)

    def markdown(self):
        plan = self.plan
        machine_list = "\n".join(f"- {name}: {value}" for name, value in self.machine_rows)
        conditions = "\n\n".join(paragraphs("- " + line) for line in self.conditions())
        return "\n\n".join([
            "# Benchmarks",
            paragraphs("""
                gatepost beside other servers that end TLS in front of an IMAP server, all measured
                in one run on one machine. Figures move from machine to machine; the ratios of one
                run are what counts. This page is written by the command below; it holds the last
                run."""),
            "    " + plan.command,
            paragraphs("""
                Run it while nothing else uses the machine. `python3 bench/bench.py --help` shows
                the options, for example `--quick` and `--only gatepost,haproxy`."""),
            "## Targets", self.target_table(),
            "## Ratios", self.ratio_table(), paragraphs(RATIO_WORDS),
            "## Figures", self.figure_table("figures", SPEED), paragraphs(FIGURE_WORDS),
            "## Memory", self.figure_table("memory", MEMORY_DETAIL),
            paragraphs(MEMORY_WORDS.format(wait=plan.after_close_s)),
            "## The machine", machine_list,
            "## The run", conditions.replace("\n\n", "\n"),
            "## How it is measured", paragraphs(METHOD_WORDS).replace("\n\n- ", "\n- "),
            "## What it does not show", paragraphs(LIMIT_WORDS),
        ]) + "\n"


RATIO_WORDS = """
HAProxy is 1.00. For handshakes and FETCH more is better, for the greeting and for memory less. Rows
with a * are servers that greet by themselves: they dial no backend before the login, so their
handshakes do less work and stand apart from the others.
"""

FIGURE_WORDS = """
- full ECDSA, full RSA: sessions per second of server CPU time with a full TLS 1.3 handshake and a
  certificate of P-256 or RSA-2048. A session counts when the backend's tagged reply to CAPABILITY
  has reached the client; for servers that greet by themselves when the greeting has.

- resumed: the same with a P-256 certificate and a TLS 1.3 ticket of the session before, used once.
  Only sessions that were really resumed count.

- greeting: milliseconds from connect() to the first octet of the greeting, one connection at a
  time, the median of a round.

- FETCH/CPU, FETCH wall: megabytes (10^6 octets) received per second of server CPU time and
  per second of wall time, one connection that fetches a message of 8 MiB again and again.
"""

MEMORY_WORDS = """
User memory of all processes of a server: the increase of private dirty pages for each idle session,
logged in at the backend and proxied to it, over a freshly started process; beside it the same by
resident set size. The last three columns are the server's private dirty memory as a whole: before
the sessions, with all of them, and {wait} s after all were closed.
"""

METHOD_WORDS = """
- One server at a time, started for its measurements with one worker or thread and pinned to one
  processor by taskset; everything runs on loopback. Load generator and backend share another
  processor. The servers take turns in every round, in an order that changes from round to
  round, so that drift of the machine hits all alike.

- The client offers TLS 1.3, X25519 and one cipher suite. Tickets, session caches and buffers are as
  each server's default has them; the configurations stand in `bench/peers`.

- The backend (`bench/mailstub.c`) is one process that answers from memory. Each proxy sends it the
  most telling PROXY header that it can: version 2 with TLS facts from gatepost and HAProxy,
  version 2 from hitch, version 1 from nginx and stunnel. nginx mail asks an
  authentication service before it dials; the backend process plays that too. Dovecot has its
  own TLS and greeting, and proxies the session to the backend after the login.

- Server CPU time is the kernel's process clock of all processes of the server, user and system,
  ended threads and children included, read right before and right after the timed part. A
  warm-up of one session for each place goes before it.

- Every session that is begun is carried to its end (close_notify, FIN, the server's end of stream)
  and counted. One failed session voids the run.
"""

LIMIT_WORDS = """
Load generator and backend together can need more CPU time than the server: then their processor is
the bottleneck, wall times are those of the whole set-up, and the server is not full (its share
is given above). That is why the unit is the CPU second of the server. Loopback has no loss
and no delay, kernel memory is not counted (about the same for each proxy: two sockets a session),
and one worker says nothing about many cores.
"""
