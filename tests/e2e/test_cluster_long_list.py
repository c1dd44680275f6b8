"""A list that is longer than what may wait for one link: a subscriber at another session is told
all of it, and what changes afterwards."""

import base64
import random
import unittest

from cluster import Cluster
from sdk_list import Caller

MIB = 1 << 20
# 16 MiB may wait for one link. Random: what is packed is hardly shorter.
INSTANCES, BOX = 32, MIB * 9 // 10


class LongList(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1, 1, 2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()

    def register(self, port):
        load = base64.urlsafe_b64encode(random.randbytes(BOX * 3 // 4)).decode()
        status, text = self.cluster["session-1"].request(
            "PUT", f"/api/v1/instances/i{port}?service=long",
            {"boxes": [f"bolt://10.0.0.7:{port}?load={load}"], "ttl_seconds": 600})
        self.assertLess(status, 300, text)

    def test_reaches_who_listens_at_another_session(self):
        ports = set(range(1, INSTANCES + 1))
        for port in ports:
            self.register(port)
        with Caller("long", self.cluster["session-2"].bolt) as caller:
            caller.wait_for(lambda told: {port for _, port in told} == ports)
            self.register(INSTANCES + 1)
            caller.wait_for(lambda told: len(told) == INSTANCES + 1)
            status, text = self.cluster["session-1"].request(
                "DELETE", "/api/v1/instances/i1?service=long")
            self.assertLess(status, 300, text)
            caller.wait_for(lambda told: ("10.0.0.7", 1) not in told)
        leader = self.cluster["data-1"]
        for reason in ("queue_full", "too_large"):
            self.assertEqual(leader.metric("muster_link_dropped_total", reason=reason), 0)
        self.assertEqual(leader.metric("muster_data_streams_ended_total"), 0)


if __name__ == "__main__":
    unittest.main()
