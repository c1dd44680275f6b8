"""A meta loses its data folder and is started with an empty one: nothing it may have promised is
broken, and it counts again as soon as it holds what the others hold."""

import json
import shutil
import unittest

from churn import Churn
from cluster import Cluster
from harness import eventually, run
from test_cluster_pauses import leading_meta

VALUE = "/api/v1/config/DEFAULT_INSTANCE_ID/DEFAULT_GROUP/kept"


class LostFolder(unittest.TestCase):
    def put(self, node, text):
        """A value that the metas agree on."""
        status, answer = node.request("PUT", VALUE, text)
        self.assertEqual(status, 200, answer)

    def value(self, node):
        status, answer = node.get(VALUE)
        self.assertEqual(status, 200, answer)
        return json.loads(json.loads(answer)["value"])

    def kill_and_lose_folder(self, node):
        node.kill()
        shutil.rmtree(node.data_folder)

    def waits_for(self, node):
        try:
            status, answer = node.get("/health/ready")
        except OSError:
            return ""  # it does not listen yet
        return answer if status == 503 else ""

    def test_the_cluster_goes_on_and_takes_it_back(self):
        with Cluster(3, 3, 2) as cluster, Churn(cluster) as churn:
            session = cluster["session-1"]
            self.put(session, "before")
            for lost in (leading_meta(cluster), "meta-1"):
                lost = cluster[lost]
                self.kill_and_lose_folder(lost)
                churn.probe(f"without {lost.name}")
                self.put(session, f"without {lost.name}")
                lost.start()
                cluster.wait_ready(lost)
                said = lost.said()
                self.assertIn("raft.doubt.begins", said)
                self.assertIn("raft.doubt.ends", said)
                # It is needed for a majority now.
                other = next(node for node in cluster.of("meta") if node is not lost)
                other.kill()
                eventually(lambda: run("slots", "move", "5", "--to", "data-1", "-s",
                                       session.http).returncode == 0, "a slot is moved", 30)
                self.assertEqual(self.value(session), f"without {lost.name}")
                self.put(session, f"with {lost.name}")
                churn.probe(f"with {lost.name}, without {other.name}")
                other.start()
                cluster.wait_ready()
            churn.wait_equal("everybody who stays is there")
            self.assertEqual(churn.violations, [])

    def test_it_makes_no_majority_with_one_that_knows_less(self):
        with Cluster(3, 1, 1) as cluster:
            one, two, three = cluster.of("meta")
            session = cluster["session-1"]
            three.kill()
            self.put(session, "agreed by two")
            two.kill()
            self.kill_and_lose_folder(one)
            one.start()
            three.start()
            eventually(lambda: "waits for word from meta-2" in self.waits_for(one),
                       "it says for whom it waits", 30, lambda: self.waits_for(one))
            eventually(lambda: "no leader" in self.waits_for(three), "nobody leads", 30,
                       lambda: self.waits_for(three))
            self.assertEqual(run("slots", "move", "5", "--to", "data-1", "-s",
                                 session.http).returncode, 1)
            two.start()
            cluster.wait_ready()
            self.assertEqual(self.value(session), "agreed by two")
            refused = run("members", "remove", "meta-1", "-s", session.http)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("meta-1 is a meta, which is not removed. Start it again", refused.stderr)

    def test_a_group_begins_when_all_of_it_were_there(self):
        cluster = Cluster(3, 1, 1)
        self.addCleanup(cluster.__exit__)
        one, two, late = cluster.of("meta")
        for node in (one, two):
            node.start()
        for node in (one, two):
            eventually(lambda: "waits for word from meta-3," in self.waits_for(node),
                       f"{node.name} says for whom it waits", 30, node.said)
        late.start()
        cluster.wait_ready(one, two, late)


if __name__ == "__main__":
    unittest.main()
