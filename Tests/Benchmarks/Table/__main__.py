"""Measures the gateway beside the floor. See `Tests/benchmark --help`."""

import argparse
import os
import subprocess
import sys

import counts
import held
import processes
import table


def arguments():
    parser = argparse.ArgumentParser(prog="Tests/benchmark", add_help=False)
    parser.add_argument("command", nargs="?", choices=["table", "held", "count", "deflate"], default="table")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--renew", action="store_true")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true")
    parser.add_argument("--binaries", required=True)
    return parser.parse_args()


def main():
    options = arguments()
    for name in ("sluice", "epoll-floor", "epoll-driver", "hot-path"):
        processes.BINARIES[name] = os.path.join(options.binaries, name)
    processes.BINARIES["sluice"] = os.environ.get("SLUICE_BINARY", processes.BINARIES["sluice"])
    if options.command == "count":
        return counts.main(options.renew, options.json)
    if options.command == "deflate":
        return subprocess.run([processes.BINARIES["hot-path"], "deflate"], check=False).returncode
    if options.command == "held":
        return held.main(options.minutes, options.json)
    if options.list:
        return table.list_rows()
    form = "json" if options.json else "markdown" if options.markdown else "text"
    return table.main(options.only, 4 if options.quick else options.rounds, form)


sys.exit(main())
