"""A data server that was restarted is ready when it has all of the slots it follows: who restarts
one after another by readiness takes no copy away before the one before is whole again."""

import json
import os
import unittest

from cluster import Cluster
from crowd import Crowd
from harness import eventually

PUBLICATIONS = 20_000
SLOTS = 256
NOT_SYNCED = r"\d+ of 256 slots it follows are not synced yet with data-2"


def health(node):
    status, text = node.get("/health/ready")
    return status, json.loads(text)["reasons"]


class Ready(unittest.TestCase):
    def begin(self, *settings):
        # Nobody is taken for dead because a test stops him.
        self.cluster = self.enterContext(Cluster(1, 2, 1, settings=("meta.member_lease=1m",
                                                                    *settings)))
        self.one, self.two = self.cluster.of("data")
        self.cluster.wait_placed()

    def held(self, node):
        return int(sum(node.metrics("muster_data_publications",
                                    "muster_data_publications_followed")))

    def load(self):
        self.enterContext(Crowd("load-{}", 10000, (4, self.cluster["session-1"].bolt),
                                each=PUBLICATIONS // 4))
        for node in (self.one, self.two):
            eventually(lambda: self.held(node) == PUBLICATIONS, f"{node.name} holds all", 60,
                       lambda: f"but {self.held(node)}")

    def stop_one(self):
        """data-2 leads everything; data-1 is gone."""
        self.one.kill()
        eventually(lambda: self.two.metric("muster_data_slots_led") == SLOTS, "data-2 leads all")

    def test_it_has_everything_when_it_is_ready(self):
        self.begin()
        self.load()
        self.stop_one()
        self.one.start()
        waited_for = set()

        def ready():
            if not self.one.ready():
                try:
                    waited_for.update(health(self.one)[1])
                except OSError:
                    pass
                return False
            return True

        eventually(ready, "data-1 is ready", 60, self.one.said)
        # What leads by now was synced before.
        self.assertEqual(sum(self.one.metrics("muster_data_slots_synced",
                                              "muster_data_slots_led")), SLOTS)
        self.assertEqual(self.held(self.one), PUBLICATIONS)
        print("before it was ready it waited for: " + "; ".join(sorted(waited_for)), flush=True)

    def test_it_is_not_ready_as_long_as_the_leader_does_not_answer(self):
        self.begin()
        self.load()
        self.stop_one()
        self.two.pause()
        self.one.start()
        reasons = []

        def waits():
            try:
                status, reasons[:] = health(self.one)
            except OSError:
                return False
            return status == 503 and any("not synced yet" in reason for reason in reasons)

        eventually(waits, "it waits for data-2", 20, lambda: f"but {reasons}")
        self.assertRegex(reasons[0], NOT_SYNCED)
        self.assertEqual(self.one.metric("muster_data_slots_synced"), 0)
        self.two.resume()
        self.cluster.wait_ready(self.one)
        self.assertEqual(self.held(self.one), PUBLICATIONS)

    def test_a_leader_that_never_answers_is_waited_for_as_long_as_the_key_says(self):
        self.begin("data.sync_patience=3s")
        self.stop_one()
        self.two.pause()
        self.one.start()
        self.cluster.wait_ready(self.one)
        self.assertEqual(self.one.metric("muster_data_slots_synced"), 0)
        self.assertIn("data.ready.unsynced", self.one.said())
        self.assertRegex(self.one.said(), NOT_SYNCED)

    def test_one_that_comes_up_alone_with_what_it_kept_is_ready(self):
        self.begin("data.sync_patience=3s")
        kept = os.path.join(self.one.data_folder, "data", "cluster.mview")
        eventually(lambda: os.path.exists(kept) and os.path.getsize(kept) > 5000,
                   "data-1 has kept the slot table")
        for node in self.cluster.nodes.values():
            node.kill()
        self.one.start()
        self.cluster.wait_ready(self.one)
        self.assertGreater(self.one.metric("muster_data_slots_led"), 0)
        for node in self.cluster.nodes.values():
            if node is not self.one:
                node.start()
        self.cluster.wait_ready()
        self.load()


class LargeSlot(unittest.TestCase):
    """More in one slot of one session than a message holds (32 MiB)."""

    COUNT = 100_000
    BOX_BYTES = 400

    def test_a_data_server_that_lost_it_is_told_all_of_it_in_parts(self):
        with Cluster(1, 1, 1, settings=("slots=1",)) as cluster:
            data = cluster["data-1"]
            session = cluster["session-1"]
            with Crowd("load-{}", 1, (4, session.bolt), each=self.COUNT // 4,
                       box_bytes=self.BOX_BYTES):
                # A session answers its clients before a slow leader has acknowledged.
                eventually(lambda: data.metric("muster_data_publications") == self.COUNT,
                           "the data server has everything", 60)
                # Until then what a slow leader has not acknowledged went again and again.
                before = self.dropped(session)
                data.kill()
                data.start()
                cluster.wait_ready(data)
                eventually(lambda: data.metric("muster_data_publications") == self.COUNT,
                           "the data server has everything again", 60,
                           lambda: f"but {data.metric('muster_data_publications')}")
                eventually(lambda: data.metric("muster_data_slots_settled") == 1,
                           "and knows that it has")
                self.assertEqual(self.dropped(session), before)
                self.assertEqual(before["too_large"], 0)

    @staticmethod
    def dropped(session):
        return {reason: session.metric("muster_link_dropped_total", reason=reason)
                for reason in ("queue_full", "too_large")}


if __name__ == "__main__":
    unittest.main()
