"""Roles apart, each a process of its own: the thinnest cluster, and a whole one with clients."""

import json
import signal
import unittest

from cluster import Cluster
from harness import eventually, run
from test_native_client import Process, addresses

PATH = "/api/v1/services/t/g/orders/instances"


class ThreeProcesses(unittest.TestCase):
    """One meta, one data server, one session."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1, 1, 1)
        cls.cluster.__enter__()
        cls.session = cls.cluster["session-1"]

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    def test_a_watcher_is_told_of_coming_leaving_and_killing(self):
        at = ("-s", self.session.bolt)
        with Process("watch", "coming", "-o", "json", *at) as watch:
            first = watch.list()
            self.assertEqual((first["instances"], first["complete"]), ([], True))
            with Process("publish", "coming", "127.0.0.1:8001", *at) as one, \
                    Process("publish", "coming", "127.0.0.1:8002", *at) as two:
                self.assertIn("registered", one.line())
                self.assertIn("registered", two.line())
                while len((told := watch.list())["instances"]) < 2:
                    pass
                self.assertEqual(addresses(told), ["127.0.0.1:8001", "127.0.0.1:8002"])
                self.assertEqual(one.end(signal.SIGTERM), 0)
                self.assertEqual(addresses(watch.list()), ["127.0.0.1:8002"])
                two.end(signal.SIGKILL)
                self.assertEqual(watch.list()["instances"], [])

    def test_http_registers_and_lists(self):
        status, text = self.session.request("PUT", PATH + "/i1",
                                            {"ip": "127.0.0.1", "port": 8001, "ttl_seconds": 60})
        self.assertIn(status, (200, 201), text)
        eventually(lambda: len(json.loads(self.session.get(PATH)[1]).get("instances", ())) == 1,
                   "the instance is listed")
        names = json.loads(self.session.get("/api/v1/services?contains=orders")[1])
        self.assertEqual([s["dataId"] for s in names["services"]], ["orders"])

    def test_every_process_has_health_and_metrics(self):
        for node, metric in (("meta-1", "muster_raft_term"), ("data-1", "muster_data_slots_led"),
                             ("session-1", "muster_session_connections")):
            with self.subTest(node=node):
                node = self.cluster[node]
                self.assertEqual(node.get("/health/live")[0], 200)
                self.assertEqual(node.get("/health/ready")[0], 200)
                self.assertIn(metric, node.get("/metrics")[1])

    def test_a_process_without_session_serves_no_clients(self):
        for name in ("meta-1", "data-1"):
            self.assertEqual(self.cluster[name].get("/api/v1/services")[0], 404)
            self.assertEqual(self.cluster[name].get("/api/servers/query")[0], 404)


class WholeCluster(unittest.TestCase):
    """3 metas, 3 data servers, 2 sessions."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3, 3, 2)
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    def test_what_one_session_takes_the_other_tells(self):
        one, two = self.cluster.of("session")
        for number in range(20):  # services of many slots
            name = f"shop-{number}"
            with Process("publish", name, f"127.0.0.1:{8000 + number}", "-s", one.bolt) as there:
                self.assertIn("registered", there.line())
                ended = run("watch", name, "--count", "1", "-o", "json", "-s", two.bolt)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                self.assertEqual(addresses(json.loads(ended.stdout)),
                                 [f"127.0.0.1:{8000 + number}"])

    def test_both_sessions_are_named_to_java_clients(self):
        one, two = self.cluster.of("session")
        eventually(lambda: set(one.get("/api/servers/query")[1].split(";")) == {one.bolt, two.bolt},
                   "both sessions are in the list")

    def test_operators_see_members_and_slots_from_every_node(self):
        for node in self.cluster.nodes.values():
            with self.subTest(node=node.name):
                ended = run("members", "-o", "json", "-s", node.http)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                answer = json.loads(ended.stdout)
                self.assertEqual(answer["metas"], ["meta-1", "meta-2", "meta-3"])
                self.assertEqual({(m["node"], m["state"]) for m in answer["members"]},
                                 {(f"{n}", "live") for n in ("data-1", "data-2", "data-3",
                                                             "session-1", "session-2")})
        eventually(lambda: self.leaders(node) == {"data-1", "data-2", "data-3"},
                   "every data server leads some slots")
        self.assertRegex(run("slots", "-s", node.http).stdout, r"\n17 +data-\d ")
        self.assertRegex(run("members", "-s", node.http).stdout, r"\nmeta-\d +meta +leads")

    def leaders(self, node):
        slots = json.loads(run("slots", "-o", "json", "-s", node.http).stdout)["slots"]
        self.assertEqual(len(slots), 256)
        return {slot["leader"] for slot in slots}

    def test_operators_move_slots(self):
        meta = self.cluster["meta-2"]

        def leader():
            answer = json.loads(run("slots", "-o", "json", "-s", meta.http).stdout)
            return answer["slots"][5]["leader"]

        to = next(name for name in ("data-1", "data-2") if name != leader())
        ended = run("slots", "move", "5", "--to", to, "-s", meta.http)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        eventually(lambda: leader() == to, "the slot is led there")
        ended = run("slots", "stop", "-s", meta.http)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("placement is stopped", run("slots", "-s", meta.http).stderr)
        self.assertEqual(run("slots", "start", "-s", meta.http).returncode, 0)
        ended = run("members", "remove", "data-1", "-s", meta.http)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("data-1", ended.stderr)


if __name__ == "__main__":
    unittest.main()
