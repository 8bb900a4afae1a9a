"""Measures the gateway beside the floor, row by row. See `Tests/benchmark --help`."""

import argparse
import json
import os
import statistics
import sys

import processes
from rows import ROWS


def arguments():
    parser = argparse.ArgumentParser(prog="Tests/benchmark", description=__doc__)
    parser.add_argument("--only", action="append", metavar="ROW", help="only this row, or those that begin so; again for more")
    parser.add_argument("--rounds", type=int, default=16, help="turns that gateway and floor take in each row (16)")
    parser.add_argument("--quick", action="store_true", help="four rounds: for a first look")
    parser.add_argument("--list", action="store_true", help="the rows' names")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs")
    form.add_argument("--markdown", action="store_true", help="a table for an article")
    parser.add_argument("--binaries", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def summary(row, finding):
    """What is printed of a row, in whatever form."""
    middle = statistics.median(finding.judged)
    low, _, high = statistics.quantiles(finding.judged, n=4) if len(finding.judged) > 1 else (middle,) * 3
    return {
        "row": row.name, "what": row.what, "unit": row.unit, "measured": finding.measured, "floor": finding.floor,
        "ratio": finding.measured / finding.floor if not row.is_ratio and finding.floor else
        middle if row.is_ratio else None,
        "judged": middle, "quartiles": [low, high], "goal": row.goal, "met": middle <= row.goal,
        "rounds": len(finding.judged), "notes": finding.notes,
    }


def cells(row):
    spread = f"{number(row['quartiles'][0])}–{number(row['quartiles'][1])}"
    is_ratio = row["goal"] < 5
    return [
        row["what"], f"{number(row['measured'])} {row['unit']}",
        "–" if row["floor"] is None else f"{number(row['floor'])} {row['unit']}",
        number(row["ratio"]), spread, f"≤ {number(row['goal'])}{' ×' if is_ratio else ' ' + row['unit']}",
        "met" if row["met"] else "missed",
    ]


HEADING = ["what", "measured", "floor", "ratio", "middle half of rounds", "goal", ""]
WIDTHS = [76, 12, 12, 7, 22, 10, 6]


def show(columns):
    print("  ".join(text.ljust(width) for text, width in zip(columns, WIDTHS)).rstrip(), flush=True)


def main():
    options = arguments()
    if options.list:
        for row in ROWS:
            print(f"{row.name:16} {row.what}")
        return 0
    folder = options.binaries
    for name in ("sluice", "epoll-floor", "epoll-driver"):
        processes.BINARIES[name] = os.path.join(folder, name)
    processes.BINARIES["sluice"] = os.environ.get("SLUICE_BINARY", processes.BINARIES["sluice"])
    chosen = [row for row in ROWS if not options.only or any(row.name.startswith(name) for name in options.only)]
    if not chosen:
        processes.failure(f"no such row; there are {', '.join(row.name for row in ROWS)}")
    rounds = 4 if options.quick else options.rounds
    found = []
    if not options.json:
        if options.markdown:
            print("|" + "|".join(f" {text} " for text in HEADING) + "|\n" + "|---" * len(HEADING) + "|", flush=True)
        else:
            show(HEADING)
    for row in chosen:
        found.append(summary(row, row.measure(rounds)))
        if options.markdown:
            print("| " + " | ".join(cells(found[-1])) + " |", flush=True)
        elif not options.json:
            show(cells(found[-1]))
    if options.json:
        json.dump({"cores": len(processes.CORES), "load": os.getloadavg(), "rows": found}, sys.stdout, indent=2)
        print()
    return 0 if all(row["met"] for row in found) else 1


sys.exit(main())
