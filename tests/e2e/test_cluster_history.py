"""`muster history`: what became of a service's instances in a real cluster, each with its cause:
who said so, whose socket closed, whose session was killed, what an operator did; a data server
still knows it after kill -9."""

import json
import os
import pwd
import signal
import socket
import unittest

from cluster import Cluster
from harness import eventually, free_port, run
from test_native_client import Process

DONE, REFUSED, WRONG_USAGE, NOT_ALL = 0, 1, 2, 3


def history(node, service, *more):
    """Exit status and answer."""
    ended = run("history", service, "-o", "json", "-s", node.http, *more, timeout=60)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def told(node, service, *more):
    """(what, cause, reason, by), the oldest first."""
    status, answer = history(node, service, *more)
    assert status == DONE, answer
    return [(record["what"], record.get("cause"), record["reason"], record.get("by"))
            for record in reversed(answer["records"])]


def whoami():
    """As whom commands ask that are told no name."""
    login = pwd.getpwuid(os.getuid()).pw_name
    if os.geteuid() == 0:
        login = os.environ.get("SUDO_USER") or login
    return f"{login}@{socket.gethostname()}"[:64]


class History(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1, 2, 2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()
        cls.one, cls.two = cls.cluster["session-1"], cls.cluster["session-2"]

    def publish(self, service, port, node):
        """Registered when this returns."""
        made = Process("publish", service, f"127.0.0.1:{port}", "-s", node.bolt)
        self.addCleanup(made.__exit__)
        self.wait_for(node, service, ("registered", None, "said", node.name), f"127.0.0.1:{port}")
        return made

    def wait_for(self, node, service, record, *more, patience=30):
        eventually(lambda: told(node, service, *more)[-1:] == [record],
                   f"{service} tells {record} last", patience, lambda: told(node, service, *more))

    def test_who_said_so_and_whose_socket_closed(self):
        leaves = self.publish("said", 8001, self.one)
        killed = self.publish("said", 8002, self.two)
        leaves.end(signal.SIGINT)
        self.wait_for(self.two, "said", ("removed", "left", "said", "session-1"),
                      "127.0.0.1:8001")
        killed.end(signal.SIGKILL)
        self.wait_for(self.one, "said", ("removed", "closed", "said", "session-2"),
                      "127.0.0.1:8002")
        status, answer = history(self.one, "said")
        self.assertEqual((status, answer["silent"], answer["lost"], answer["more"]),
                         (DONE, [], [], False))
        self.assertEqual([record["addresses"] for record in answer["records"]],
                         [["127.0.0.1:8002"], ["127.0.0.1:8001"],
                          ["127.0.0.1:8002"], ["127.0.0.1:8001"]])
        newest = answer["records"][0]
        self.assertEqual(newest["why"], "its connection was closed without a word")
        self.assertIn("127.0.0.1:", newest["client_address"])
        self.assertGreater(int(newest["version"]), int(answer["records"][1]["version"]))
        self.assertIn(newest["noted_by"], ("data-1", "data-2"))
        table = run("history", "said", "127.0.0.1:8002", "--limit", "1", "-s", self.two.http)
        self.assertEqual(table.returncode, DONE)
        self.assertIn("its connection was closed without a word", table.stdout)
        self.assertNotIn("127.0.0.1:8001", table.stdout)
        self.assertIn("note: there are older ones; raise --limit", table.stderr)

    def test_what_an_operator_did_and_what_was_changed(self):
        port = free_port()
        address = f"127.0.0.1:{port}"
        path = "/api/v1/instances/one?service=marked"
        body = {"ip": "127.0.0.1", "port": port, "ttl_seconds": 600}
        for weight in (100, 50):
            status, text = self.one.request("PUT", path, body | {"weight": weight})
            self.assertIn(status, (200, 201), text)
        for command, by in (("drain", ("--by", "ana@ops1")), ("restore", ())):
            ended = run(command, "marked", address, "-s", self.two.http, *by)
            self.assertEqual(ended.returncode, DONE, ended.stderr)
        self.assertEqual(told(self.two, "marked", address),
                         [("registered", None, "said", "session-1"),
                          ("changed", None, "said", "session-1"),
                          ("drained", None, "marked", "session-2"),
                          ("restored", None, "marked", "session-2")])
        _, answer = history(self.one, "marked")
        restored, drained, changed = answer["records"][:3]
        self.assertEqual((drained["asked_by"], drained["why"]),
                         ("ana@ops1", "ana@ops1 asked at session-2"))
        self.assertEqual(restored["asked_by"], whoami(), "nobody was named")
        self.assertNotIn("asked_by", changed)
        table = run("history", "marked", "-s", self.one.http)
        self.assertIn("ana@ops1 asked at session-2", table.stdout)

    def test_of_operators_that_have_no_name_or_one_that_cannot_be(self):
        address = f"127.0.0.1:{free_port()}"
        status, text = self.one.request("PUT", "/api/v1/instances/two?service=nameless",
                                        {"ip": "127.0.0.1", "port": int(address.split(":")[1]),
                                         "ttl_seconds": 600})
        self.assertIn(status, (200, 201), text)
        path = f"/api/v1/drain?service=nameless&address={address}"
        for name, said in (("x" * 65, "at most 64 bytes, got 65 bytes"),
                           ("ana%0Abob", "a character that cannot be shown at byte 3"),
                           ("%C3", "no UTF-8 at byte 0")):
            status, text = self.one.request("POST", f"{path}&by={name}")
            self.assertEqual(status, 400, text)
            self.assertIn(said, text)
        ended = run("drain", "nameless", address, "-s", self.one.http, "--by", "a\tb")
        self.assertNotEqual(ended.returncode, DONE)
        self.assertIn("by: expected a name", ended.stderr)
        self.assertEqual([what for what, *_ in told(self.one, "nameless")], ["registered"])
        self.assertEqual(self.one.request("POST", path)[0], 200)
        drained = history(self.one, "nameless")[1]["records"][0]
        self.assertNotIn("asked_by", drained)
        self.assertEqual(drained["why"], "an operator said so")

    def test_a_session_that_was_killed_and_its_client_with_it(self):
        three = self.cluster.add("session", 3)
        three.start()
        self.cluster.wait_ready(three)
        stays = self.publish("ended", 8003, three)
        goes = self.publish("ended", 8004, three)
        goes.process.send_signal(signal.SIGSTOP)  # it does not see that the session is gone
        three.kill()
        goes.end(signal.SIGKILL)
        self.wait_for(self.one, "ended",
                      ("removed", "silent", "session_ended", "session-3"), "127.0.0.1:8004",
                      patience=60)
        stays.end(signal.SIGKILL)

    def test_a_data_server_knows_it_after_kill_9_and_silence_is_named(self):
        there = self.publish("kept", 8005, self.one)
        there.end(signal.SIGKILL)
        self.wait_for(self.one, "kept", ("removed", "closed", "said", "session-1"))
        _, before = history(self.one, "kept")
        noted_by = before["records"][0]["noted_by"]
        self.cluster[noted_by].pause()
        ended = run("history", "kept", "-s", self.one.http, timeout=60)
        self.assertEqual(ended.returncode, NOT_ALL)
        self.assertIn(f"note: no answer from {noted_by}", ended.stderr)
        self.cluster[noted_by].kill()
        self.assertEqual(history(self.one, "kept")[1]["records"], [], "nobody else knows it")
        self.cluster[noted_by].start()
        self.cluster.wait_ready(self.cluster[noted_by])
        eventually(lambda: history(self.two, "kept")[1]["records"] == before["records"],
                   "it is known again", 30)
        self.cluster.wait_placed()

    def test_what_is_wrong_is_said(self):
        for arguments, status, said in (
                (("wrong", "nowhere"), WRONG_USAGE, "address: expected ip:port"),
                (("wrong", "--since", "soon"), WRONG_USAGE, "since is a time"),
                (("wrong", "--limit", "1001"), WRONG_USAGE, "limit")):
            ended = run("history", *arguments, "-s", self.one.http)
            self.assertEqual(ended.returncode, status, ended)
            self.assertIn(said, ended.stderr)
        nobody = run("history", "wrong", "-s", self.one.http)
        self.assertEqual(nobody.returncode, DONE)
        self.assertIn("nothing is known of it", nobody.stderr)


class Off(unittest.TestCase):
    def test_it_is_said_and_no_file_is_made(self):
        with Cluster(1, 1, 1, settings=("history.enabled=false",)) as cluster:
            node = cluster["session-1"]
            with Process("publish", "off", "127.0.0.1:8006", "-s", node.bolt):
                status, answer = history(node, "off")
                self.assertEqual((status, answer["records"]), (NOT_ALL, []))
                self.assertIn("data-1 keeps no history", answer["nodes"][0]["refused"])
            self.assertFalse(os.path.exists(
                os.path.join(cluster["data-1"].data_folder, "history")))


if __name__ == "__main__":
    unittest.main()
