"""Every process of a cluster is killed in turn while clients come and go: subscribers are told of
every change soon, and never that somebody went who is there.

MUSTER_FAULT_SECONDS is how long the cluster goes without metas (15); by hand 60 or more."""

import os
import time
import unittest

from churn import Churn
from cluster import Cluster
from harness import eventually

WITHOUT_METAS_SECONDS = float(os.environ.get("MUSTER_FAULT_SECONDS", "15"))


class KillInTurn(unittest.TestCase):
    def test_no_process_is_missed(self):
        with Cluster(3, 3, 2) as cluster, Churn(cluster) as churn:
            for name in list(cluster.nodes):
                with self.subTest(killed=name):
                    cluster[name].kill()
                    left = [watcher for watcher in churn.watchers
                            if not watcher.name.endswith(cluster[name].bolt)]
                    churn.probe(f"without {name}", watchers=left)
                    cluster[name].start()
                    cluster.wait_ready(cluster[name])
                    churn.probe(f"with {name} again")
            self.assertEqual(churn.violations, [])


class NoMetas(unittest.TestCase):
    def restarted_without_metas(self, name, role):
        with Cluster(3, 3, 2) as cluster, Churn(cluster) as churn:
            kept = os.path.join(cluster[name].data_folder, role, "cluster.mview")
            eventually(lambda: os.path.exists(kept) and os.path.getsize(kept) > 5000,
                       f"{name} has kept the slot table", 5)
            metas = cluster.of("meta")
            for meta in metas:
                meta.kill()
            end = time.monotonic() + WITHOUT_METAS_SECONDS
            probes = [churn.probe("without metas")]
            cluster[name].kill()
            cluster[name].start()
            cluster.wait_ready(cluster[name])
            while time.monotonic() < end:
                probes.append(churn.probe(f"without metas, {name} restarted"))
            for meta in metas:
                meta.start()
            cluster.wait_ready()
            churn.probe("the metas are back")
            churn.wait_equal("everybody who stays is there")
            print(f"without metas, {name} restarted: {len(probes)} came and went, seen after "
                  f"{max(probes):.2f} s at most", flush=True)
            self.assertEqual(churn.violations, [])

    def test_a_session_comes_back(self):
        self.restarted_without_metas("session-2", "session")

    def test_a_data_server_comes_back(self):
        self.restarted_without_metas("data-3", "data")


class PowerOff(unittest.TestCase):
    def test_everybody_is_there_again(self):
        with Cluster(3, 3, 2) as cluster, Churn(cluster) as churn:
            for node in cluster.nodes.values():
                node.kill()
            for node in cluster.nodes.values():
                node.start()
            cluster.wait_ready()
            churn.probe("after the start")
            churn.wait_equal("everybody who stays is there")
            self.assertEqual(churn.violations, [])


if __name__ == "__main__":
    unittest.main()
