"""Clients of all sessions and services end or fall silent together, as when a network fails: of no
session and no service more than is believed, of the cluster more. What follows stays listed, is
shown with the reason, and ends as its clients or an operator say.

Limits of the cluster are the defaults, 100 and 30 %; those of sessions and services are lifted, so
that only the one of the cluster can hold anything."""

import re
import unittest

from brake_case import BrakeCase
from harness import eventually, run

SETTINGS = ("brake.session.share=100%", "brake.service.share=100%", "brake.window=60s",
            "brake.patience=5m")
CLUSTER_COUNT = 100
FIRST, SECOND, STAY = 140, 60, 60


class ClusterWideBrake(BrakeCase):
    def hall(self, first_port, count):
        """Clients of both sessions."""
        return self.crowd("shop", first_port, (count // 2, self.one.bolt),
                          (count // 2, self.two.bolt))

    def hold(self):
        """A hall of clients is killed, which trips the brake, at the latest with its last one. Then
        a second one stands still until its leases are over; nobody of it may go."""
        self.begin(*SETTINGS, metas=3, data=2)
        first = self.hall(21000, FIRST)
        self.second = self.hall(22000, SECOND)
        self.hall(23000, STAY)
        self.watches = [self.watch("shop", node) for node in (self.one, self.two)]
        for watch in self.watches:
            watch.wait(FIRST + SECOND + STAY, "at first")
        first.kill()
        eventually(lambda: self.metas_braking() == {1.0}, "the metas brake", 60)
        eventually(lambda: self.gone() + self.held() == FIRST, "the first hall is gone or held", 60,
                   lambda: (self.gone(), self.held()))
        self.left = FIRST + SECOND + STAY - self.gone()
        self.assertGreaterEqual(self.gone(), CLUSTER_COUNT)
        for watch in self.watches:
            watch.wait(self.left, "when the brake holds")
            watch.reset()
        held = self.held()
        self.second.stand_still()
        eventually(lambda: self.held() == held + SECOND, "all of the second hall is held", 60,
                   self.held)
        for watch in self.watches:
            self.assertEqual((watch.least, watch.count), (self.left, self.left))

    def gone(self):
        return FIRST + SECOND + STAY - min(watch.count for watch in self.watches)

    def held(self):
        return sum(self.suspects().values())

    def metas_braking(self):
        return {node.metric("muster_meta_brake") for node in self.cluster.of("meta")}

    def shown(self):
        """The lines of the cluster's brake, the same at every node: from the leading meta, and from
        each data server that holds something."""
        lines = self.cluster_lines(self.one)
        for node in self.cluster.nodes.values():
            self.assertEqual([line["node"] for line in self.cluster_lines(node)],
                             [line["node"] for line in lines], node.name)
        return lines

    def cluster_lines(self, node):
        lines = self.brakes(node)
        self.assertEqual({line["scope"] for line in lines} - {"cluster"}, set())
        return sorted(lines, key=lambda line: line["node"])

    def test_it_is_shown_and_an_operator_confirms(self):
        self.hold()
        lines = self.shown()
        self.assertEqual(sum(line["held"] for line in lines), self.held())
        self.assertIn("meta", {line["node"].partition("-")[0] for line in lines})
        for line in lines:
            self.assertTrue(line["braking"], line)
            why = re.fullmatch(r"(\d+) of (\d+) publications of the cluster closed or fell silent "
                               r"within .+", line["why"])
            self.assertIsNotNone(why, line)
            self.assertGreater(int(why[1]), CLUSTER_COUNT)
            self.assertGreater(int(why[1]) * 100, int(why[2]) * 30)
        table = run("brake", "-s", self.cluster["meta-1"].http).stdout
        self.assertRegex(table, r"cluster +cluster +data-\d .*of the cluster closed or fell silent")
        held = self.held()
        self.assertIn(f"{held} publications are gone",
                      self.decide("confirm", "cluster", at=self.cluster["data-1"]))
        for watch in self.watches:
            watch.wait(STAY, "when an operator has confirmed")
            self.assertFalse(watch.fell)
        self.wait_suspects({}, "when an operator has confirmed")
        self.no_brake("when an operator has confirmed")
        self.second.go_on()
        for watch in self.watches:
            watch.wait(STAY + SECOND, "when they were alive after all")

    def test_an_operator_releases_and_they_are_heard_again(self):
        self.hold()
        held = self.held()
        self.assertIn(f"{held} publications have their time anew",
                      self.decide("release", "cluster", at=self.two))
        eventually(lambda: not any(line["braking"] for line in self.brakes(self.one)),
                   "the brake is off, and they stay", 10, lambda: self.brakes(self.one))
        self.assertEqual(self.held(), held)
        for watch in self.watches:
            self.assertEqual((watch.least, watch.count), (self.left, self.left))
        self.second.go_on()
        # Who was killed and is held stays so until its time is over.
        killed = self.left - SECOND - STAY
        eventually(lambda: self.held() == killed, "they are heard again", 60, self.suspects)
        for watch in self.watches:
            self.assertEqual((watch.least, watch.count), (self.left, self.left))
            self.assertFalse(watch.fell)


if __name__ == "__main__":
    unittest.main()
