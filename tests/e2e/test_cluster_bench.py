"""`muster bench` spread over the sessions of a cluster of processes."""

import json
import subprocess
import unittest

from cluster import Cluster
from harness import MUSTER, eventually, run


class OverTwoSessions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1, 2, 2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()

    def bench(self, work, *options):
        sessions = ",".join(node.bolt for node in self.cluster.of("session"))
        processes = ",".join(node.http for node in self.cluster.nodes.values())
        ended = run("bench", work, "-s", sessions, "--http", processes, "-o", "json", *options,
                    timeout=60)
        self.assertEqual(ended.returncode, 0, ended.stderr + ended.stdout)
        report = json.loads(ended.stdout)
        self.assertEqual(report["server"]["processes"], 5)
        self.assertEqual((report["not_told"], report["false_removals"]), (0, 0))
        for node in self.cluster.of("session"):
            left = json.loads(node.get("/api/v1/services?contains=muster-bench-")[1])
            self.assertEqual(left["services"], [], node.name)
        return report

    def count(self, report, metric):
        return next(f["count"] for f in report["figures"] if f["metric"] == metric)

    def test_changes_reach_subscribers_of_both(self):
        report = self.bench("propagation", "--publishers", "2", "--subscribers", "4", "--rate",
                            "20", "--seconds", "1")
        self.assertEqual(self.count(report, "change_to_each_subscriber"), 80)

    def test_registrations_over_both(self):
        report = self.bench("registrations", "--clients", "4", "--services", "20", "--instances",
                            "100", "--batch", "10", "--subscribers", "2")
        self.assertEqual(self.count(report, "deregister_to_subscriber"), 10)

    def test_who_is_cut_off_goes_from_lists_of_both(self):
        report = self.bench("disconnect", "--clients", "20", "--services", "2", "--subscribers",
                            "2")
        self.assertEqual(self.count(report, "disconnect_to_last_subscriber"), 2)

    def test_restarting_instances_change_sessions(self):
        report = self.bench("rolling", "--instances", "3", "--subscribers", "2")
        self.assertEqual(self.count(report, "coming_to_last_subscriber"), 3)

    def test_a_session_that_dies_costs_time_and_nobody_its_place(self):
        sessions = ",".join(node.bolt for node in self.cluster.of("session"))
        dying = self.cluster["session-2"]
        with subprocess.Popen([MUSTER, "bench", "steady", "-s", sessions, "--seconds", "8", "-o",
                               "json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bench:
            eventually(lambda: dying.metric("muster_push_acknowledged_total") > 100, "it tells")
            dying.kill()
            dying.start()
            eventually(dying.ready, "it is back", context=dying.said)
            out, err = bench.communicate(timeout=90)
        self.assertEqual(bench.returncode, 0, err + out)
        report = json.loads(out)
        self.assertEqual((report["false_removals"], report["not_told"]), (0, 0))
        self.assertEqual(self.count(report, "change_to_last_subscriber"), 160)


if __name__ == "__main__":
    unittest.main()
