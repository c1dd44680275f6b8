"""`muster drain` and `muster restore`: 30 providers are restarted one by one, by kill -9, under
load and without a lost call; a subscriber that does not read is named; what was answered outlives
the leader."""

import http.client
import json
import signal
import threading
import unittest

from cluster import Cluster
from harness import eventually, free_port, run, stand_still
from provider import Provider
from sdk_list import Caller
from test_native_client import Process

DRAINED, REFUSED, WRONG_USAGE, UNCONFIRMED = 0, 1, 2, 3
SDK_OK, SDK_INVALID_ARGUMENT, SDK_NOT_FOUND, SDK_TIMEOUT = 0, 1, 2, 5


def drain(node, service, address, *more):
    """Exit status and answer."""
    ended = run("drain", service, address, "-o", "json", "-s", node.http, *more, timeout=90)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


class Load:
    """Callers of one service that pick from their lists, as fast as they can."""

    def __init__(self, callers, threads):
        self.failures = []
        self.answers = {}  # id of a provider -> calls
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(callers[i % len(callers)],))
                        for i in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _run(self, caller):
        while not self.over.is_set():
            with caller.picked() as (ip, port):
                try:
                    connection = http.client.HTTPConnection(ip, port, timeout=30)
                    connection.request("GET", "/")
                    said = connection.getresponse().read().decode()
                    connection.close()
                except (OSError, http.client.HTTPException) as failure:
                    self.failures.append(f"{ip}:{port}: {failure!r}")
                    continue
            with self.lock:
                self.answers[said] = self.answers.get(said, 0) + 1

    def was_answered_by(self, name):
        with self.lock:
            return name in self.answers


class Drain(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1, 2, 2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()
        cls.one, cls.two = cls.cluster["session-1"], cls.cluster["session-2"]

    def provider(self, service, port, name):
        made = Provider(self.one.http, service, port, name)
        self.addCleanup(made.kill)
        return made

    def test_thirty_providers_are_restarted_one_by_one_without_a_lost_call(self):
        providers = [self.provider("shop", free_port(), f"{number}-first") for number in range(30)]
        for one in providers:
            one.wait_registered()
        with Caller("shop", self.one.bolt) as first, Caller("shop", self.two.bolt) as second:
            for caller in (first, second):
                caller.wait_for(lambda addresses: len(addresses) == 30)
            with Load((first, second), 4) as load:
                for number, old in enumerate(providers):
                    status, answer = drain(self.one if number % 2 else self.two, "shop",
                                           f"127.0.0.1:{old.port}")
                    self.assertEqual((status, answer["drained"]), (DRAINED, True), answer)
                    self.assertEqual((answer["subscribers"], answer["others"]), (2, 29))
                    old.kill()
                    new = self.provider("shop", old.port, f"{number}-second")
                    new.wait_registered()
                    eventually(lambda: load.was_answered_by(f"{number}-second"),
                               f"provider {number} is called again", 60)
                    self.assertEqual(load.failures, [])
            self.assertEqual(load.failures, [])
            self.assertGreater(sum(load.answers.values()), 60)

    def test_who_does_not_read_is_named_until_it_does(self):
        there = self.provider("named", free_port(), "a")
        there.wait_registered()
        address = f"127.0.0.1:{there.port}"
        with Process("watch", "named", "-s", self.one.bolt) as reads, \
                Process("watch", "named", "-s", self.two.bolt) as still:
            for watcher in (reads, still):
                while address not in watcher.line():
                    pass
            stand_still(still.process)
            try:
                status, answer = drain(self.one, "named", address, "--timeout", "1s")
                table = run("drain", "named", address, "--timeout", "0", "-s", self.two.http)
            finally:
                still.process.send_signal(signal.SIGCONT)
            self.assertEqual((status, answer["drained"]), (UNCONFIRMED, False))
            self.assertEqual((answer["subscribers"], answer["unconfirmed"]), (2, 1))
            self.assertEqual(answer["error"]["code"], "timeout")
            (late,) = answer["lists"]
            self.assertEqual((late["session"], late["door"]), ("session-2", "native"))
            self.assertGreaterEqual(answer["waited_ms"], 1000)
            self.assertEqual(table.returncode, UNCONFIRMED)
            self.assertIn(f"1 of 2 subscribers have not acknowledged a list without {address}",
                          table.stdout)
            self.assertIn(late["client_address"], table.stdout)
            self.assertIn("note: it was drained already", table.stderr)
            self.assertIn("note: no instance of the service is left", table.stderr)
            status, answer = drain(self.two, "named", address)
            self.assertEqual((status, answer["changed"]), (DRAINED, 0), answer)

    def test_restored_it_is_back_with_a_weight_that_grows(self):
        there = self.provider("back", free_port(), "b")
        there.wait_registered()
        address = f"127.0.0.1:{there.port}"
        with Caller("back", self.two.bolt) as caller:
            caller.wait_for(lambda addresses: len(addresses) == 1)
            self.assertEqual(drain(self.one, "back", address)[0], DRAINED)
            caller.wait_for(lambda addresses: not addresses, 0.001)
            gone = json.loads(self.one.get("/api/v1/propagation?service=back")[1])
            self.assertEqual((gone["instances"], gone["drained"]), (0, 1))
            ended = run("restore", "back", address, "--ramp", "20s", "-s", self.one.http)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertIn("is in the lists again; its weight grows for 20000 ms", ended.stdout)
            caller.wait_for(lambda addresses: len(addresses) == 1)
            since, length = caller.ramps[("127.0.0.1", there.port)]
            self.assertEqual(length, 20000)
            (instance,) = json.loads(
                self.one.get("/api/v1/instances?service=back")[1])["instances"]
            self.assertEqual(instance["ramp"], {"since_ms": since, "length_ms": 20000})
            self.assertEqual(instance["weight"], 100)
        again = run("restore", "back", address, "-s", self.one.http)
        self.assertEqual(again.returncode, REFUSED)
        self.assertIn("is not drained, so there is nothing to restore", again.stderr)

    def test_what_is_answered_outlives_a_leader_that_is_killed_at_that_moment(self):
        there = self.provider("kept", free_port(), "d")
        there.wait_registered()
        address = f"127.0.0.1:{there.port}"

        def told():
            return json.loads(self.one.get("/api/v1/propagation?service=kept")[1])

        leader = told()["leader"]
        with Caller("kept", self.two.bolt) as caller:
            caller.wait_for(lambda addresses: len(addresses) == 1)
            status, answer = drain(self.one, "kept", address)
            self.cluster[leader].kill()
            self.assertEqual((status, answer["copies"], answer["lacking"]), (DRAINED, 2, []))
            eventually(lambda: told()["leader"] not in ("", leader), "another one leads", 30)
            self.assertEqual(told()["drained"], 1)
            eventually(lambda: told()["settled"], "the sessions have supplied it", 30)
            self.assertEqual((told()["drained"], caller.addresses), (1, []))
            ended = run("restore", "kept", address, "--ramp", "0", "-s", self.two.http)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            caller.wait_for(lambda addresses: len(addresses) == 1)
        self.cluster[leader].start()
        self.cluster.wait_ready()
        self.cluster.wait_placed()

    def test_a_program_drains_by_the_sdk(self):
        there = self.provider("coded", free_port(), "e")
        there.wait_registered()
        address = f"127.0.0.1:{there.port}"
        with Caller("coded", self.one.bolt) as caller, \
                Process("watch", "coded", "-s", self.two.bolt) as still:
            caller.wait_for(lambda addresses: len(addresses) == 1)
            while address not in still.line():
                pass
            stand_still(still.process)
            try:
                status, report, why = caller.drain("coded", address, 1000)
                look = caller.drain("coded", address, 0)  # waits for nobody
            finally:
                still.process.send_signal(signal.SIGCONT)
            self.assertEqual(status, SDK_TIMEOUT, why)
            self.assertEqual((report.instances, report.changed, report.confirmed), (1, 1, 0))
            self.assertEqual((report.subscribers, report.behind), (2, 1))
            self.assertIn(f"1 of 2 subscribers have not acknowledged a list without {address}: ",
                          why)
            self.assertIn(" at session-2", why)
            self.assertEqual((look[0], look[1].instances, look[1].behind), (SDK_TIMEOUT, 1, 1))
            status, report, why = caller.drain("coded", address, 20000)
            self.assertEqual((status, report.confirmed, report.changed), (SDK_OK, 1, 0), why)
            self.assertEqual(caller.addresses, [])
            status, report, why = caller.restore("coded", address, 20000)
            self.assertEqual((status, report.changed), (SDK_OK, 1), why)
            ended = run("history", "coded", address, "-o", "json", "-s", self.one.http)
            records = json.loads(ended.stdout)["records"]
            self.assertEqual([(record["what"], record.get("asked_by")) for record in records],
                             [("restored", "caller"), ("drained", "caller"), ("registered", None)])
            caller.wait_for(lambda addresses: len(addresses) == 1)
            self.assertEqual(caller.ramps[("127.0.0.1", there.port)][1], 20000)
            status, _, why = caller.restore("coded", address, 0)
            self.assertEqual(status, SDK_NOT_FOUND)
            self.assertIn("is not drained", why)
            status, _, why = caller.drain("coded", "nowhere", 1000)
            self.assertEqual(status, SDK_INVALID_ARGUMENT)
            self.assertIn("expected ip:port", why)

    def test_a_drain_by_the_sdk_goes_on_at_another_session(self):
        there = self.provider("moved", free_port(), "f")
        there.wait_registered()
        address = f"127.0.0.1:{there.port}"
        servers = f"{self.one.bolt},{self.two.bolt}"
        with Caller("moved", servers) as caller, \
                Process("watch", "moved", "-s", self.two.bolt) as still:
            caller.wait_for(lambda addresses: len(addresses) == 1)
            while address not in still.line():
                pass
            stand_still(still.process)
            answers = []
            asking = threading.Thread(
                target=lambda: answers.append(caller.drain("moved", address, 60000)))
            asking.start()
            try:
                caller.wait_for(lambda addresses: not addresses)
                self.one.kill()  # who asked may be served by it; it is asked of the other one then
                self.one.start()
                self.cluster.wait_ready()
            finally:
                still.process.send_signal(signal.SIGCONT)
            asking.join(90)
            ((status, report, why),) = answers
            self.assertEqual((status, report.confirmed), (SDK_OK, 1), why)

    def test_what_is_wrong_is_said(self):
        there = self.provider("wrong", free_port(), "c")
        there.wait_registered()
        address = f"127.0.0.1:{there.port}"
        for arguments, status, said in (
                (("unknown", address), REFUSED, "nobody publishes DEFAULT_INSTANCE_ID"),
                (("wrong", "127.0.0.1:1"), REFUSED, "is at 127.0.0.1:1"),
                (("wrong", "nowhere"), WRONG_USAGE, "address: expected ip:port"),
                (("wrong", address, "--timeout", "11m"), WRONG_USAGE, "at most 600s"),
                (("wrong", address, "--timeout", "soon"), WRONG_USAGE, "timeout is a time")):
            ended = run("drain", *arguments, "-s", self.one.http)
            self.assertEqual(ended.returncode, status, ended)
            self.assertIn(said, ended.stderr)
        long = run("restore", "wrong", address, "--ramp", "61m", "-s", self.one.http)
        self.assertEqual(long.returncode, WRONG_USAGE)
        self.assertIn("ramp is a time", long.stderr)
        nobody = run("drain", "wrong", address, "-s", f"127.0.0.1:{free_port()}")
        self.assertEqual((nobody.returncode, nobody.stdout), (REFUSED, ""))


if __name__ == "__main__":
    unittest.main()
