"""`muster verify` of a cluster of processes: all is equal under load, and what is not is named. And
what operators see without metas that lead."""

import json
import unittest

from churn import Churn
from cluster import Cluster
from harness import eventually, free_port, run
from test_native_client import Process

EQUAL, DIFFERENT, NOT_KNOWN = 0, 1, 3


def verify(node):
    """Exit status and answer."""
    ended = run("verify", "-o", "json", "-s", node.http)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def kinds(answer, which="not_compared"):
    return {finding["kind"] for finding in answer[which]}


class Verify(unittest.TestCase):
    """Nodes reach each other through relays, so that some can be cut from others."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3, 3, 2, cuttable=True)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()

    def wait_equal(self):
        eventually(lambda: verify(self.cluster["session-1"])[0] == EQUAL, "all is equal", 30)

    def test_every_node_says_that_all_is_equal_under_load(self):
        self.wait_equal()
        with Churn(self.cluster) as churn:
            for node in self.cluster.nodes.values():
                with self.subTest(node=node.name):
                    churn.probe(f"{node.name} is asked")
                    status, answer = verify(node)
                    self.assertEqual((status, answer["result"]), (EQUAL, "equal"), answer)
                    self.assertEqual((answer["slots"], answer["slots_equal"]), (256, 256))
                    self.assertEqual((answer["copies"], answer["copies_equal"]), (768, 768))
                    self.assertEqual(answer["sessions"], 2)
                    self.assertGreater(answer["publications"], 0)
                    self.assertEqual(answer["silent"], [])
        table = run("verify", "-s", self.cluster["data-2"].http)
        self.assertRegex(table.stdout, r"slots +256, all equal\ncopies +768, all equal\n")
        self.assertIn("equal: all copies and sessions hold the same", table.stdout)

    def test_who_does_not_answer_is_named(self):
        self.wait_equal()
        session, paused = self.cluster["session-1"], self.cluster["session-2"]
        paused.pause()
        try:
            status, answer = verify(session)
            ended = run("verify", "-s", session.http)
        finally:
            paused.resume()
        self.assertEqual((status, answer["result"]), (NOT_KNOWN, "incomplete"))
        self.assertEqual(answer["silent"], [{"node": "session-2", "role": "session"}])
        self.assertEqual((answer["differences"], answer["copies_equal"]), ([], 768))
        self.assertEqual(ended.returncode, NOT_KNOWN)
        self.assertIn("no answer: session-2 (session)", ended.stdout)
        self.assertIn("comparing", ended.stderr, "it lasted over a second")
        self.wait_equal()

    def test_a_follower_that_is_cut_from_its_leaders_is_behind_and_not_different(self):
        self.wait_equal()
        session = self.cluster["session-1"]
        self.cluster.partition(["data-1"], ["data-2"])
        try:
            there = [Process("publish", f"behind-{number}", f"127.0.0.1:{8000 + number}",
                             "-s", session.bolt) for number in range(20)]
            for one in there:
                one.__enter__()
                self.assertIn("registered", one.line())
            status, answer = verify(session)
        finally:
            self.cluster.heal()
        self.assertEqual((status, answer["result"]), (NOT_KNOWN, "incomplete"), answer)
        self.assertIn("behind", kinds(answer))
        self.assertEqual(answer["differences"], [])
        behind = [one for one in answer["not_compared"] if one["kind"] == "behind"]
        for one in behind:
            self.assertEqual({one["leader"], one["node"]}, {"data-1", "data-2"}, one)
            self.assertIn(f"{one['node']} is {one['lacks']} changes behind", one["what"])
        self.wait_equal()
        for one in there:
            one.__exit__()

    def test_who_cannot_be_asked_at_all(self):
        ended = run("verify", "-s", f"127.0.0.1:{free_port()}")
        self.assertEqual((ended.returncode, ended.stdout), (NOT_KNOWN, ""))
        self.assertIn("muster: ", ended.stderr)
        self.assertEqual(run("verify", "--nonsense").returncode, 2)


class WithoutMetasThatLead(unittest.TestCase):
    """Two of three metas are gone."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3, 3, 2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()
        for name in ("meta-1", "meta-2"):
            cls.cluster[name].kill()

    def test_every_node_tells_what_it_was_told_last(self):
        for name in ("session-1", "data-2", "meta-3"):
            for command in ("slots", "members"):
                with self.subTest(node=name, command=command):
                    ended = run(command, "-o", "json", "-s", self.cluster[name].http)
                    self.assertEqual(ended.returncode, 0, ended.stderr)
                    answer = json.loads(ended.stdout)
                    self.assertEqual((answer["stale"], answer["told_by"], answer["leader"]),
                                     (True, name, ""))
                    self.assertGreaterEqual(answer["age_ms"], 0)
                    self.assertEqual(answer["metas"], ["meta-1", "meta-2", "meta-3"])
                    if command == "slots":
                        self.assertEqual({slot["leader"] for slot in answer["slots"]},
                                         {"data-1", "data-2", "data-3"})
                    else:
                        self.assertEqual(len(answer["members"]), 5)
        note = run("slots", "-s", self.cluster["session-1"].http).stderr
        self.assertRegex(note, r"stale: no meta that leads answers; this is what session-1 was "
                               r"told \d+ s ago \(epoch \d+\)")

    def test_what_is_wanted_of_the_metas_is_not_answered_from_memory(self):
        ended = run("slots", "stop", "-s", self.cluster["session-1"].http)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("no meta that leads", ended.stderr)

    def test_copies_and_sessions_are_compared_all_the_same(self):
        for name in ("session-1", "data-2", "meta-3"):
            with self.subTest(node=name):
                status, answer = verify(self.cluster[name])
                self.assertEqual((status, answer["copies_equal"]), (EQUAL, 768), answer)


if __name__ == "__main__":
    unittest.main()
