"""Two processes of a cluster hold different things and do not know: on the way between them the id
of a publication became another one. `muster verify` names it, and it is mended as it says."""

import unittest

from brake_case import Watch
from cluster import Cluster
from harness import eventually, run
from test_cluster_verify import DIFFERENT, EQUAL, verify

SAID, HEARD = "planted-one", "planted-two"
SERVICES = [f"t/g/shop-{number}" for number in range(12)]  # of slots of all leaders


class Difference(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(3, 3, 2, cuttable=True)
        self.enterContext(self.cluster)
        self.cluster.wait_placed()
        self.session = self.cluster["session-1"]
        self.watches = []

    def alter(self, sources, targets):
        ips = [[self.cluster[name].ip for name in names] for names in (sources, targets)]
        self.cluster.network.alter(*ips, SAID.encode(), HEARD.encode())

    def publish(self):
        for number, service in enumerate(SERVICES):
            status, text = self.session.request(
                "PUT", f"/api/v1/services/{service}/instances/{SAID}",
                {"ip": "127.0.0.1", "port": 26000 + number, "ttl_seconds": 300})
            self.assertEqual(status, 201, text)
            for node in self.cluster.of("session"):
                self.watches.append(self.enterContext(Watch(service, node)))
        for watch in self.watches:
            watch.wait(1, "when it is published")
            watch.reset()
        self.assertGreater(self.cluster.network.alterations, 0)

    def differences(self, kind):
        """What is found, when there is nothing but differences of that kind."""
        found = []

        def seen():
            status, answer = verify(self.session)
            found[:] = answer["differences"]
            return status == DIFFERENT and {one["kind"] for one in found} == {kind}

        eventually(seen, "a difference is found", 30)
        first = found[0]
        self.assertIn(first["service"], SERVICES)
        self.assertRegex(first["publication"], f"({SAID}|{HEARD})$")
        self.assertIn(first["publication"], first["what"])
        return found

    def wait_equal(self, what):
        answer = {}

        def equal():
            status, told = verify(self.session)
            answer.update(told)
            return status == EQUAL

        eventually(equal, f"all is equal {what}", 60, lambda: answer)
        for watch in self.watches:
            watch.wait(1, what)
            self.assertGreaterEqual(watch.least, 1)
            self.assertFalse(watch.fell)

    def plant_in_follower(self):
        """data-3 does not hold what those hold that it follows, however often it takes it anew."""
        self.alter(["data-1", "data-2"], ["data-3"])
        self.publish()
        found = self.differences("copy_differs")
        for one in found:
            self.assertEqual((one["node"], one["node_has"], one["leader_has"]), ("data-3", 1, 1))
            self.assertIn(one["leader"], ("data-1", "data-2"))
        return found

    def test_a_follower_that_differs_is_named_and_mends_itself(self):
        found = self.plant_in_follower()
        self.assertIn("data-3 compares its copies", found[0]["do"])
        self.assertIn(f"slot {found[0]['slot']}", found[0]["what"])
        self.cluster.network.alter_nothing()
        self.wait_equal("when nothing is altered any more")
        self.assertGreaterEqual(
            self.cluster["data-3"].metric("muster_data_copies_differed_total"), 1)

    def test_a_follower_that_differs_and_comes_to_lead_is_mended_by_the_sessions(self):
        for one in self.plant_in_follower():
            ended = run("slots", "move", str(one["slot"]), "--to", "data-3", "-s",
                        self.session.http)
            self.assertEqual(ended.returncode, 0, ended.stderr)
        self.cluster.wait_placed()
        self.cluster.network.alter_nothing()
        self.wait_equal("when data-3 leads")

    def test_a_leader_that_differs_from_a_session_is_named_and_mended_by_it(self):
        self.alter(["session-1"], ["data-1", "data-2", "data-3"])
        self.publish()
        for one in self.differences("session_differs"):
            self.assertEqual((one["node"], one["node_has"], one["leader_has"]),
                             ("session-1", 1, 1))
        self.cluster.network.alter_nothing()
        self.wait_equal("when nothing is altered any more")


if __name__ == "__main__":
    unittest.main()
