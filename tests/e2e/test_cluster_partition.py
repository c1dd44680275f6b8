"""A cluster is cut into two halves by the network itself, and both halves go on: each serves its
own clients, none takes the other's for dead, and they are one again soon after.

MUSTER_FAULT_SECONDS is how long the cut lasts (15); run by hand with 60 or more."""

import os
import threading
import time
import unittest

import netns
from churn import SERVICES, Churn

CUT_SECONDS = float(os.environ.get("MUSTER_FAULT_SECONDS", "15"))
# No guess of how long a machine may take: that both halves tell the same within 5 s is promised.
EQUAL_WITHIN_SECONDS = 5.0
FAR = ("meta-3", "data-3", "session-2")


class Side(threading.Thread):
    """Changes at one side while it is alone: some leave for good, some come to stay, and others
    come and go until the end."""

    def __init__(self, churn, session, leaving, end):
        super().__init__(daemon=True)
        self.churn = churn
        self.session = session
        self.leaving = leaving
        self.end = end
        self.came = []
        self.probes = []
        self.error = None
        self.start()

    def run(self):
        try:
            watchers = self.churn.watchers_at(self.session)
            for address in self.leaving:
                self.churn.leave(address)
            for service in SERVICES:
                self.came.append(self.churn.come(service, [self.session]))
            while time.monotonic() < self.end:
                self.probes.append(self.churn.probe(f"{self.session.name} alone",
                                                    watchers=watchers, home=[self.session]))
        except AssertionError as error:
            self.error = error

    def result(self):
        self.join()
        if self.error is not None:
            raise self.error
        return self.probes


class TwoHalves(unittest.TestCase):
    def setUp(self):
        reason = netns.why_not()
        if reason:
            self.skipTest(reason)

    def test_both_live_on_and_become_one_again(self):
        with netns.Sides(2) as sides, netns.SidedCluster(sides, FAR, 3, 3, 2) as cluster, \
                Churn(cluster, apart=True) as churn:
            sessions = cluster.of("session")
            cluster.wait_placed()
            leaving = [[churn.come(service, [node]) for service in SERVICES] for node in sessions]
            churn.wait_equal("all are there")
            whole = churn.probe("whole")

            sides.cut()
            end = time.monotonic() + CUT_SECONDS
            halves = [Side(churn, node, some, end) for node, some in zip(sessions, leaving)]
            for half in halves:
                probes = half.result()
                self.assertTrue(probes, f"{half.session.name} did nothing while it was alone")
                print(f"{half.session.name} alone: {len(probes)} came and went, seen after "
                      f"{max(probes):.2f} s at most (whole: {whole:.2f} s)", flush=True)
            self.assertEqual(churn.violations, [], "while cut")
            for half, other in zip(halves, reversed(sessions)):
                told = frozenset().union(*(watcher.addresses
                                           for watcher in churn.watchers_at(other)))
                self.assertTrue(told.isdisjoint(half.came), "the cut is not one")

            sides.heal()
            seconds = churn.wait_equal("both halves tell the same", EQUAL_WITHIN_SECONDS)
            print(f"equal {seconds:.2f} s after the cut ended", flush=True)
            after = churn.probe("whole again")
            churn.wait_equal("and go on to")
            print(f"seen by all after {after:.2f} s", flush=True)
            self.assertEqual(churn.violations, [])


if __name__ == "__main__":
    unittest.main()
