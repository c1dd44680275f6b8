"""An instance that comes and goes too often: told at most so often, listed as flapping, shown once
it stays."""

import json
import unittest

from harness import Server, eventually, run

FLIPS = 3
PATH = "/api/v1/services/DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders/instances"


class Flapping(unittest.TestCase):
    def start(self, *settings):
        server = Server(*settings)
        server.__enter__()
        self.addCleanup(server.__exit__)
        self.server = server
        self.come("steady", 8001)

    def come(self, name, port):
        status, body = self.server.request("PUT", f"{PATH}/{name}",
                                           {"ip": "127.0.0.1", "port": port, "ttl_seconds": 120})
        self.assertIn(status, (200, 201), body)

    def flap(self, times, name="flapper", port=8002):
        for _ in range(times):
            status, body = self.server.request("DELETE", f"{PATH}/{name}")
            self.assertLess(status, 300, body)
            self.come(name, port)

    def ports(self):
        status, body = self.server.get(PATH)
        self.assertEqual(status, 200, body)
        return sorted(one["port"] for one in json.loads(body)["instances"])

    def flapping(self):
        return json.loads(self.server.get("/api/v1/flapping")[1])

    def damped(self):
        return self.server.metric("muster_session_damped_publications")

    def test_is_listed_as_such_and_shown_once_it_stays(self):
        self.start(f"session.flap_damping.flips={FLIPS}", "session.flap_damping.window=10m",
                   "session.flap_damping.hold=15s")
        self.come("flapper", 8002)
        self.flap(FLIPS)
        self.assertEqual(self.ports(), [8001, 8002])
        self.assertEqual(self.flapping(), {"flapping": [], "damped": 0})
        before = json.loads(self.server.get(PATH)[1])["version"]
        self.flap(1)
        self.assertEqual(self.ports(), [8001])
        self.flap(20)
        self.assertEqual(self.ports(), [8001])

        told = self.flapping()
        self.assertEqual(told["damped"], 1)
        one, = told["flapping"]
        self.assertEqual((one["service"], one["instance"], one["id"], one["flips"]),
                         ("DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders", "127.0.0.1:8002", "flapper",
                          FLIPS + 21))
        ended = run("flapping", "--server", self.server.http)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stdout, r"orders +127\.0\.0\.1:8002 ")
        status = json.loads(self.server.get("/api/v1/status")[1])
        self.assertEqual((status["damped"], status["publications"]), (1, 2))
        self.assertEqual(self.damped(), 1)
        self.assertEqual(self.server.metric("muster_session_flips_total"), FLIPS + 21)
        self.assertEqual(self.server.metric("muster_session_damped_total"), 21)

        eventually(lambda: self.ports() == [8001, 8002], "it is shown once it stays", patience=60)
        self.assertEqual(self.damped(), 0)
        self.assertEqual(self.server.metric("muster_session_damped_shown_total"), 1)
        self.assertGreater(int(json.loads(self.server.get(PATH)[1])["version"]), int(before))
        ended = run("flapping", "--server", self.server.http)
        self.assertEqual(ended.stdout.count("\n"), 1, "the head of the table alone")

    def test_restarts_are_none(self):
        """By the defaults."""
        self.start()
        self.come("flapper", 8002)
        for _ in range(10):
            self.flap(1)
            self.assertEqual(self.ports(), [8001, 8002])
        self.assertEqual(self.damped(), 0)

    def test_can_be_turned_off(self):
        self.start("session.flap_damping.flips=0")
        self.come("flapper", 8002)
        self.flap(30)
        self.assertEqual(self.ports(), [8001, 8002])
        self.assertEqual(self.server.metric("muster_session_flips_total"), 0)


if __name__ == "__main__":
    unittest.main()
