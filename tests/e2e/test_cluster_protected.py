"""Below a protected number of data servers no copies are made elsewhere, until an operator forces
it."""

import json
import time
import unittest

from cluster import Cluster
from harness import eventually, run

PATIENCE = 60.0
REPLACED_AFTER = 12.0  # copies of a node that is dead for 10 s go elsewhere when nothing holds them


class Protected(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(
            Cluster(1, 4, 1, settings=("copies=2", "meta.protected_data_nodes=4")))
        eventually(self.at_rest, "every slot has two copies", PATIENCE)

    def shown(self):
        ended = run("slots", "-o", "json", "-s", self.cluster["session-1"].http)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return json.loads(ended.stdout)

    def at_rest(self):
        shown = self.shown()
        return shown["moving"] == 0 and {len(slot["followers"]) for slot in shown["slots"]} == {1}

    def of_the_dead(self):
        return [slot["slot"] for slot in self.shown()["slots"]
                if "data-4" in (slot["leader"], *slot["followers"])]

    def test_copies_stay_where_they_are_until_they_are_forced(self):
        self.cluster["data-4"].kill()
        eventually(lambda: self.shown()["held_because"], "the metas protect what is left", PATIENCE)
        self.assertEqual(self.shown()["held_because"],
                         "3 data nodes live, and 4 are protected: copies stay where they are until "
                         "so many live or placement is forced")
        eventually(lambda: "data-4" not in {slot["leader"] for slot in self.shown()["slots"]},
                   "followers lead what it led", PATIENCE)
        end = time.monotonic() + REPLACED_AFTER
        while time.monotonic() < end:
            self.assertTrue(self.of_the_dead())
            time.sleep(0.5)

        ended = run("slots", "force", "-s", self.cluster["session-1"].http)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        eventually(lambda: not self.of_the_dead() and self.at_rest(),
                   "its copies are made elsewhere", PATIENCE)
        shown = self.shown()
        self.assertEqual((shown["placement"], shown["held_because"]), ("forced", ""))

        self.cluster["data-4"].start()
        eventually(lambda: self.shown()["placement"] == "automatic", "the force ends", PATIENCE)


if __name__ == "__main__":
    unittest.main()
