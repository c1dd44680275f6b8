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
    def test_a_session_and_a_data_server_are_restarted_meanwhile(self):
        with Cluster(3, 3, 2) as cluster, Churn(cluster) as churn:
            restarted = [cluster["session-2"], cluster["data-3"]]
            for node in restarted:
                kept = os.path.join(node.data_folder, node.roles[0], "cluster.mview")
                eventually(lambda kept=kept: os.path.exists(kept) and os.path.getsize(kept) > 5000,
                           f"{node.name} has kept the slot table", 5)
            metas = cluster.of("meta")
            for meta in metas:
                meta.kill()
            end = time.monotonic() + WITHOUT_METAS_SECONDS
            probes = []
            while time.monotonic() < end:
                probes.append(churn.probe("without metas"))
            for node in restarted:  # for a moment neither is there
                node.kill()
            for node in restarted:
                node.start()
            cluster.wait_ready(*restarted)
            probes += [churn.probe("without metas, both restarted") for _ in range(10)]
            for meta in metas:
                meta.start()
            cluster.wait_ready()
            churn.probe("the metas are back")
            seconds = churn.wait_equal("everybody who stays is there")
            print(f"without metas for {WITHOUT_METAS_SECONDS:.0f} s, then session-2 and data-3 "
                  f"restarted: {len(probes)} came and went, seen after {max(probes):.2f} s at "
                  f"most; with metas again equal after {seconds:.2f} s", flush=True)
            self.assertEqual(churn.violations, [])


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
