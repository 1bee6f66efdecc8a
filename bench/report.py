# SPDX-License-Identifier: MIT
"""What `make bench` prints and writes: tables, targets, and how all of it was measured."""

import os
import statistics
import subprocess
import textwrap

import peers

OURS = "gatepost"  # its figures are 1.00

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
    ("idle-cpu", "idle CPU %", 3),
]
STARTTLS = [
    ("starttls-imap", "IMAP", 0),
    ("starttls-pop3", "POP3", 0),
    ("starttls-submission", "submission", 0),
    ("starttls-sieve", "Sieve", 0),
    ("starttls-xmpp", "XMPP", 0),
    ("starttls-resumed", "IMAP, resumed", 0),
    ("submit", "messages", 0),
]
NAMES = [
    ("names-start", "s to the first greeting", 2),
    ("names-mem", "MiB then", 1),
    ("names-none", "without names", 0),
    ("names-one", "one name", 0),
    ("names-all", "all in turn", 0),
]
FLOOD = [
    ("flood-normal", "p99 ms", 2),
    ("flood-p99", "p99 ms in the flood", 2),
    ("flood-ratio", "ratio", 2),
    ("flood-answers", "answers to it per s", 0),
    ("half-normal", "greeting, p99 ms", 2),
    ("half-p99", "the same beside half-open handshakes", 2),
]
SMALL_IS_GOOD = ({"greeting", "names-start", "names-mem"} | {row[0] for row in MEMORY_DETAIL}
                 | {row[0] for row in FLOOD})
SPREADS = [
    ("handshakes", ["ecdsa", "rsa", "resumed"]),
    ("STARTTLS", [row[0] for row in STARTTLS]),
    ("greeting", ["greeting"]),
    ("FETCH", ["fetch-cpu", "fetch-wall"]),
]


def ratio_metric(metric):
    """Of another server: gatepost's figure by its own, of the same seconds."""
    return "ratio-" + metric


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
    """gatepost's figure against what it must reach, and what it had better reach."""

    def __init__(self, name, value, at_least, must, stretch, text="", digits=2):
        self.name, self.value, self.text = name, value, text
        self.must, self.stretch = must, stretch
        self.digits = digits
        self.at_least = at_least

    def reaches(self, bound):
        return self.value >= bound if self.at_least else self.value <= bound

    def verdict(self):
        if self.value is None:
            return "not measured"
        if self.must is None:
            return "-"
        if not self.reaches(self.must):
            return "NOT MET"
        return "met" if self.stretch is None or not self.reaches(self.stretch) else "met, stretch"

    def row(self):
        def show(value):
            return "-" if value is None else f"{value:,.{self.digits}f}"
        sign = "≥ " if self.at_least else "≤ "
        bounds = ["-" if bound is None else sign + show(bound)
                  for bound in (self.must, self.stretch)]
        return [self.name, show(self.value), *bounds, self.text, self.verdict()]


class Report:
    """One run's figures as text."""

    def __init__(self, plan, chosen, collector, machine_rows, foreign):
        self.plan = plan
        self.chosen = sorted(chosen, key=lambda peer: peer.greets)
        self.values = collector.values
        self.failures = collector.failures
        self.failed = collector.failed
        self.machine_rows = machine_rows
        self.foreign = foreign

    # ---- figures

    def figure(self, name, metric):
        """The run at the edge of the best quarter, None when it was not measured: what else the
        host does can only slow a run down, never speed it up."""
        values = sorted(v for v in self.values.get(name, {}).get(metric, []) if v is not None)
        if not values:
            return None
        quarter = (len(values) - 1) // 4
        return values[quarter] if metric in SMALL_IS_GOOD else values[-1 - quarter]

    def span(self, metric):
        """The smallest and the largest value of all runs."""
        found = [value for figures in self.values.values() for value in figures.get(metric, [])]
        return (min(found), max(found)) if found else None

    def ratios(self, other, metric):
        """gatepost's figure by the other's: of the same seconds where both were measured at the
        same time, else of the same turn."""
        found = self.values.get(other, {}).get(ratio_metric(metric))
        if found:
            return found
        if self.failed & {OURS, other}:
            return []
        pairs = zip(*(self.values.get(who, {}).get(metric, []) for who in (OURS, other)))
        return [ours / theirs for ours, theirs in pairs if ours is not None and theirs]

    def ratio(self, other, metric):
        """The median; None when one of the two was not measured."""
        found = self.ratios(other, metric)
        return statistics.median(found) if found else None

    def spread(self, metrics):
        """The widest middle half of the ratios, as a share of their median; None for too few."""
        found = [self.ratios(peer.name, metric) for peer in self.chosen for metric in metrics
                 if peer.name != OURS]
        quartiles = [statistics.quantiles(ratios, n=4, method="inclusive") for ratios in found
                     if len(ratios) > 3]
        return max(((high - low) / middle for low, middle, high in quartiles), default=None)

    def spreads(self):
        """The same as words, for all that was compared often enough."""
        found = [(what, self.spread(metrics)) for what, metrics in SPREADS]
        return ", ".join(f"{what} {value:.1%}" for what, value in found if value is not None)

    def quotient(self, metric, other, name=OURS):
        """The median, over the runs, of one figure by another of the same peer and time."""
        pairs = list(zip(*(self.values.get(name, {}).get(m, []) for m in (metric, other))))
        ratios = [ours / theirs for ours, theirs in pairs if ours is not None and theirs]
        return statistics.median(ratios) if ratios else None

    def best(self, metric):
        """The best other peer that dials a backend for every session; an older gatepost is none."""
        found = [(self.ratio(p.name, metric), p.name) for p in self.chosen
                 if not p.greets and p.name not in (OURS, peers.BEFORE)]
        found = [pair for pair in found if pair[0] is not None]
        return min(found)[1] if found else "-"

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
        """One row for each peer that has a figure; show(peer name, column) makes a cell."""
        columns = self.measured(columns)
        if not columns:
            return "Not measured."
        rows = [[self.title(peer)] + [show(peer.name, column) for column in columns]
                for peer in self.chosen
                if any(self.figure(peer.name, column[0]) is not None for column in columns)]
        return table([corner] + [self.heading(name) for _, name, _ in columns], rows)

    def ratio_table(self):
        def show(name, column):
            ratio = 1.0 if name == OURS else self.ratio(name, column[0])
            return "-" if ratio is None else f"{1 / ratio:.2f}"
        return self.peer_table("ratio to gatepost", SPEED + MEMORY, show)

    def figure_table(self, corner, columns):
        def show(name, column):
            value = self.figure(name, column[0])
            return "-" if value is None else f"{value:,.{column[2]}f}"
        return self.peer_table(corner, columns, show)

    def targets(self):
        return (self.handshake_targets() + self.starttls_targets() + self.session_targets()
                + self.memory_targets() + self.edge_targets())

    def handshake_targets(self):
        found = []
        for metric, name, stretch in (("ecdsa", "full handshakes, ECDSA", 1.11),
                                      ("rsa", "full handshakes, RSA", None),
                                      ("resumed", "resumed handshakes", 1.15)):
            found.append(self.target(name + " per CPU second", metric, True, 1.00, stretch,
                                     self.best(metric)))
        return found

    def starttls_targets(self):
        """nginx mail dials no backend for these handshakes: its ratios have no bound."""
        found = []
        for metric, name, nginx in (("starttls-imap", "STARTTLS, IMAP", True),
                                    ("starttls-pop3", "STARTTLS, POP3", True),
                                    ("starttls-submission", "STARTTLS, submission", True),
                                    ("starttls-sieve", "STARTTLS, Sieve", False),
                                    ("starttls-resumed", "STARTTLS, IMAP, resumed", True)):
            name += " per CPU second"
            found.append(self.target(name, metric, True, 1.00, None, "dovecot"))
            if nginx:
                found.append(self.target(name, metric, True, None, None, "nginx-mail"))
        for peer in ("nginx-mail", "dovecot"):
            found.append(self.target("submission of a small message per CPU second", "submit",
                                     True, 1.00, None, peer))
        return found

    def session_targets(self):
        return [
            self.target("time to greeting", "greeting", False, 1.10, 1.00, "dovecot"),
            self.target("FETCH, bytes per CPU second", "fetch-cpu", True, 0.95, 1.05, "haproxy"),
            self.target("FETCH, bytes per second of wall time", "fetch-wall", True, 0.95, 1.05,
                        "haproxy"),
            self.target("FETCH, bytes per second of wall time", "fetch-wall", True, 5, None,
                        "nginx-mail"),
        ]

    def memory_targets(self):
        found = []
        for metric, count in (("mem-first", self.plan.first_sessions),
                              ("mem-most", self.plan.sessions)):
            name = f"memory per idle session at {count:,}"
            found.append(self.target(name, metric, False, 0.90, None, "haproxy"))
            found.append(Target(name + ", KiB", self.figure(OURS, metric), False, 15.5,
                                14.5, digits=1))
        found.append(Target("memory after all have closed", self.figure(OURS, "mem-kept"),
                            False, 1.5, 1.1, "x that at the start"))
        found.append(Target(f"CPU with {self.plan.sessions:,} idle sessions, percent",
                            self.figure(OURS, "idle-cpu"), False, 0.1, 0.005, digits=3))
        return found

    def edge_targets(self):
        count = self.plan.names

        def ours(metric):
            return self.figure(OURS, metric)

        return [
            Target("handshakes per CPU second, two workers",
                   self.quotient("workers-2", "workers-1"), True, 0.97, 1.00, "x one worker"),
            Target("the same of nginx stream",
                   self.quotient("workers-2", "workers-1", "nginx-stream"), True, None, None,
                   "x one worker"),
            Target(f"start with {count:,} names, s", ours("names-start"), False, 2, None),
            Target(f"memory with {count:,} names, MiB", ours("names-mem"), False, 200, 50,
                   digits=1),
            Target(f"look-up among {count:,} names, µs", ours("names-lookup"), False, 1, None),
            Target("swap of certificates, sessions lost", ours("swap-lost"), False, 0, None,
                   digits=0),
            Target("swap of certificates, longest wait, ms", ours("swap-stall"), False, 50, 5,
                   digits=1),
            Target("flood of P-384, p99 of sessions", ours("flood-ratio"), False, 2, 1.1,
                   "x without it"),
            Target(f"{self.plan.half_open} half-open handshakes, p99 of greetings, ms",
                   ours("half-p99"), False, 50, None),
        ]

    def target(self, name, metric, at_least, must, stretch, peer):
        title = next((p.title for p in self.chosen if p.name == peer), peer)
        return Target(name, self.ratio(peer, metric), at_least, must, stretch,
                      f"x {title}")

    def target_table(self):
        return table(["target", "gatepost", "must", "stretch", "", "verdict"],
                     [target.row() for target in self.targets()])

    # ---- words

    def conditions(self):
        """What was seen of the run itself."""
        lines = [
            f"Rounds: {self.plan.rounds}. A ratio is the median over all runs of the two. A figure "
            f"is the run at the edge of the best quarter, as the host's other work can only slow "
            f"a run down; so the quotient of two figures need not be the ratio.",
            f"Timed runs of {self.plan.seconds} s, {self.plan.concurrency} sessions at the same "
            f"time at each server; turns of the greeting ({self.plan.greetings} of them), FETCH "
            f"and workers in each round: {self.plan.turns}; idle sessions: "
            f"{self.plan.first_sessions:,} and {self.plan.sessions:,}.",
            f"Other programs, and the host under a virtual machine, used {self.foreign:.1%} of the "
            f"processors during the run.",
        ]
        if self.spreads():
            lines.append("Half of all runs lie within this share of a ratio, at worst: "
                         + self.spreads() + ".")
        for metric, what in (("ecdsa-busy", "full ECDSA handshakes"), ("fetch-busy", "FETCH")):
            span = self.span(metric)
            if span:
                lines.append(f"The servers' processor was {span[0]:.0%} to {span[1]:.0%} busy "
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
                 self.figure_table("per CPU second", STARTTLS),
                 self.figure_table("memory", MEMORY_DETAIL),
                 self.figure_table(f"{self.plan.names:,} names", NAMES),
                 self.figure_table("flood", FLOOD),
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
                the options, for example `--quick` and `--only haproxy`."""),
            "## Targets", self.target_table(), paragraphs(TARGET_WORDS),
            "## Ratios", self.ratio_table(), paragraphs(RATIO_WORDS),
            "## Figures", self.figure_table("figures", SPEED), paragraphs(FIGURE_WORDS),
            "## STARTTLS and submission", self.figure_table("per CPU second", STARTTLS),
            paragraphs(STARTTLS_WORDS),
            "## Memory", self.figure_table("memory", MEMORY_DETAIL),
            paragraphs(MEMORY_WORDS.format(wait=plan.after_close_s, idle=plan.idle_s)),
            "## Many names", self.figure_table(f"{plan.names:,} names", NAMES),
            paragraphs(NAMES_WORDS),
            "## A flood of expensive handshakes", self.figure_table("flood", FLOOD),
            paragraphs(FLOOD_WORDS.format(clients=plan.flood, turns=plan.flood_turns,
                                          seconds=plan.ping_s, half_open=plan.half_open,
                                          greetings=plan.greetings)),
            "## The machine", machine_list,
            "## The run", conditions.replace("\n\n", "\n"),
            "## How it is measured", paragraphs(METHOD_WORDS).replace("\n\n- ", "\n- "),
            "## What it does not show", paragraphs(LIMIT_WORDS),
        ]) + "\n"


TARGET_WORDS = """
Rows with an x are ratios, gatepost's figure by that of the other, measured in the same run; the
other targets are plain figures. The stretch goals for handshakes were set as parts of what a bare
TLS server without backend does; here they are ratios to the same peers as in the column before.
What has no bound is there to compare: nginx mail dials no backend where gatepost does.

Two workers beside one: the processes and load generators of both are more than the processors, so
one process often follows another on the same one. The workers of nginx are forked and share what
their libraries keep in memory; those of gatepost are programs started anew, each with a layout of
its own that nobody can learn from another's crash, and find less of theirs in the caches. Forked
for a trial, they lost a third less.
"""

STARTTLS_WORDS = """
- IMAP, POP3, submission, Sieve, XMPP: sessions per second of server CPU time that begin in cleartext,
  ask for TLS (full handshake, P-256) and end with the first reply inside it. From gatepost that
  reply is the backend's, which it has dialled for it; nginx mail and Dovecot give their own, so a
  ratio to them has the cost of a second connection in it.

- IMAP, resumed: the same with a ticket of the session before.

- messages: submission inside TLS from the start, with a full handshake, a login (AUTH PLAIN) and
  one message of 2 KiB in each session. gatepost reads all of it and adds a Received field; nginx
  mail only moves bytes after the login; Dovecot relays the message by its own submission server.
"""

NAMES_WORDS = """
Each name has a certificate (P-256) of its own in one directory. The first two columns are the time
from the program's start to the first greeting, and the private dirty memory then; the others are
full handshakes per second of server CPU time: before there were names, for one of them, and for
all of them in turn, each asked for once or twice. nginx stream reads a certificate's file in each
handshake, HAProxy has read all of them at its start, gatepost makes a context of what is in memory
when a name is first asked for.

The swap of certificates in the table of targets: another certificate and key are renamed into
place while thousands of sessions are idle and 16 of them say NOOP every 20 ms. The longest wait is
the slowest of all these replies.
"""

FLOOD_WORDS = """
32 sessions, logged in, say NOOP every 20 ms each; 99 of 100 replies in {seconds} s came at least as
fast as the p99. It was taken {turns} times without the flood and with it, in turns; the table has
the medians, and the ratio of the two. In the flood {clients} connections at a time send a hello
that has nothing but P-384, made once and sent again and again, and are closed and begun anew at
each answer. The other servers are configured to accept P-384, as gatepost does.

The last two columns are the time to the greeting for one new client after the other ({greetings} of
them), without and beside {half_open} connections from two addresses that have sent one byte and
nothing more.
"""

RATIO_WORDS = """
Each cell is the server's figure by gatepost's, which the table of targets has the other way round.
For handshakes and FETCH more is better, for the greeting and for memory less. Rows with a * are
servers that greet by themselves: they dial no backend before the login, so their handshakes do less
work and stand apart from the others.
"""

FIGURE_WORDS = """
- full ECDSA, full RSA: sessions per second of server CPU time with a full TLS 1.3 handshake and a
  certificate of P-256 or RSA-2048. A session counts when the backend's tagged reply to CAPABILITY
  has reached the client; for servers that greet by themselves when the greeting has.

- resumed: the same with a P-256 certificate and a TLS 1.3 ticket of the session before, used once.
  Only sessions that were really resumed count.

- greeting: milliseconds from connect() to the first byte of the greeting, one connection at a
  time, the median of a turn.

- FETCH/CPU, FETCH wall: megabytes (10^6 bytes) received per second of server CPU time and
  per second of wall time, one connection that fetches a message of 8 MiB again and again.
"""

MEMORY_WORDS = """
User memory of all processes of a server: the increase of private dirty pages for each idle session,
logged in at the backend and proxied to it, over a freshly started process; beside it the same by
resident set size. Then the server's private dirty memory as a whole: before the sessions, with all
of them, and {wait} s after all were closed. The last column is the share of one processor that the
server used during {idle} s of silence with all of them.
"""

METHOD_WORDS = """
- Every server is started with one worker or thread and pinned to one processor by taskset;
  everything runs on loopback. Load generators and backends share another processor.

- For handshakes and messages gatepost and one other server are under the same load at the same
  time, each from a load generator of its own, and share the servers' processor, so that what else
  the host does slows both alike. XMPP is alone, as nobody else here speaks it.

- One worker and two are compared in the same way, while both servers may use two processors.

- For the greeting and FETCH the servers take turns, in an order that changes from round to round;
  idle sessions, names, the swap and the flood are measured once, one server at a time.

- The client offers TLS 1.3, X25519 and one cipher suite. Tickets, session caches and buffers are as
  each server's default has them; the configurations stand in `bench/peers`.

- The backend (`bench/mailstub.c`) is one process that answers from memory. Each proxy sends it the
  most telling PROXY header that it can: version 2 with TLS facts from gatepost and HAProxy,
  version 2 from hitch, version 1 from nginx and stunnel. nginx mail asks an
  authentication service before it dials; the backend process plays that too. Dovecot has its
  own TLS and greeting, and proxies the session to the backend after the login.

- Server CPU time is the kernel's process clock of all processes of the server, user and system,
  ended threads and children included, read right before and right after the timed part. A
  warm-up of one session for each connection goes before it.

- Every session that is begun is carried to its end (close_notify, FIN, the server's end of stream)
  and counted. One failed session voids the run.
"""

LIMIT_WORDS = """
Load generators and backends together can need more CPU time than the servers: then their processor
is the bottleneck, wall times are those of the whole set-up, and the servers are not full (their
share is given above). That is why the unit is the CPU second of the server. Loopback has no loss
and no delay, kernel memory is not counted (about the same for each proxy: two sockets a session),
and one worker says nothing about many cores.
"""
