"""Figures as muster-bench prints them: order statistics, never a mean alone, and what must hold."""

import dataclasses
import json
import os
import subprocess
import sys
import time


@dataclasses.dataclass(frozen=True)
class Spread:
    min: float
    p50: float
    p99: float
    p99_9: float
    max: float
    count: int


def spread_of(values):
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no measurement, so there is nothing to say about it")

    def at(share):
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    return Spread(ordered[0], at(0.5), at(0.99), at(0.999), ordered[-1], len(ordered))


@dataclasses.dataclass(frozen=True)
class Bound:
    at_most: float | None = None
    at_least: float | None = None

    def holds(self, value):
        return value <= self.at_most if self.at_most is not None else value >= self.at_least

    def __str__(self):
        return f"<= {self.at_most:.3g}" if self.at_most is not None else f">= {self.at_least:.3g}"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    return f"{os.cpu_count()} x {names[0] if names else 'unknown'}"


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True,
                          text=True, check=False, cwd=os.path.dirname(os.path.abspath(__file__)))
    return done.stdout.strip() or "unknown"


class Report:
    """Prints figures as they come, one line each. `judge` False: bounds are left out."""

    def __init__(self, as_json, judge):
        self.as_json = as_json
        self.judge = judge
        self.missed = []
        self.begin = time.monotonic()
        self.where = {"machine": processor(), "commit": commit()}

    def seconds(self):
        """Since the run began."""
        return time.monotonic() - self.begin

    @staticmethod
    def note(text):
        print(f"bench peers: {text}", file=sys.stderr)

    def header(self, versions, folder):
        self.where["peers"] = versions
        if not self.as_json:
            print(f"machine {self.where['machine']}, commit {self.where['commit']}, load generators"
                  f" on the same machine\n{versions}; data folders on {file_system(folder)}\n"
                  "load: the load average when the figure was printed", flush=True)

    def spread(self, bench, metric, unit, values):
        """`values`: one for each measurement. Gives the spread."""
        found = spread_of(values)
        self._line(bench, metric, unit, dataclasses.asdict(found), "  ".join(
            f"{name.replace('_', '.')} {value:.5g}"
            for name, value in dataclasses.asdict(found).items()) + f" {unit}")
        return found

    def value(self, bench, metric, unit, value, bound=None):
        fields, text = {"value": value}, f"{value:>12.5g} {unit}"
        if bound and self.judge:
            holds = bound.holds(value)
            fields |= {"bound": f"value {bound}", "holds": holds}
            text += f"   {bound}: {'holds' if holds else 'MISSED'}"
            if not holds:
                self.missed.append(f"{bench} {metric}")
        self._line(bench, metric, unit, fields, text)

    def _line(self, bench, metric, unit, fields, text):
        load = round(os.getloadavg()[0], 1)
        if self.as_json:
            print(json.dumps({"bench": bench, "metric": metric, "unit": unit} | fields
                             | {"load_average": load} | self.where), flush=True)
        else:
            print(f"{bench:<22} {metric:<38} {text}   (load {load})", flush=True)


def file_system(folder):
    done = subprocess.run(["df", "--output=fstype", folder], capture_output=True, text=True,
                          check=False)
    return (done.stdout.split() or ["an unknown file system"])[-1]
