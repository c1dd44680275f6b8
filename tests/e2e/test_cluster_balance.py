"""A session is added to a cluster whose clients are connected to the others: its share of them goes
there, and no subscriber is told that anybody went."""

import json
import unittest

from churn import SERVICES, Churn
from cluster import Cluster
from harness import eventually, run

# The defaults move 2 % a second a minute after the last change: too long to watch here.
SETTINGS = ("balance.grace=4s", "balance.count=2", "balance.pace=10%")
STAY = 6


def counts(cluster):
    return [node.metric("muster_session_clients") for node in cluster.of("session")]


def is_balanced(cluster):
    now = counts(cluster)
    share = -(-sum(now) // len(now))
    return max(now) <= share + max(share // 10, 2)


class Balance(unittest.TestCase):
    def test_a_new_session_gets_its_share_and_nobody_notices(self):
        with Cluster(3, 2, 2, settings=SETTINGS) as cluster, Churn(cluster, stay=STAY) as churn:
            clients = STAY * len(SERVICES) + len(churn.watchers)
            self.assertEqual(sum(counts(cluster)), clients)
            new = cluster.add("session", 3)
            new.start()
            cluster.wait_ready(new)
            eventually(lambda: is_balanced(cluster), "the clients are spread", 60,
                       lambda: str(counts(cluster)))
            directed = sum(node.metric("muster_session_balance_directed_total")
                           for node in cluster.of("session"))
            self.assertGreater(new.metric("muster_session_clients"), clients // 6)
            self.assertGreaterEqual(directed, new.metric("muster_session_clients"))
            churn.probe("after it")
            churn.wait_equal("everybody who stays is there")
            self.shown_to_operators(cluster)
            self.nothing_is_listed_twice(cluster)
            self.assertEqual(churn.violations, [])

    def shown_to_operators(self, cluster):
        def same():
            answer = json.loads(run("members", "-o", "json", "-s", cluster["meta-1"].http).stdout)
            shown = [m["clients"] for m in answer["members"] if m["role"] == "session"]
            return shown == counts(cluster)
        eventually(same, "muster members shows the clients of each session")

    def nothing_is_listed_twice(self, cluster):
        """Who sent a client away lets go of its publications after a while."""
        def held():
            return sum(node.metric("muster_session_publications")
                       for node in cluster.of("session"))
        eventually(lambda: held() == STAY * len(SERVICES), "each is held by one session", 40,
                   lambda: str(held()))
        self.assertEqual([node.metric("muster_session_suspects")
                          for node in cluster.of("session")], [0, 0, 0])

    def test_nobody_is_moved_when_it_is_off(self):
        with Cluster(1, 1, 1, settings=(*SETTINGS, "balance.enabled=false")) as cluster, \
                Churn(cluster, stay=3) as churn:
            before = counts(cluster)
            new = cluster.add("session", 2)
            new.start()
            cluster.wait_ready(new)
            for _ in range(8):
                churn.probe("meanwhile")
            self.assertEqual(counts(cluster), [*before, 0])
            self.assertEqual(churn.violations, [])


if __name__ == "__main__":
    unittest.main()
