"""A session is ended by SIGTERM under load: it leaves the list of servers, hands its clients over
and ends, and no subscriber notices, neither its own nor those of others."""

import signal
import unittest

from churn import SERVICES, Churn
from cluster import Cluster
from harness import eventually


def named(node):
    """The sessions that it names to clients."""
    return set(node.get("/api/servers/query")[1].split(";"))


class Stop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3, 3, 2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()

    def probe_until_ended(self, node, churn):
        """Changes are seen by everybody while it ends; the seconds each took."""
        probes = []
        while node.is_running():
            probes.append(churn.probe(f"{node.name} ends"))
        node.stop()
        self.assertEqual(node.process.returncode, 0, node.said())
        return probes

    def all_are_at(self, node, churn):
        eventually(lambda: node.metric("muster_session_clients") ==
                   len(churn.watchers) + len(churn.publishers), f"all clients are at {node.name}")

    def start_again(self, node, churn):
        node.start()
        self.cluster.wait_ready(node)
        for session in self.cluster.of("session"):
            eventually(lambda session=session: len(named(session)) == 2,
                       f"{session.name} names both")
        churn.probe(f"{node.name} is there again")
        churn.wait_equal("everybody who stays is there")
        self.assertEqual(churn.violations, [])

    def test_each_in_turn_ends_without_a_client(self):
        with Churn(self.cluster, roam=True) as churn:
            sessions = self.cluster.of("session")
            for node, other in zip(sessions, reversed(sessions)):
                clients = node.metric("muster_session_clients")
                self.assertGreater(clients, 0)
                node.process.terminate()
                probes = self.probe_until_ended(node, churn)
                self.assertIn("session.left clients=0 writes=0", node.said())
                eventually(lambda other=other: named(other) == {other.bolt},
                           f"{other.name} names itself only")
                self.all_are_at(other, churn)
                probes.append(churn.probe(f"{node.name} has ended"))
                self.start_again(node, churn)
                print(f"{node.name} handed {clients:.0f} clients over: {len(probes)} came and went "
                      f"meanwhile, seen after {max(probes):.2f} s at most", flush=True)

    def test_one_that_does_not_go_is_not_waited_for_without_end(self):
        node, other = self.cluster.of("session")
        with Churn(self.cluster, roam=True) as churn:
            address = churn.come(SERVICES[0], [node])
            churn.wait_equal("all are there")
            slow = churn.publishers[address][1].process
            slow.send_signal(signal.SIGSTOP)
            try:
                node.process.terminate()
                eventually(lambda: named(other) == {other.bolt}, f"{other.name} names itself only")
                self.assertTrue(node.is_running(), "it left the list before it ended")
                self.probe_until_ended(node, churn)
            finally:
                slow.send_signal(signal.SIGCONT)
            self.assertIn("session.left clients=1 writes=0", node.said())
            self.all_are_at(other, churn)
            self.start_again(node, churn)


if __name__ == "__main__":
    unittest.main()
