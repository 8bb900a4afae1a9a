"""The table: each row as it is measured, in one of three forms."""

import json
import os
import statistics
import sys

import processes
from rows import ROWS


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def summary(row, finding):
    """What is said of a row, in whatever form."""
    middle = statistics.median(finding.judged)
    low, _, high = statistics.quantiles(finding.judged, n=4) if len(finding.judged) > 1 else (middle,) * 3
    if row.is_ratio:
        ratio = middle
    else:
        ratio = finding.measured / finding.floor if finding.floor else None
    return {
        "row": row.name, "what": row.what, "unit": row.unit, "measured": finding.measured, "floor": finding.floor,
        "ratio": ratio, "quartiles": [low, high], "rounds": len(finding.judged),
        "goal": row.goal, "goal_is_ratio": row.is_ratio, "met": middle <= row.goal, "notes": finding.notes,
    }


def cells(row):
    unit = "×" if row["goal_is_ratio"] else row["unit"]
    return [
        row["what"], f"{number(row['measured'])} {row['unit']}",
        "–" if row["floor"] is None else f"{number(row['floor'])} {row['unit']}", number(row["ratio"]),
        f"{number(row['quartiles'][0])} to {number(row['quartiles'][1])} {unit}", f"≤ {number(row['goal'])} {unit}",
        "met" if row["met"] else "missed",
    ]


HEADING = ["what", "measured", "floor", "ratio", "middle half", "goal", ""]
WIDTHS = [78, 12, 12, 7, 20, 10, 6]


def show(columns, form):
    if form == "text":
        print("  ".join(text.ljust(width) for text, width in zip(columns, WIDTHS)).rstrip(), flush=True)
    elif form == "markdown":
        print("| " + " | ".join(columns) + " |", flush=True)


def list_rows():
    for row in ROWS:
        print(f"{row.name:16} {row.what}")
    return 0


def main(only, rounds, form):
    chosen = [row for row in ROWS if not only or any(row.name.startswith(name) for name in only)]
    if not chosen:
        processes.failure(f"no such row; there are {', '.join(row.name for row in ROWS)}")
    show(HEADING, form)
    if form == "markdown":
        print("|---" * len(HEADING) + "|", flush=True)
    found = []
    for row in chosen:
        found.append(summary(row, row.measure(rounds)))
        show(cells(found[-1]), form)
    if form == "json":
        json.dump({"cores": len(processes.CORES), "load": os.getloadavg(), "rows": found}, sys.stdout, indent=2)
        print()
    return 0 if all(row["met"] for row in found) else 1
