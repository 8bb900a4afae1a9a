"""Instructions and allocations of the hot path, counted, not timed, beside what they were when last agreed to."""

import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

import processes

BASELINE = pathlib.Path(__file__).parent.parent / "baseline.json"

WHAT = {
    "websocket": "delivery to a WebSocket, one message at a time",
    "websocket-joined": "delivery to a WebSocket, 8 messages together",
    "sse": "delivery to an SSE stream, one message at a time",
    "sse-joined": "delivery to an SSE stream, 8 messages together",
    "websocket-message": "a message for WebSockets, before its deliveries",
    "sse-message": "a message for SSE streams, before its deliveries",
    "feed": "a message from Redis to an event loop",
    "command": "a client's frame, decoded and read",
    "publish": "a publish over HTTP, to its answer",
    "poll": "a short poll, answered with one message",
    "set-up": "a WebSocket set up: accept, upgrade, welcome, subscribe",
}

DELIVERIES = ("websocket", "websocket-joined", "sse", "sse-joined")

MORE_INSTRUCTIONS = 0.03
"""Of an operation's instructions: what a change may add unnoticed."""

MORE_ALLOCATIONS = 0.01
"""Allocations of one operation, or three in a hundred of them: timers that fire meanwhile make some thousandths."""

ATTEMPTS = 3
"""How often is counted before a complaint stands: what a disturbed machine adds is not there again, a change is."""

LIMIT = 300
"""Seconds that the counting may take; it takes about ten on a machine that does nothing else."""


def count(with_instructions=True):
    """What each operation takes: `{name: {"instructions", "allocations"}}`."""
    redis = processes.Redis()
    with tempfile.TemporaryDirectory(prefix="sluice-counts-") as folder:
        # Debian's Callgrind does not understand what this compiler writes for debuggers.
        program = f"{folder}/hot-path"
        subprocess.run(["strip", "--strip-debug", "-o", program, processes.BINARIES["hot-path"]], check=True)
        callgrind = [
            "valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out", "--quiet",
        ]
        try:
            run = subprocess.run(
                [*(callgrind if with_instructions else []), program, str(redis.port)],
                capture_output=True, text=True, check=False, timeout=LIMIT,
                # A dictionary with another seed has its entries elsewhere, and looks longer for some.
                env={**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1"},
            )
        except subprocess.TimeoutExpired as late:
            processes.failure(f"hot-path did not end within {LIMIT} s: {(late.stderr or b'')[-3000:].decode()}")
        if run.returncode != 0:
            processes.failure(f"hot-path ended with {run.returncode}:\n{run.stdout[-500:]}{run.stderr[-3000:]}")
        sections = [json.loads(line) for line in run.stdout.splitlines()]
        if with_instructions:
            read_dumps(folder, sections)
    redis.stop()
    return operations(sections)


def read_dumps(folder, sections):
    """Callgrind writes a file for each section, in their order, and says in `totals` how many instructions it took. Its
    `summary` takes off what was counted before, although that was set to zero."""
    for number, section in enumerate(sections, 1):
        text = pathlib.Path(f"{folder}/out.{number}").read_text()
        assert f"Client Request: {section['name']}/{section['operations']}\n" in text
        section["instructions"] = int(re.search(r"^totals: (\d+)", text, re.M)[1])


def operations(sections):
    """The difference of a smaller and a larger section is what the operations they differ by have taken. Each section
    was counted several times, and the least counts: a timer can only add."""
    found = {}
    kinds = [kind for kind in ("instructions", "allocations") if kind in sections[0]]
    names = list(dict.fromkeys(section["name"] for section in sections))
    for name in names:
        small, large = least([section for section in sections if section["name"] == name], kinds)
        each = {
            kind: (large[kind] - small[kind]) / (large["operations"] - small["operations"])
            for kind in kinds
        }
        found[name] = each
        if f"{name}-message" in WHAT:
            found[f"{name}-message"] = {
                kind: (small[kind] - each[kind] * small["operations"]) / small["repeats"] for kind in kinds
            }
    return {name: {kind: round(value, 3) + 0.0 for kind, value in found[name].items()} for name in WHAT}


def least(sections, kinds):
    """One section of each size, the smallest first."""
    by_size = {}
    for section in sections:
        known = by_size.setdefault(section["operations"], section)
        for kind in kinds:
            known[kind] = min(known[kind], section[kind])
    return [by_size[size] for size in sorted(by_size)]


def toolchain():
    output = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"Swift version (\S+)", output)[1]


def complaints(found, known):
    """Why the counts are not accepted."""
    for name in DELIVERIES:
        if found[name]["allocations"] > MORE_ALLOCATIONS:
            yield f"{WHAT[name]} allocates: {found[name]['allocations']:.3f} times each, and 0 is promised"
    for name, before in known.items():
        now = found.get(name)
        if now is None:
            yield f"{name} is not counted any more"
        elif now["instructions"] > before["instructions"] * (1 + MORE_INSTRUCTIONS):
            more = now["instructions"] / before["instructions"] - 1
            yield (
                f"{WHAT[name]}: {now['instructions']:,.0f} instructions, {more:.1%} more than"
                f" {before['instructions']:,.0f}"
            )
        if now and now["allocations"] > before["allocations"] + max(MORE_ALLOCATIONS, 0.03 * before["allocations"]):
            yield f"{WHAT[name]}: {now['allocations']:.3f} allocations, and it had {before['allocations']:.3f}"


def least_of(one, other):
    return {name: {kind: min(value, other[name][kind]) for kind, value in one[name].items()} for name in one}


def show(found, known):
    print(f"{'':56}{'instructions':>14}{'before':>12}{'':>8}{'allocations':>14}{'before':>10}")
    for name, now in found.items():
        before = known.get(name)
        change = f"{now['instructions'] / before['instructions'] - 1:+.1%}" if before else ""
        past = (f"{before['instructions']:,.0f}", f"{before['allocations']:.3f}") if before else ("–", "–")
        print(
            f"{WHAT[name]:56}{now['instructions']:14,.0f}{past[0]:>12}{change:>8}{now['allocations']:14.3f}{past[1]:>10}"
        )


def main(renew, as_json):
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    machine, compiler = platform.machine(), toolchain()
    known = baseline.get(machine, {})
    found = count()
    for _ in range(ATTEMPTS - 1):
        doubted = next(complaints(found, known.get("counts", {})), None)
        if renew or not doubted:
            break
        print(f"counted again: {doubted}", file=sys.stderr)
        found = least_of(found, count())
    if as_json:
        json.dump({"machine": machine, "swift": compiler, "counts": found}, sys.stdout, indent=2)
        print()
    else:
        show(found, known.get("counts", {}))
    if renew:
        baseline[machine] = {"swift": compiler, "counts": found}
        BASELINE.write_text(json.dumps(baseline, indent=2) + "\n")
        print(f"{BASELINE.name} is renewed: say in the commit why the counts have changed", file=sys.stderr)
        return 0
    if not known:
        print(f"no counts are known for {machine}: only the allocations of deliveries are checked", file=sys.stderr)
    bad = list(complaints(found, known.get("counts", {})))
    for complaint in bad:
        print(f"error: {complaint}", file=sys.stderr)
    if bad:
        if known and known["swift"] != compiler:
            print(f"The known counts are those of Swift {known['swift']}; this is {compiler}.", file=sys.stderr)
        print("When this is meant: Tests/benchmark count --renew, and commit baseline.json.", file=sys.stderr)
    return 1 if bad else 0
