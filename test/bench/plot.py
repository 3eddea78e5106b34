"""Draws throughput by size from the CSV of bench.py, by gnuplot.

usage: plot.py CSV PNG
"""

import csv
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

SCRIPT = pathlib.Path(__file__).with_name("throughput.gp")


class NoPlot(Exception):
    """Why there is none."""


def medians(path):
    """Of each tool the lines (case, size, MB/s); last the sizes that were received into a pipe."""
    seconds = {}
    with open(path, newline="", encoding="ascii") as file:
        for row in csv.DictReader(file):
            if row["case"].startswith("sizes") and row["ok"] == "ok":
                of_tool = seconds.setdefault(row["tool"], {})
                key = row["case"], int(row["size"])
                of_tool.setdefault(key, []).append(float(row["seconds"]))
    return {
        tool: [(*key, key[1] / 1e6 / statistics.median(of_tool[key])) for key in sorted(of_tool)]
        for tool, of_tool in seconds.items()
    }


def write_block(tool, lines, file):
    """For gnuplot, an empty line is a gap in the curve, and two are the end of it."""
    print(f'"{tool}"', file=file)
    before = lines[0][0]
    for case, size, rate in lines:
        if case != before:
            print(file=file)
        print(size, rate, file=file)
        before = case
    print("\n", file=file)


def draw(path, png):
    found = medians(path)
    if not found:
        raise NoPlot(f"no runs of the case sizes in {path}")
    if shutil.which("gnuplot") is None:
        raise NoPlot("gnuplot is missing: run 'make deps'")
    with tempfile.NamedTemporaryFile("w", suffix=".dat", encoding="ascii") as data:
        for tool, lines in found.items():
            write_block(tool, lines, data)
        data.flush()
        settings = f"data = '{data.name}'; png = '{png}'; tools = {len(found)}"
        subprocess.run(["gnuplot", "-e", settings, str(SCRIPT)], check=True)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        draw(*sys.argv[1:])
    except (NoPlot, OSError, subprocess.CalledProcessError) as reason:
        sys.exit(f"plot: {reason}")


if __name__ == "__main__":
    main()
