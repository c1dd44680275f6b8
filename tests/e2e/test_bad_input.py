"""What bad input gets at the bolt port: a defined answer, a counter, and nobody else notices."""

import json
import socket
import threading
import unittest

from harness import Server, closed_by_server, eventually, golden, read_frame

BASIC = "v663-pub-register-basic"
SERVICE = "/api/v1/services/DEFAULT_INSTANCE_ID/SOFA/com.alipay.test.Svc%3A1.0%40DEFAULT/instances"


def request_frame(class_name, content, request=7):
    name = class_name.encode()
    return (bytes((1, 1, 0, 1, 1)) + request.to_bytes(4, "big") + bytes((1,)) +
            (1000).to_bytes(4, "big") + len(name).to_bytes(2, "big") + bytes(2) +
            len(content).to_bytes(4, "big") + name + content)


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("bolt.connections_max=1500", "bolt.connections_per_ip_max=1200",
                            "bolt.frame_max=1MiB")
        cls.server.__enter__()
        cls.witness = cls.server.connect()
        cls.witness.sendall(golden(BASIC))
        assert read_frame(cls.witness)[3] == 0

    @classmethod
    def tearDownClass(cls):
        cls.witness.close()
        cls.server.__exit__()

    def tearDown(self):
        """Whatever was sent, a well-behaved client is still served; its publication is there."""
        self.witness.sendall(golden(BASIC))
        frame = read_frame(self.witness)
        self.assertEqual((frame[0], frame[3]), (0, 0))
        self.assertEqual(len(json.loads(self.server.get(SERVICE)[1])["instances"]), 1)

    def counted(self, name, before, **labels):
        eventually(lambda: self.server.metric(name, **labels) > before, f"{name} counts it", 5)

    def refused(self, reason):
        return self.server.metric("muster_bolt_refused_total", reason=reason)

    def test_garbage_is_closed_and_counted(self):
        before = self.refused("not_bolt")
        connection = self.server.connect()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(closed_by_server(connection))
        self.counted("muster_bolt_refused_total", before, reason="not_bolt")

    def test_broken_frame_is_closed_and_counted(self):
        before = self.refused("broken_frame")
        connection = self.server.connect()
        connection.sendall(bytes((1, 9)) + bytes(30))
        self.assertTrue(closed_by_server(connection))
        self.counted("muster_bolt_refused_total", before, reason="broken_frame")

    def test_too_long_frame_is_closed_before_it_is_read(self):
        before = self.refused("too_big_frame")
        connection = self.server.connect()
        frame = bytearray(golden(BASIC)[:22])
        frame[18:22] = (1 << 30).to_bytes(4, "big")
        connection.sendall(bytes(frame))
        self.assertTrue(closed_by_server(connection))
        self.counted("muster_bolt_refused_total", before, reason="too_big_frame")

    def test_cut_frame_is_waited_for_and_counted(self):
        before = self.refused("cut_frame")
        connection = self.server.connect()
        connection.sendall(golden(BASIC)[:100])
        connection.close()
        self.counted("muster_bolt_refused_total", before, reason="cut_frame")

    def test_unknown_class_gets_a_status(self):
        connection = self.server.connect()
        connection.sendall(request_frame("com.example.Nothing", b"N"))
        frame = read_frame(connection)
        self.assertEqual((frame[0], frame[2]), (0, 7))
        self.assertEqual(frame[3], 2)

    def test_hessian_bomb_gets_a_status_quickly(self):
        connection = self.server.connect()
        deep = b"V" * 100_000
        connection.sendall(
            request_frame("com.alipay.sofa.registry.core.model.PublisherRegister", deep))
        self.assertEqual(read_frame(connection)[3], 0x12)
        huge = b"Vl" + (0x7fffffff).to_bytes(4, "big") + b"z"
        connection.sendall(
            request_frame("com.alipay.sofa.registry.core.model.PublisherRegister", huge))
        self.assertNotEqual(read_frame(connection)[3], 0)

    def test_empty_data_id_is_refused(self):
        connection = self.server.connect()
        connection.sendall(golden("v663-pub-register-all-null"))
        frame = read_frame(connection)
        self.assertEqual(frame[3], 0)
        self.assertTrue(frame[4].endswith("RegisterResponse"))
        self.assertIn(b"dataId", frame[5])

    def test_a_thousand_connections_are_served_and_more_are_closed(self):
        before = self.refused("too_many_per_ip")
        connections = [self.server.connect() for _ in range(1000)]
        connections[-1].sendall(golden("v663-heartbeat-request"))
        self.assertEqual(read_frame(connections[-1])[1], 0)
        more = [self.server.connect() for _ in range(300)]
        self.counted("muster_bolt_refused_total", before, reason="too_many_per_ip")
        for connection in connections + more:
            connection.close()
        eventually(lambda: self.server.metric("muster_bolt_connections") < 10,
                   "the connections are gone")


class OverLongBox(unittest.TestCase):
    def test_is_refused_with_a_sentence(self):
        with Server("session.publication_max=1KiB") as server:
            connection = server.connect()
            connection.sendall(golden("v663-pub-register-1000-boxes"))
            frame = read_frame(connection)
            self.assertEqual(frame[3], 0)
            self.assertIn(b"at most 1024", frame[5])
            self.assertGreater(server.metric("muster_session_refused_total"), 0)


class NeverReads(unittest.TestCase):
    """A subscriber that never reads its pushes costs a bounded buffer; others are told on time."""

    def test_memory_is_bounded_and_others_are_served(self):
        with Server("net.queue_soft_max=64KiB", "net.queue_hard_max=1MiB") as server:
            path = "/api/v1/services/DEFAULT_INSTANCE_ID/SOFA/com.alipay.test.Svc%3A1.0%40DEFAULT"
            lazy = socket.socket()
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.connect(("127.0.0.1", server.bolt_port))
            lazy.sendall(golden("v663-sub-register-dataCenter"))
            keen = server.connect()
            keen.sendall(golden("v663-sub-register-dataCenter"))
            told = []
            reader = threading.Thread(target=self.read_all, args=(keen, told), daemon=True)
            reader.start()
            before = server.rss_bytes()
            for number in range(200):
                status, text = server.request(
                    "PUT", path + "/instances/big",
                    {"boxes": [f"{number}-" + "x" * 100_000], "ttl_seconds": 60})
                self.assertIn(status, (200, 201), text)
            eventually(lambda: any(b"199-x" in content for content in told),
                       "the reading subscriber has the last value")
            self.assertLess(server.rss_bytes() - before, 60 << 20)
            lazy.close()

    @staticmethod
    def read_all(connection, told):
        while True:
            frame = read_frame(connection)
            if frame is None:
                return
            if frame[0] == 1:
                told.append(frame[5])
                del told[:-3]
                answer = bytearray(golden("v663-push-ack-ok"))
                answer[5:9] = frame[2].to_bytes(4, "big", signed=True)
                connection.sendall(bytes(answer))


if __name__ == "__main__":
    unittest.main()
