"""`muster propagation` of a cluster of processes: who has the newest version of a service, who does
not acknowledge it, and who could not be asked."""

import json
import signal
import unittest

from cluster import Cluster
from harness import eventually, free_port, run, stand_still
from test_native_client import Process

ALL_HAVE_IT, NOT_ASKED, WRONG_USAGE, NOT_ALL = 0, 1, 2, 3


def propagation(node, service, *more):
    """Exit status and answer."""
    ended = run("propagation", service, "-o", "json", "-s", node.http, *more)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


class Propagation(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1, 2, 2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()

    def test_every_node_tells_of_the_subscribers_of_all_sessions(self):
        one, two = self.cluster["session-1"], self.cluster["session-2"]
        with Process("watch", "told", "-s", one.bolt) as first, \
                Process("watch", "told", "-s", two.bolt) as second, \
                Process("publish", "told", "127.0.0.1:7001", "-s", one.bolt) as provider:
            self.assertIn("registered", provider.line())
            for watcher in (first, second):
                while "127.0.0.1:7001" not in watcher.line():
                    pass
            for node in self.cluster.nodes.values():
                with self.subTest(node=node.name):
                    eventually(lambda: propagation(node, "told")[0] == ALL_HAVE_IT, "all have it")
                    answer = propagation(node, "told")[1]
                    self.assertEqual((answer["subscribers"], answer["behind"]), (2, 0))
                    self.assertEqual({line["session"] for line in answer["lists"]},
                                     {"session-1", "session-2"})
                    for line in answer["lists"]:
                        self.assertEqual(line["acknowledged"], answer["version"])
                        self.assertEqual(line["door"], "native")
                    self.assertEqual((answer["instances"], answer["silent"]), (1, []))
            table = run("propagation", "told", "-s", two.http)
            self.assertIn("1 instances\n2 subscribers, 0 behind, 0 congested", table.stdout)
            self.assertIn("session-2", table.stdout)
            bounded = propagation(one, "told", "--limit", "1")[1]
            self.assertEqual((len(bounded["lists"]), bounded["more"]), (1, True))

    def test_who_stands_still_is_behind_and_comes_first(self):
        one, two = self.cluster["session-1"], self.cluster["session-2"]
        with Process("watch", "frozen", "-s", one.bolt) as reads, \
                Process("watch", "frozen", "-s", two.bolt) as still:
            for watcher in (reads, still):
                watcher.line()
            eventually(lambda: propagation(one, "frozen")[0] == ALL_HAVE_IT, "all have it")
            stand_still(still.process)
            try:
                with Process("publish", "frozen", "127.0.0.1:7002", "-s", one.bolt) as provider:
                    self.assertIn("registered", provider.line())
                    eventually(lambda: propagation(one, "frozen")[1]["behind"] == 1,
                               "only one is behind")
                    status, answer = propagation(one, "frozen")
                    self.assertEqual(status, NOT_ALL)
                    worst, other = answer["lists"]
                    self.assertEqual((worst["behind"], worst["session"]), (True, "session-2"))
                    self.assertEqual(worst["in_flight"], answer["version"])
                    self.assertLess(int(worst["acknowledged"]), int(answer["version"]))
                    self.assertEqual(worst["changes_behind"], 1)
                    self.assertFalse(other["behind"])
                    later = propagation(one, "frozen")[1]["lists"][0]
                    self.assertGreaterEqual(later["behind_ms"], worst["behind_ms"])
            finally:
                still.process.send_signal(signal.SIGCONT)
            eventually(lambda: propagation(one, "frozen")[0] == ALL_HAVE_IT, "it caught up")

    def test_who_does_not_answer_is_named(self):
        asked, paused = self.cluster["session-1"], self.cluster["session-2"]
        paused.pause()
        try:
            status, answer = propagation(asked, "quiet")
            said = run("propagation", "quiet", "-s", asked.http)
        finally:
            paused.resume()
        self.assertEqual(status, NOT_ALL)
        self.assertEqual(answer["silent"], [{"node": "session-2", "role": "session"}])
        self.assertIn("note: no answer from session-2 (session)", said.stderr)

    def test_a_service_nobody_knows_has_no_subscribers(self):
        status, answer = propagation(self.cluster["session-1"], "nobody")
        self.assertEqual((status, answer["version"], answer["lists"]), (ALL_HAVE_IT, "0", []))
        table = run("propagation", "nobody", "-s", self.cluster["session-1"].http)
        self.assertIn("note: nobody subscribes to this service", table.stderr)

    def test_what_cannot_be_asked(self):
        session = self.cluster["session-1"]
        for arguments, status in ((("",), NOT_ASKED), (("a#@#b",), NOT_ASKED)):
            ended = run("propagation", *arguments, "-s", session.http)
            self.assertIn(ended.returncode, (status, WRONG_USAGE), ended)
            self.assertIn("muster: ", ended.stderr)
        self.assertEqual(run("propagation").returncode, WRONG_USAGE)
        self.assertEqual(run("propagation", "x", "--limit", "1001").returncode, WRONG_USAGE)
        nobody = run("propagation", "x", "-s", f"127.0.0.1:{free_port()}")
        self.assertEqual((nobody.returncode, nobody.stdout), (NOT_ASKED, ""))


if __name__ == "__main__":
    unittest.main()
