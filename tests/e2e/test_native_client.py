"""`muster publish` and `muster watch`: native clients over the bolt port."""

import json
import os
import signal
import struct
import subprocess
import time
import unittest

from crowd import Crowd
from harness import MUSTER, Server, eventually, free_port, read_frame, run

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "api", "proto")
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Process:
    """A `muster` command that goes on; its output lines are kept as they come."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([MUSTER, *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def line(self):
        return self.process.stdout.readline()

    def list(self):
        return json.loads(self.line())

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait(timeout=20)


def addresses(told):
    return sorted(f'{i["ip"]}:{i["port"]}' for i in told["instances"])


class PublishAndWatch(unittest.TestCase):
    def test_a_watcher_is_told_of_coming_leaving_and_killing(self):
        with Server() as server:
            at = ("-s", f"127.0.0.1:{server.bolt_port}")
            with Process("watch", "orders", "-o", "json", *at) as watch:
                first = watch.list()
                self.assertEqual((first["instances"], first["complete"]), ([], True))
                with Process("publish", "orders", "127.0.0.1:8001", *at) as one, \
                        Process("publish", "orders", "127.0.0.1:8002", "--meta", "color=blue",
                                *at) as two:
                    self.assertIn("registered", one.line())
                    self.assertIn("registered", two.line())
                    while len((told := watch.list())["instances"]) < 2:
                        pass
                    self.assertEqual(addresses(told), ["127.0.0.1:8001", "127.0.0.1:8002"])
                    self.assertEqual(one.end(signal.SIGTERM), 0)
                    self.assertEqual(addresses(watch.list()), ["127.0.0.1:8002"])
                    two.end(signal.SIGKILL)
                    self.assertEqual(watch.list()["instances"], [])
                self.assertEqual(watch.end(signal.SIGINT), 0)

    def test_http_finds_the_servers(self):
        with Server() as server:
            ended = run("publish", "orders", "127.0.0.1:8001", "--seconds", "0.1",
                        "-s", f"http://{server.http}")
            self.assertEqual(ended.returncode, 0, ended.stderr)

    def test_count_ends_the_watch(self):
        with Server() as server:
            ended = run("watch", "orders", "--count", "1", "-s", f"127.0.0.1:{server.bolt_port}")
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertIn("0 instances", ended.stdout)

    def test_errors_are_sentences_with_their_status(self):
        self.assertEqual(run("publish", "orders", "nowhere").returncode, 2)
        self.assertEqual(run("publish", "orders").returncode, 2)
        self.assertEqual(run("watch", "orders", "--scope", "moon").returncode, 2)
        ended = run("watch", "orders", "-s", f"127.0.0.1:{free_port()}")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("127.0.0.1", ended.stderr)


class PackedPushes(unittest.TestCase):
    """A client of nobody's: protoc writes and reads the messages, zstd unpacks."""

    INSTANCES = 1000

    def setUp(self):
        self.server = self.enterContext(Server())
        self.enterContext(Crowd("orders", 10000, (1, f"127.0.0.1:{self.server.bolt_port}"),
                                each=self.INSTANCES))

    def protoc(self, what, message, given):
        return subprocess.run(
            ["protoc", f"--{what}=muster.v1.{message}", f"-I{PROTO}", "muster/v1/client.proto"],
            input=given, capture_output=True, check=True).stdout

    def first_push(self, more=b""):
        """Class name and content of what a subscriber is told first."""
        content = self.protoc("encode", "SubscribeRequest", b'''
            subscriptions { id: "s" scope: SCOPE_DATA_CENTER version: 1 timestamp_ms: 1
                            service { data_id: "orders" } }''' + more)
        name = b"muster.v1.SubscribeRequest"
        head = struct.pack(">BBHBiBiHHI", 1, 1, 1, 1, 7, 11, 3000, len(name), 0, len(content))
        with self.server.connect() as connection:
            connection.sendall(head + name + content)
            while True:
                _, _, _, _, name, content = read_frame(connection)
                if name.endswith("Push"):
                    return name, content

    def publications_in(self, push):
        return self.protoc("decode", "Push", push).decode().count("publications {")

    def test_who_says_that_it_takes_them_gets_long_ones_packed(self):
        name, plain = self.first_push()
        self.assertEqual((name, self.publications_in(plain)), ("muster.v1.Push", self.INSTANCES))
        name, content = self.first_push(b"takes_packed: true")
        self.assertEqual(name, "muster.v1.PackedPush")
        told = self.protoc("decode", "PackedPush", content).decode()
        self.assertIn('subscription_ids: "s"', told)
        frame = content[content.index(ZSTD_MAGIC):]
        # What follows the frame is the rest of the message: zstd ends there and says so.
        unpacked = subprocess.run(["zstd", "-dcq"], input=frame, capture_output=True,
                                  check=False).stdout
        self.assertEqual(self.publications_in(unpacked), self.INSTANCES)
        self.assertTrue(plain.startswith(unpacked), "the same, but for the ids behind it")
        self.assertLess(len(content), len(plain) / 4)
        print(f"{self.INSTANCES} instances: {len(plain)} bytes, {len(content)} packed")

    def test_the_sdk_takes_them(self):
        ended = run("watch", "orders", "--count", "1", "-o", "json", "-s",
                    f"127.0.0.1:{self.server.bolt_port}")
        self.assertEqual(len(json.loads(ended.stdout)["instances"]), self.INSTANCES)
        self.assertEqual(self.server.metric("muster_native_pushes_packed_total"), 1)


class KillOfTheServer(unittest.TestCase):
    """kill -9 of the server: everybody comes back, nothing false is shown, versions grow."""

    def test_views_heal_without_a_false_removal(self):
        with Server("session.return_grace=3s") as server:
            at = ("-s", f"127.0.0.1:{server.bolt_port}")
            publishers = [Process("publish", "orders", f"127.0.0.1:{8000 + n}", *at)
                          for n in range(5)]
            try:
                for publisher in publishers:
                    self.assertIn("registered", publisher.line())
                with Process("watch", "orders", "-o", "json", *at) as watch:
                    before = watch.list()
                    self.assertEqual(len(before["instances"]), 5)
                    for _ in range(2):
                        server.kill()
                        server.start()
                    with Process("publish", "orders", "127.0.0.1:9000", *at) as late:
                        self.assertIn("registered", late.line())
                        version = int(before["version"])
                        while True:
                            told = watch.list()
                            self.assertGreaterEqual(len(told["instances"]), 5)
                            self.assertGreaterEqual(int(told["version"]), version)
                            version = int(told["version"])
                            if len(told["instances"]) == 6 and told["complete"]:
                                break
                        self.assertGreater(version, int(before["version"]))
                    eventually(lambda: len(json.loads(server.get(
                        "/api/v1/instances?service=orders")[1])["instances"]) == 5,
                        "the late one is gone again")
            finally:
                for publisher in publishers:
                    publisher.__exit__()

    def test_lists_are_complete_as_soon_as_all_are_back(self):
        """With the default grace of 14 s: nobody has to wait for it when all are known."""
        with Server() as server:
            at = ("-s", f"127.0.0.1:{server.bolt_port}")
            publishers = [Process("publish", "orders", f"127.0.0.1:{8000 + n}", *at)
                          for n in range(5)]
            try:
                for publisher in publishers:
                    self.assertIn("registered", publisher.line())
                with Process("watch", "orders", "-o", "json", *at) as watch:
                    while len(watch.list()["instances"]) < 5:
                        pass
                    for port, end in ((9000, server.kill), (9001, server.kill),
                                      (9002, server.stop)):
                        time.sleep(1)  # nothing comes or goes, and the roster is sealed
                        end()
                        server.start()
                        began = time.monotonic()
                        publishers.append(Process("publish", "orders", f"127.0.0.1:{port}", *at))
                        while True:
                            told = watch.list()
                            self.assertGreaterEqual(len(told["instances"]), 5)
                            if told["complete"] and f"127.0.0.1:{port}" in addresses(told):
                                break
                        self.assertLess(time.monotonic() - began, 5)
                        self.assertEqual(len(told["instances"]), len(publishers))
                        self.assertEqual(
                            server.metric("muster_session_cold_ended_early_total"), 1)
                        self.assertEqual(server.metric("muster_session_awaited"), 0)
            finally:
                for publisher in publishers:
                    publisher.__exit__()


if __name__ == "__main__":
    unittest.main()
