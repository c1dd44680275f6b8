"""`muster bench` spread over the sessions of a cluster of processes."""

import json
import subprocess
import time
import unittest

from cluster import Cluster
from harness import MUSTER, eventually, run

PAUSE_SECONDS = 20
CUT_SECONDS = 10
FAR = ("meta-3", "data-3", "session-2")


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
        dying = self.cluster["session-2"]

        def restart():
            dying.kill()
            dying.start()
            eventually(dying.ready, "it is back", context=dying.said)

        report = steady(self, self.cluster, restart, seconds=8)
        self.assertEqual(self.count(report, "change_to_last_subscriber"), 160)


def steady(test, cluster, meanwhile, seconds, *options):
    """Load with clients of the SDK, while something is done to the cluster: nothing may be lost."""
    sessions = cluster.of("session")
    with subprocess.Popen([*sessions[0].reach, MUSTER, "bench", "steady", "-s",
                           ",".join(node.bolt for node in sessions), "--seconds", str(seconds),
                           "-o", "json", *options],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bench:
        eventually(lambda: sum(node.metric("muster_push_acknowledged_total")
                               for node in sessions) > 200, "it tells")
        meanwhile()
        out, err = bench.communicate(timeout=seconds + 90)
    test.assertTrue(out, err)
    report = json.loads(out)
    test.assertEqual((report["false_removals"], report["not_told"], report["versions_backward"],
                      report["left_behind"]), (0, 0, 0, 0), err + out)
    test.assertTrue(report["views"]["equal"], err + out)
    test.assertEqual(bench.returncode, 0, err + out)
    return report


def longest_behind_ms(report):
    return next(f["max"] for f in report["figures"] if f["metric"] == "longest_behind")


class PausedAndCut(unittest.TestCase):
    """What cannot be told from a death is none: 20 s without a process, and without the network
    between two halves."""

    def pause(self, name, seconds):
        with Cluster(3, 3, 2) as cluster:
            cluster.wait_placed()

            def pause():
                cluster[name].pause()
                time.sleep(seconds)
                cluster[name].resume()

            return steady(self, cluster, pause, seconds + 8, "--services", "3",
                          "--instances", "40")

    def test_a_session_that_is_paused(self):
        self.pause("session-2", PAUSE_SECONDS)

    def test_a_data_server_that_is_paused(self):
        self.pause("data-2", PAUSE_SECONDS)

    def test_two_halves_that_become_one_again(self):
        with Cluster(3, 3, 2, cuttable=True) as cluster:
            cluster.wait_placed()

            def cut():
                cluster.partition([name for name in cluster.nodes if name not in FAR], FAR)
                time.sleep(CUT_SECONDS)
                cluster.heal()

            report = steady(self, cluster, cut, CUT_SECONDS + 8, "--services", "3",
                            "--instances", "40")
            self.assertGreater(longest_behind_ms(report), 1000, "the cut was none")
            self.assertEqual(next(f["count"] for f in report["figures"]
                                  if f["metric"] == "heal_to_equal"), 1)


if __name__ == "__main__":
    unittest.main()
