#!/usr/bin/env python3
"""Drives one version of the unmodified SOFARegistry Java client against a built muster server.

    MUSTER_BIN=build/dev/bin/muster conformance.py --driver DIR [--other DIR] [--cluster] [--jobs N]
                                                   [--faults TRIALS] [CASE...]

With --faults it runs so many trials of each fault of a cluster instead, and prints their times.
DIR is a folder made by build_driver.sh. CASE is any part of a case's name. Prints a line per case
and 'N passed, M failed'. Status: 0 all passed, 1 one failed, 2 it could not run."""

import argparse
import concurrent.futures
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

import cases_cluster
import cases_config
import cases_everyday
import cases_loss
import faults
import processes
import stage

CASE_SECONDS = 120.0
RUN_SECONDS = 420.0
START_SECONDS = 60.0
FAULTS_SECONDS = 100.0  # a trial of each


def main():
    arguments = parse_arguments()
    if arguments.faults:
        arguments.cluster = True
    modules = ((cases_cluster, cases_everyday, cases_config) if arguments.cluster else
               (cases_loss, cases_everyday, cases_config))
    cases = [case for module in modules for case in module.CASES
             if not arguments.cluster or case not in cases_cluster.OF_ONE_PROCESS]
    # The longest first, so that the others pass beside it.
    cases.sort(key=lambda case: "idle" not in case.__name__)
    if arguments.cases:
        cases = [case for case in cases
                 if any(word in case.__name__ for word in arguments.cases)]
    if arguments.list:
        print("\n".join(sentence(case) for case in cases))
        return 0
    seconds = RUN_SECONDS
    if arguments.faults:
        seconds = START_SECONDS + arguments.faults * FAULTS_SECONDS
        cases = [all_faults(arguments.faults)]
    problem = what_is_missing(arguments)
    if problem or not cases:
        print(problem or f"no case has {arguments.cases} in its name", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end_now("stopped by a signal"))
    watchdog = threading.Timer(seconds + 10, end_now, ["the whole run took too long"])
    watchdog.daemon = True
    watchdog.start()
    return run_all(cases, arguments, CASE_SECONDS if not arguments.faults else seconds)


def all_faults(trials):
    def no_list_is_false_whatever_fails(case):
        faults.run_trials(case, trials)
    return no_list_is_false_whatever_fails


def parse_arguments():
    parser = argparse.ArgumentParser(description="see the head of this file")
    parser.add_argument("--driver", help="driver folder of the version under test")
    parser.add_argument("--other", help="driver folder of the version it must get on with")
    parser.add_argument("--cluster", action="store_true",
                        help="each case has 3 metas, 3 data servers and 2 sessions")
    parser.add_argument("--faults", type=int, default=0, metavar="TRIALS",
                        help="so many trials of each fault of a cluster, instead of the cases")
    parser.add_argument("--jobs", type=int, default=3, help="cases at a time (default 3)")
    parser.add_argument("--list", action="store_true", help="name the cases and end")
    parser.add_argument("cases", nargs="*", help="parts of names of cases (default: all)")
    return parser.parse_args()


def what_is_missing(arguments):
    binary = os.environ.get("MUSTER_BIN", "")
    if not os.access(binary, os.X_OK):
        return f"MUSTER_BIN must name the muster binary, it is '{binary}'"
    arguments.other = arguments.other or arguments.driver
    for folder in (arguments.driver, arguments.other):
        if not folder or not os.path.exists(os.path.join(folder, "driver.jar")):
            return f"--driver and --other must name folders made by build_driver.sh, not '{folder}'"
    return None


def run_all(cases, arguments, case_seconds):
    folder = tempfile.mkdtemp(prefix="muster-conformance-")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(
            lambda case: run_one(case, folder, arguments, case_seconds), cases))
    failed = results.count(False)
    if failed:
        print(f"logs and data are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(results) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def run_one(function, folder, arguments, seconds):
    own_folder = os.path.join(folder, function.__name__)
    case = stage.Case(own_folder, arguments.driver, arguments.other, seconds,
                      on_cluster=arguments.cluster)
    start = time.monotonic()
    try:
        function(case)
        verdict = None
    except (processes.Failure, AssertionError) as e:
        verdict = str(e)
    except Exception:  # a broken case is a failed case, not the end of the others
        verdict = traceback.format_exc()
    finally:
        case.close()
    seconds = time.monotonic() - start
    line = f"{'ok  ' if verdict is None else 'FAIL'} {sentence(function)} ({seconds:.1f} s)"
    print(line if verdict is None else f"{line}\n     {verdict}", flush=True)
    return verdict is None


def sentence(function):
    return function.__name__.replace("_", " ")


def end_now(reason):
    print(f"{reason}: all that was started is ended\n0 passed, 1 failed", flush=True)
    processes.end_everything()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
