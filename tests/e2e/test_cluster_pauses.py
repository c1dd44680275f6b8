"""Every data server, every session, a leading and a following meta stand still for a while, one
after another, and go on: others serve meanwhile, and nobody is ever told that somebody went who is
there.

MUSTER_FAULT_SECONDS is how long each stands still (6); run by hand with 20 or more."""

import os
import re
import time
import unittest

from churn import Churn
from cluster import Cluster
from harness import run

PAUSE_SECONDS = float(os.environ.get("MUSTER_FAULT_SECONDS", "6"))


def leading_meta(cluster):
    for node in cluster.of("meta"):
        found = re.search(r"\n(meta-\d) +meta +leads", run("members", "-s", node.http).stdout)
        if found:
            return found.group(1)
    raise AssertionError("no meta leads")


class StandStill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3, 3, 2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()

    def stand_still(self, name):
        """`name` is stopped under load; gives nothing, fails when anything was told falsely."""
        cluster = self.cluster
        node = cluster[name]
        sessions = [session for session in cluster.of("session") if session is not node]
        with Churn(cluster) as churn:
            others = churn.watchers_at(*sessions)
            node.pause()
            end = time.monotonic() + PAUSE_SECONDS
            probes = []
            try:
                while time.monotonic() < end:
                    probes.append(churn.probe(f"{name} stands still", watchers=others,
                                              home=sessions))
            finally:
                node.resume()
            seconds = churn.wait_equal(f"{name} goes on")
            after = churn.probe(f"{name} goes on")
            churn.wait_equal("they go on to be equal")
            print(f"{name} stood still: {len(probes)} came and went, seen after {max(probes):.2f} s"
                  f" at most; equal {seconds:.2f} s after, seen by all after {after:.2f} s",
                  flush=True)
            self.assertEqual(churn.violations, [])
        cluster.wait_ready()
        cluster.wait_placed()

    def test_each_data_server(self):
        for node in self.cluster.of("data"):
            with self.subTest(node.name):
                self.stand_still(node.name)

    def test_each_session(self):
        for node in self.cluster.of("session"):
            with self.subTest(node.name):
                self.stand_still(node.name)

    def test_the_meta_that_leads(self):
        self.stand_still(leading_meta(self.cluster))

    def test_a_meta_that_follows(self):
        leader = leading_meta(self.cluster)
        self.stand_still(next(node.name for node in self.cluster.of("meta")
                              if node.name != leader))


if __name__ == "__main__":
    unittest.main()
