"""The clock of a data server, a session and a meta is set back by an hour while they run, and right
again (libfaketime shows each process a clock of its own): versions grow for every subscriber, and
nobody is ever told that somebody went who is there."""

import datetime
import glob
import os
import re
import time
import unittest

from churn import Churn
from cluster import Cluster
from harness import eventually
from test_cluster_pauses import leading_meta

HOUR = 3600
LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)


class WallClock:
    """What a node takes for the time of the day, from its next start on. Its other clock, which
    measures how long things take, stays right, as when an operator sets a machine's clock."""

    def __init__(self, node):
        self.node = node
        self.file = os.path.join(node.folder, "clock")
        self.set(0)
        node.environment = {**os.environ, "LD_PRELOAD": LIBRARY, "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                            "FAKETIME_TIMESTAMP_FILE": self.file}

    def set(self, seconds):
        """So far from the right time, from now on."""
        with open(self.file + ".new", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}\n")
        os.replace(self.file + ".new", self.file)

    def last_stamp(self):
        """How far its newest line of the log is from the right time, in seconds; negative: back."""
        stamps = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", self.node.said())
        stamp = datetime.datetime.strptime(stamps[-1], "%Y-%m-%dT%H:%M:%S.%f%z")
        return stamp.timestamp() - time.time()


class SetBack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if LIBRARY is None:
            raise AssertionError("the package libfaketime is not installed (scripts/install.sh)")
        cls.cluster = Cluster(3, 3, 2)
        cls.clocks = {node.name: WallClock(node) for node in cls.cluster.nodes.values()}
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()

    def set_back(self, name, churn):
        cluster, clock = self.cluster, self.clocks[name]
        probes = [churn.probe("before")]
        clock.set(-HOUR)
        probes += [churn.probe(f"{name} an hour back") for _ in range(5)]

        # Whoever takes up what it led gives greater versions, whatever its clock says.
        other = next(node for node in cluster.of("data") if node.name != name)
        other.kill()
        eventually(lambda: clock.last_stamp() < 1 - HOUR,
                   f"{name} takes it to be an hour earlier", context=cluster[name].said)
        probes.append(churn.probe(f"{name} an hour back, {other.name} killed"))
        other.start()
        cluster.wait_ready(other)
        cluster.wait_placed()

        cluster[name].kill()
        cluster[name].start()
        cluster.wait_ready(cluster[name])
        probes += [churn.probe(f"{name} restarted an hour back") for _ in range(2)]
        self.assertLess(clock.last_stamp(), 1 - HOUR)

        clock.set(0)
        probes += [churn.probe(f"{name} is right again") for _ in range(2)]
        seconds = churn.wait_equal("everybody who stays is there")
        print(f"{name}, an hour back: {len(probes)} came and went, seen after "
              f"{max(probes):.2f} s at most; equal after {seconds:.2f} s", flush=True)
        self.assertEqual(churn.violations, [])
        cluster.wait_ready()
        cluster.wait_placed()

    def test_the_data_server_that_leads_the_services(self):
        with Churn(self.cluster) as churn:
            leader = max(self.cluster.of("data"),
                         key=lambda node: node.metric("muster_data_publications"))
            self.set_back(leader.name, churn)

    def test_a_session(self):
        with Churn(self.cluster) as churn:
            self.set_back("session-1", churn)

    def test_the_meta_that_leads(self):
        with Churn(self.cluster) as churn:
            self.set_back(leading_meta(self.cluster), churn)


if __name__ == "__main__":
    unittest.main()
