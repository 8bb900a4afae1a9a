"""The processes that are measured, what drives them, and what the operating system says of them."""

import atexit
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

BINARIES = {}
"""Where the programs are, by their names."""

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, DRIVER_CORE = {CORES[0]}, {CORES[-1]}
"""What is measured has a core, as far as nobody else uses it; everything else has another one."""

_started = []
_folder = tempfile.TemporaryDirectory(prefix="sluice-benchmark-")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def stop_all():
    for process in reversed(_started):
        process.stop()


atexit.register(stop_all)


def failure(text):
    print(f"error: {text}", file=sys.stderr)
    sys.exit(1)


class Process:
    """A program that runs until it is stopped."""

    def __init__(self, arguments, cores, **options):
        self.log = pathlib.Path(_folder.name) / f"{pathlib.Path(arguments[0]).name}-{len(_started)}.log"
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                arguments,
                stderr=log,
                env={name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")},
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
                text=True,
                **options,
            )
        self.pid = self.child.pid
        _started.append(self)

    def cpu(self):
        """Seconds of CPU that it has taken, user and system, exact: its CPU clock (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def ticks(self):
        """CPU in the kernel's ticks, user alone and all: for the share of the two."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]), int(fields[11]) + int(fields[12])

    def rss(self):
        """Bytes of memory that are resident."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise ProcessLookupError(self.pid)

    def stop(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        if self in _started:
            _started.remove(self)

    def last_words(self):
        return self.log.read_text(errors="replace")[-2000:]


class Redis(Process):
    def __init__(self):
        self.port = free_port()
        super().__init__(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            DRIVER_CORE,
            stdout=subprocess.DEVNULL,
        )
        wait_until(lambda: can_connect(self.port), lambda: f"no Redis: {self.last_words()}")


class Node(Process):
    """A gateway as in production, with one event loop."""

    def __init__(self, redis, name="node", cores=SERVER_CORE, more=()):
        self.name = name
        super().__init__(
            [
                BINARIES["sluice"], "serve", "--node", name, "--event-loops", "1",
                "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0",
                "--redis", f"redis://127.0.0.1:{redis.port}", "--log-level", "notice",
                "--accept-rate", "1000000", "--accept-burst", "1000000", *more,
            ],
            cores,
            stdout=subprocess.DEVNULL,
        )
        wait_until(lambda: "the node is ready" in self.last_words(), lambda: f"no node: {self.last_words()}")
        self.port, self.operator_port = map(int, re.findall(r"address=127\.0\.0\.1:(\d+)", self.last_words()))

    def polls(self):
        """Long polls that it holds."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.operator_port}/metrics", timeout=5) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("sluice_connections") and 'transport="poll"' in line:
                    return int(float(line.split()[-1]))
        return 0


class Floor(Process):
    def __init__(self, is_joined=False):
        super().__init__(
            [BINARIES["epoll-floor"], *(["--joined"] if is_joined else [])], SERVER_CORE, stdout=subprocess.PIPE
        )
        self.port = self.operator_port = int(self.child.stdout.readline())


class Driver(Process):
    """Many subscribers, and who publishes to them."""

    def __init__(self, cores=DRIVER_CORE):
        super().__init__([BINARIES["epoll-driver"]], cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, command):
        self.begin(command)
        return self.answer()

    def begin(self, command):
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()

    def answer(self):
        line = self.child.stdout.readline()
        if not line:
            failure(f"the driver gave up: {self.last_words()}")
        return json.loads(line)

    def open(self, kind, server, count, channels=1):
        return self.ask(f"open {kind} {server.port} {count} {channels}")

    def publish(self, server, count, subscribers, flight=1, rate=0, size=128, channels=1, at_once=False):
        port = server.operator_port if at_once else server.port
        how = "at-once" if at_once else "each"
        return self.ask(f"publish {port} {count} {flight} {rate} {size} {channels} {subscribers} {how}")


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_until(condition, complaint, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            failure(complaint if isinstance(complaint, str) else complaint())
        time.sleep(0.05)
