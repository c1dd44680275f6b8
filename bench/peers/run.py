#!/usr/bin/env python3
"""The same work against Muster, ZooKeeper and etcd, side by side in one run; see README.md.

    ./dev bench peers [--json] [--tiny] [--works LIST] [--systems LIST] [--folder DIR]

Exit status: 0 all bounds hold, 1 some do not or something failed, 2 wrong usage, 77 with --no-build
when a peer or its loader is not here.
"""

import argparse
import functools
import pathlib
import signal
import sys
import tempfile

import works
from figures import Report
from processes import Failed
from systems import ROOT, Etcd, Missing, Muster, MusterPair, ZooKeeper

WORKS = ("publish", "fanout", "registrations")
SYSTEMS = {"muster": Muster, "zookeeper": ZooKeeper, "etcd": Etcd}
TIME_S = 600  # for all of it
SKIPPED = 77


def names(known):
    def parse(text):
        wanted = text.split(",")
        for name in wanted:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no '{name}'; there are: "
                                                 f"{', '.join(known)}")
        return wanted

    return parse


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench peers", allow_abbrev=False,
        description="The same work against Muster, ZooKeeper and etcd as Debian ships them.")
    parser.add_argument("--json", action="store_true", help="print one object a line")
    parser.add_argument("--tiny", action="store_true", help="only show that the work still runs")
    parser.add_argument("--works", type=names(WORKS), default=list(WORKS), metavar="LIST",
                        help=f"some of {','.join(WORKS)}")
    parser.add_argument("--systems", type=names(list(SYSTEMS)), default=list(SYSTEMS),
                        metavar="LIST", help="muster and some of zookeeper,etcd")
    parser.add_argument("--folder", help="where data folders are made; the temporary folder unless "
                        "said: /dev/shm shows what syncing to disk costs the peers")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/release/bin",
                        help="the folder of muster and muster-peer-loader")
    parser.add_argument("--no-build", action="store_true", help="build no load generators; end "
                        f"with status {SKIPPED} when one, or a peer, is not here")
    given = parser.parse_args()
    if "muster" not in given.systems:
        parser.error("--systems: muster is what the others are compared with, so name it, too")
    if given.folder and not pathlib.Path(given.folder).is_dir():
        parser.error(f"--folder: there is no folder {given.folder}")
    return given


def measure(given, report, folder):
    effort = works.TINY if given.tiny else works.Effort()

    def made(first=Muster):
        kinds = [first if name == "muster" else SYSTEMS[name] for name in given.systems]
        return [functools.partial(kind, folder, given.programs) for kind in kinds]

    if "publish" in given.works:
        works.publish_to_told(report, effort, [make() for make in made()])
    if "fanout" in given.works:
        works.fan_out(report, effort, made())
    if "registrations" in given.works:
        works.registrations(report, effort, made(first=MusterPair))


def too_long(*_):
    raise Failed(f"it was not over after {TIME_S} s, so the machine is slow or busy; --works "
                 "measures only a part")


def main():
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGALRM, too_long)
    try:
        versions = [SYSTEMS[name].prepare(given.programs, build=not given.no_build)
                    for name in given.systems]
        signal.alarm(TIME_S)
        report = Report(given.json, judge=not given.tiny)
        with tempfile.TemporaryDirectory(prefix="muster-peers-", dir=given.folder) as folder:
            report.header(", ".join(versions), folder)
            measure(given, report, folder)
    except Missing as missing:
        print(f"bench peers: {missing}", file=sys.stderr)
        return SKIPPED if given.no_build else 1
    except Failed as failed:
        print(f"bench peers: {failed}", file=sys.stderr)
        return 1
    return 1 if report.missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(1)
