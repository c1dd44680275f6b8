"""Many clients end at once, in a cluster of processes: what goes beyond the brake's limits stays
listed, is shown with where and why, and ends as its clients, an operator or its patience say.

Limits are the defaults: of the clients of one session 20 and 10 %, of the publications of one
service 10 and 50 %."""

import threading
import time
import unittest

from brake_case import BrakeCase
from harness import eventually, run

WINDOW = "brake.window=5s"
SESSION_LIMIT = 20


class Brake(BrakeCase):
    def begin(self, *settings):
        super().begin(WINDOW, *settings)

    def test_clients_of_a_killed_balancer_come_back_and_are_held_until_then(self):
        self.begin()
        self.crowd("orders", 21000, (60, self.one.front))
        self.crowd("orders", 22000, (40, self.one.bolt))
        watch = self.watch("orders", self.two)
        watch.wait(100, "at first")
        watch.reset()
        self.balancer.kill()
        self.wait_suspects({"session-1": 60 - SESSION_LIMIT}, "after the balancer was killed")
        line = self.only_brake("while it is away", scope="session", name="session-1",
                               node="session-1", braking=True, held=60 - SESSION_LIMIT)
        self.assertIn("21 of 100 clients closed or fell silent within 5 s", line["why"])
        self.assertGreater(line["goes_in_ms"], 0)
        shown = run("brake", "-s", self.cluster["meta-1"].http).stdout
        self.assertRegex(shown, r"session +session-1 +session-1 +40 +true .*21 of 100 clients")
        self.assertEqual(self.one.metric("muster_session_braking"), 1)
        self.assertEqual(self.two.metric("muster_session_braking"), 0)
        watch.wait(100 - SESSION_LIMIT, "while it is away")
        self.balancer.start()
        watch.wait(100, "when they are back")
        self.wait_suspects({}, "when they are back")
        self.assertEqual(watch.least, 100 - SESSION_LIMIT)
        self.assertFalse(watch.fell)
        self.no_brake("when they are back")

    def test_an_operator_confirms_that_they_are_gone(self):
        self.begin()
        crowd = self.crowd("orders", 21000, (60, self.one.bolt))
        self.crowd("orders", 22000, (40, self.one.bolt))
        watch = self.watch("orders", self.two)
        watch.wait(100, "at first")
        crowd.kill()
        self.wait_suspects({"session-1": 40}, "after the crowd was killed")
        before = self.only_brake("held", scope="session", held=40)["goes_in_ms"]
        time.sleep(1)
        at = self.cluster["data-1"]
        self.assertIn("40 publications have their time anew",
                      self.decide("release", "session", "session-1", at=at))
        after = self.only_brake("released", scope="session", held=40, braking=False)["goes_in_ms"]
        self.assertGreater(after, before - 1000)
        watch.wait(80, "as long as nobody confirms")
        self.assertIn("40 publications are gone",
                      self.decide("confirm", "session", "session-1", "--by", "ana@ops1",
                                  at=self.two))
        watch.wait(40, "when an operator has confirmed")
        self.wait_decided("orders", 40, "the brake held it, and ana@ops1 said at session-2 it is "
                          "gone")
        self.wait_suspects({}, "when an operator has confirmed")
        self.no_brake("when an operator has confirmed")

    def test_they_go_by_themselves_when_their_patience_is_over(self):
        self.begin("brake.patience=4s")
        crowd = self.crowd("orders", 21000, (60, self.one.bolt))
        self.crowd("orders", 22000, (40, self.one.bolt))
        watch = self.watch("orders", self.two)
        watch.wait(100, "at first")
        crowd.kill()
        self.wait_suspects({"session-1": 40}, "after the crowd was killed")
        self.assertLessEqual(self.brakes(self.one)[0]["goes_in_ms"], 4000)
        watch.wait(40, "when their patience is over")
        self.wait_suspects({}, "when their patience is over")
        self.no_brake("when their patience is over")

    def test_nine_in_ten_that_leave_politely_are_not_held(self):
        self.begin()
        crowd = self.crowd("orders", 21000, (90, self.one.bolt))
        self.crowd("orders", 22000, (10, self.one.bolt))
        watch = self.watch("orders", self.two)
        watch.wait(100, "at first")
        self.assertEqual(crowd.leave(), 0)
        watch.wait(10, "when the others have left")
        self.assertEqual(self.suspects(), {})
        self.assertEqual(self.brakes(self.two), [])
        self.assertEqual(self.one.metric("muster_session_suspected_publications_total"), 0)
        for node in self.cluster.of("data"):
            self.assertEqual(node.metric("muster_data_suspected_total"), 0)

    def test_a_service_that_loses_most_at_many_sessions_is_held_by_its_data_server(self):
        self.begin()
        # Of no session more than it believes, of the service 18 of 24.
        crowd = self.crowd("pay", 23000, (9, self.one.front), (9, self.two.front))
        self.crowd("pay", 24000, (6, self.one.bolt))
        watch = self.watch("pay", self.two)
        watch.wait(24, "at first")
        watch.reset()
        self.balancer.kill()
        watch.wait(12, "when half of them are gone")
        eventually(lambda: sum(self.suspects().values()) == 6, "6 are held", 30, self.suspects)
        [(holder, _)] = self.suspects().items()
        self.assertIn(holder, ("data-1", "data-2"))
        line = self.only_brake("at its leader", scope="service", node=holder, braking=True, held=6)
        self.assertIn("pay", line["name"])
        self.assertIn("13 of 24 publications closed or fell silent within 5 s", line["why"])
        self.assertEqual(self.cluster[holder].metric("muster_data_services_braking"), 1)
        self.balancer.start()
        watch.wait(24, "when they are back")
        self.wait_suspects({}, "when they are back")
        self.assertEqual(watch.least, 12)
        self.no_brake("when they are back")
        # Again, and this time for good.
        crowd.kill()
        self.wait_suspects({holder: 6}, "after the crowd was killed")
        watch.wait(12, "as long as nobody confirms")
        self.assertIn("6 publications are gone",
                      self.decide("confirm", "service", "pay", "--by", "ana@ops1", at=self.one))
        self.wait_decided("pay", 6, "the brake held it, and ana@ops1 said at session-1 it is gone")
        watch.wait(6, "when an operator has confirmed")
        self.assertFalse(watch.fell)
        self.no_brake("when an operator has confirmed")

    def test_leases_that_run_out_together_are_held(self):
        self.begin()
        path = "/api/v1/services/t/g/lease/instances"
        alive = set(range(60))

        def put(number):
            status, text = self.one.request(
                "PUT", f"{path}/i{number}",
                {"ip": "127.0.0.1", "port": 25000 + number, "ttl_seconds": 5})
            self.assertIn(status, (200, 201), text)

        for number in alive:
            put(number)
        over = threading.Event()

        def renew():
            while not over.wait(0.5):
                for number in list(alive):
                    put(number)

        thread = threading.Thread(target=renew)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(over.set)
        watch = self.watch("t/g/lease", self.two)
        watch.wait(60, "at first")
        watch.reset()
        alive -= set(range(50))
        self.wait_suspects({"session-1": 50 - SESSION_LIMIT}, "when 50 leases ran out")
        line = self.only_brake("for leases", scope="session", name="session-1", held=30)
        self.assertIn("21 of 60 clients", line["why"])
        watch.wait(60 - SESSION_LIMIT, "when 50 leases ran out")
        alive |= set(range(50))
        watch.wait(60, "when they are renewed")
        self.wait_suspects({}, "when they are renewed")
        self.assertEqual(watch.least, 60 - SESSION_LIMIT)


if __name__ == "__main__":
    unittest.main()
