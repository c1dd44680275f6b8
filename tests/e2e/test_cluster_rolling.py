"""Metas of a cluster end by SIGTERM, as in a rolling restart: nobody waits for another to lead."""

import itertools
import json
import threading
import time
import unittest

from churn import Churn
from cluster import Cluster
from harness import run
from test_cluster_pauses import leading_meta

SLOT = 5


def led_by(cluster, slot, node):
    answer = json.loads(run("slots", "-o", "json", "-s", node.http).stdout)
    return answer["slots"][slot]["leader"]


class Mover:
    """Moves a slot to and fro as long as it is there; any of its moves that failed is told."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.failed = []
        self.seconds = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._move)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _move(self):
        for to in itertools.cycle(("data-1", "data-2", "data-3")):
            if self.over.is_set():
                return
            began = time.monotonic()
            ended = run("slots", "move", str(SLOT), "--to", to, "-s", self.cluster["data-1"].http)
            self.seconds.append(time.monotonic() - began)
            if ended.returncode != 0:
                self.failed.append(ended.stderr)


class RollingMetas(unittest.TestCase):
    def end(self, cluster, name):
        """Ends it by SIGTERM. When it led, another one leads by the time it is gone."""
        node = cluster[name]
        led = node.metric("muster_raft_leader") == 1
        node.stop()
        self.assertEqual(node.process.returncode, 0, node.said())
        if led:
            leading = [other.name for other in cluster.of("meta")
                       if other is not node and other.metric("muster_raft_leader") == 1]
            self.assertEqual(len(leading), 1, f"who leads after {name}: {leading}")
        return led

    def test_metas_are_restarted_in_turn_and_slots_move_all_the_while(self):
        with Cluster(3, 3, 2) as cluster, Churn(cluster) as churn:
            cluster.wait_placed()
            leaders = 0
            with Mover(cluster) as mover:
                # The leading one first, then whoever leads in its stead, then the last one.
                left = {node.name for node in cluster.of("meta")}
                while left:
                    leader = leading_meta(cluster)
                    name = leader if leader in left else min(left)
                    left.discard(name)
                    leaders += self.end(cluster, name)
                    churn.probe(f"without {name}")
                    cluster[name].start()
                    cluster.wait_ready(cluster[name])
                    churn.probe(f"with {name} again")
            self.assertGreaterEqual(leaders, 2)
            self.assertEqual(mover.failed, [])
            self.assertEqual(churn.violations, [])
            print(f"{len(mover.seconds)} moves of a slot while 3 metas were restarted, the slowest "
                  f"took {max(mover.seconds):.2f} s", flush=True)

    def test_a_slot_moves_at_once_when_the_leading_meta_was_ended(self):
        with Cluster(3, 3, 1) as cluster:
            cluster.wait_placed()
            self.assertTrue(self.end(cluster, leading_meta(cluster)))
            node = cluster["data-1"]
            to = next(name for name in ("data-1", "data-2") if name != led_by(cluster, SLOT, node))
            began = time.monotonic()
            ended = run("slots", "move", str(SLOT), "--to", to, "-s", node.http)
            print(f"moved {time.monotonic() - began:.2f} s after", flush=True)
            self.assertEqual(ended.returncode, 0, ended.stderr)


if __name__ == "__main__":
    unittest.main()
