#!/usr/bin/env python3
"""Has promtool check the rules of deploy/prometheus and run their tests. Exit status 77: there is
no promtool (./dev test fetches it by scripts/promtool.sh; MUSTER_PROMTOOL names another)."""

import os
import pathlib
import shutil
import subprocess
import sys

RULES = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
SKIPPED = 77


def main():
    promtool = os.environ.get("MUSTER_PROMTOOL") or shutil.which("promtool")
    if promtool is None:
        print("skipped: there is no promtool")
        return SKIPPED
    rules = sorted(str(path.name) for path in RULES.glob("*.rules.yaml"))
    tests = sorted(str(path.name) for path in RULES.glob("*.test.yaml"))
    if not rules or not tests:
        print(f"no rules, or no tests of them, in {RULES}")
        return 1
    for command in (("check", "rules", *rules), ("test", "rules", *tests)):
        if subprocess.run([promtool, *command], cwd=RULES, check=False).returncode != 0:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
