"""How often publications may change, and how often clients may subscribe and ask: who does it more
often is told so, and loses nothing."""

import json
import socket
import time
import unittest
import urllib.error
import urllib.request

from harness import Server, eventually, golden, read_frame

BURST = 5
SERVICE = "/api/v1/services/{}/DEFAULT_GROUP/orders/instances"
REFUSED = "muster_session_changes_refused_total"


class Limits(unittest.TestCase):
    def start(self, whose):
        server = Server(f"session.{whose}_changes.per_second=1",
                        f"session.{whose}_changes.burst={BURST}")
        server.__enter__()
        self.addCleanup(server.__exit__)
        self.server = server

    def put(self, number, name="p1", tenant="DEFAULT_INSTANCE_ID", ttl=15):
        return self.server.request("PUT", f"{SERVICE.format(tenant)}/{name}",
                                   {"boxes": [f"bolt://10.0.0.1:12200?v={number}"],
                                    "ttl_seconds": ttl})

    def boxes(self, tenant="DEFAULT_INSTANCE_ID"):
        status, body = self.server.get(SERVICE.format(tenant))
        self.assertEqual(status, 200, body)
        return sorted(box for one in json.loads(body)["instances"] for box in one["boxes"])

    def change_until_refused(self, **where):
        """The last state that was taken, and the answer to the next."""
        status, body = self.put(0, **where)
        self.assertEqual(status, 201, body)
        for number in range(1, 10 * BURST):
            status, body = self.put(number, **where)
            if status != 200:
                self.assertGreater(number, BURST)
                return number - 1, status, json.loads(body)["error"]
        self.fail("nothing was refused")

    def test_client_that_changes_too_often(self):
        self.start("client")
        taken, status, error = self.change_until_refused()
        self.assertEqual((status, error["code"], error["retryable"]), (429, "over_limit", True))
        self.assertRegex(error["message"], r"can be taken in \d+ ms")
        self.assertEqual(self.boxes(), [f"bolt://10.0.0.1:12200?v={taken}"], "it stays as it was")
        self.assertGreaterEqual(self.server.metric(REFUSED, limit="client"), 1)
        self.assertEqual(self.server.metric(REFUSED, limit="tenant"), 0)

        other = self.server.connect()
        other.sendall(golden("v663-pub-register-basic"))
        self.assertEqual(read_frame(other)[3], 0, "another client is served")
        other.close()

        status, body = self.server.request("DELETE", SERVICE.format("DEFAULT_INSTANCE_ID") + "/p1")
        self.assertLess(status, 300, f"leaving is not refused: {body}")
        self.assertEqual(self.boxes(), [])

    def test_says_when_to_try_again(self):
        self.start("client")
        self.change_until_refused()
        request = urllib.request.Request(
            f"http://{self.server.http}/api/v1/instances/p1?service=orders", method="PUT",
            data=json.dumps({"boxes": ["bolt://10.0.0.1:12200?v=x"]}).encode())
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        self.assertEqual(refused.exception.headers["Retry-After"], "1")

    def test_refused_change_keeps_the_lease(self):
        """Others of its tenant use up all changes: it is refused, but there."""
        self.start("tenant")
        path = SERVICE.format("loud")
        self.assertEqual(self.put(0, name="quiet", tenant="loud", ttl=3)[0], 201)
        end = time.monotonic() + 6
        number = refused = 0
        while time.monotonic() < end:
            number += 1
            self.server.request("DELETE", f"{path}/loud{number}")
            if number > BURST:
                refused += self.put(number, "quiet", "loud", 3)[0] == 429
            self.assertIn('"id":"quiet"', self.server.get(path)[1])
        self.assertGreater(refused, 0)

    def test_tenant_that_changes_too_often(self):
        self.start("tenant")
        _, status, error = self.change_until_refused(tenant="loud")
        self.assertEqual((status, error["code"]), (429, "over_limit"))
        self.assertIn("tenant 'loud'", error["message"])
        status, body = self.put(0, name="p2", tenant="loud")
        self.assertEqual(status, 201, f"who comes is taken: {body}")
        self.assertEqual(len(self.boxes(tenant="loud")), 2)
        status, body = self.put(0, tenant="calm")
        self.assertEqual(status, 201, body)
        status, body = self.put(1, tenant="calm")
        self.assertEqual(status, 200, body)
        self.assertGreaterEqual(self.server.metric(REFUSED, limit="tenant"), 1)


class AskLimits(unittest.TestCase):
    """A server on which 5 are taken at once, and one a second."""

    def start(self, limit):
        server = Server(f"session.{limit}.per_second=1", f"session.{limit}.burst={BURST}")
        server.__enter__()
        self.addCleanup(server.__exit__)
        self.server = server

    def ask_until_refused(self, path):
        """The answer that was no success, and its Retry-After."""
        for number in range(10 * BURST):
            try:
                urllib.request.urlopen(f"http://{self.server.http}{path}", timeout=10).close()
            except urllib.error.HTTPError as refused:
                self.assertGreaterEqual(number, BURST)
                error = json.loads(refused.read())["error"]
                return refused.code, error, refused.headers["Retry-After"]
        self.fail("nothing was refused")

    def register(self, tenant="DEFAULT_INSTANCE_ID"):
        path = SERVICE.format(tenant)
        status, body = self.server.request("PUT", path + "/p1", {"boxes": ["b"]})
        self.assertIn(status, (200, 201), body)
        return path

    def test_queries_of_a_client(self):
        self.start("client_queries")
        path = self.register()
        status, error, wait = self.ask_until_refused(path)
        self.assertEqual((status, error["code"], error["retryable"]), (429, "over_limit", True))
        self.assertIn("session.client_queries", error["message"])
        self.assertEqual(wait, "1")
        self.assertGreaterEqual(
            self.server.metric("muster_session_queries_refused_total", limit="client"), 1)
        self.assertEqual(self.server.get("/api/v1/status")[0], 200)
        self.register()
        self.assertEqual(self.server.request("DELETE", path + "/p1")[0], 200)

    def test_queries_of_a_tenant(self):
        self.start("tenant_queries")
        status, error, _ = self.ask_until_refused(self.register("loud"))
        self.assertEqual((status, error["code"]), (429, "over_limit"))
        self.assertIn("tenant 'loud'", error["message"])
        self.assertEqual(self.server.get(self.register("calm"))[0], 200)
        self.assertEqual(self.server.get("/api/v1/services")[0], 200, "of no tenant")
        self.assertGreaterEqual(
            self.server.metric("muster_session_queries_refused_total", limit="tenant"), 1)

    def test_subscriptions_over_http(self):
        self.start("client_subscribes")
        path = self.register()
        watch = path.replace("/instances", "/watch")
        status, error, wait = self.ask_until_refused(watch)
        self.assertEqual((status, error["code"], wait), (429, "over_limit", "1"))
        self.assertIn("session.client_subscribes", error["message"])
        for _ in range(2 * BURST):
            self.assertEqual(self.server.get(path)[0], 200, "a query is no subscription")
        self.assertGreaterEqual(
            self.server.metric("muster_session_subscribes_refused_total", limit="client"), 1)

    def subscribe(self, connection, scope):
        """What a Java client is answered, RegisterResponse by its text."""
        connection.sendall(golden(f"v663-sub-register-{scope}"))
        while True:
            frame = read_frame(connection)
            if b"RegisterResponse" in frame[4].encode():
                return frame[5]

    def test_subscriptions_of_a_java_client(self):
        self.start("client_subscribes")
        connection = self.server.connect()
        self.addCleanup(connection.close)
        answers = [self.subscribe(connection, "zone") for _ in range(10 * BURST)]
        self.assertTrue(all(b"success!" in answer for answer in answers), "the same costs nothing")
        answers = [self.subscribe(connection, scope) for _ in range(5 * BURST)
                   for scope in ("global", "dataCenter")]
        self.assertTrue(any(b"more often than it may" in answer for answer in answers))
        path = "/api/v1/services/DEFAULT_INSTANCE_ID/SOFA/com.alipay.test.Svc:1.0@DEFAULT"
        status, body = self.server.get(path + "/subscribers")
        self.assertEqual((status, body.count('"id":')), (200, 1), "what was taken stays")
        other = self.server.connect()
        self.addCleanup(other.close)
        self.assertIn(b"success!", self.subscribe(other, "zone"), "another client is served")


class Saturated(unittest.TestCase):
    """A server that carries out one request as it comes in a turn, and of those that wait one of
    each class."""

    def setUp(self):
        self.server = Server("session.requests_at_once=1", "session.queries_waiting_max=1")
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)

    def test_requests_of_one_connection_are_answered_in_order(self):
        connection = self.server.connect()
        self.addCleanup(connection.close)
        names = ["v663-pub-register-basic", "v663-sub-register-zone", "v663-sub-register-global",
                 "v663-sub-unregister", "v663-pub-unregister"]
        connection.sendall(b"".join(golden(name) for name in names * 20))
        answers = []
        while len(answers) < 100:
            frame = read_frame(connection)
            if "RegisterResponse" in frame[4]:
                answers.append(b"Publisher" in frame[5])
        self.assertEqual(sum(answers), 40, "all are answered")
        eventually(lambda: self.server.metric("muster_session_subscriptions") == 0 and
                   self.server.metric("muster_session_publications") == 0,
                   "what was taken back is gone")
        for kind in ("register", "subscribe"):
            waited = self.server.metric("muster_session_requests_waited_total", **{"class": kind})
            self.assertGreater(waited, 0, kind)
            self.assertEqual(self.server.metric("muster_session_requests_waiting",
                                                **{"class": kind}), 0)

    def test_queries_beyond_those_that_may_wait_are_told_to_come_again(self):
        path = SERVICE.format("DEFAULT_INSTANCE_ID")
        self.assertEqual(self.server.request("PUT", path + "/p1", {"boxes": ["b"]})[0], 201)
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        busy = 0
        for _ in range(50):
            connections = [socket.create_connection(("127.0.0.1", self.server.http_port))
                           for _ in range(40)]
            for connection in connections:
                connection.sendall(request)
            for connection in connections:
                with connection, connection.makefile("rb") as file:
                    answer = file.read().decode()
                if "HTTP/1.1 503" in answer:
                    self.assertIn("Retry-After: 1", answer)
                    self.assertIn('"code":"busy"', answer)
                    busy += 1
                else:
                    self.assertIn("HTTP/1.1 200", answer)
            if busy > 0:
                break
        self.assertGreater(busy, 0)
        refused = self.server.metric("muster_session_requests_refused_total", **{"class": "query"})
        self.assertEqual(refused, busy)
        self.assertEqual(self.server.get(path)[0], 200)


if __name__ == "__main__":
    unittest.main()
