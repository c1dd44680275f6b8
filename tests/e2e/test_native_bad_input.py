"""What native clients get that ask for too much, change too often or hold what never was: a defined
answer, a bound and a counter, and nobody else notices."""

import json
import socket
import threading
import time
import unittest

from harness import Server, eventually, metric_in
from native_peer import REQUEST, NativePeer, publication, subscription

SUBSCRIPTIONS = 100_000
BEYOND = 1000
PER_REQUEST = 5000
# Of one service each, which nobody publishes: the service, its copy, who watches it at the leader.
BYTES_PER_SUBSCRIPTION_MAX = 8192
INSTANCES = "/api/v1/services/DEFAULT_INSTANCE_ID/DEFAULT_GROUP/{}/instances"
SENT = "muster_push_sent_total"


class NativeBadInput(unittest.TestCase):
    def start(self, *settings):
        self.server = self.enterContext(Server(*settings))

    def peer(self, **options):
        return self.enterContext(NativePeer(self.server, **options))

    def version(self, data_id):
        return int(json.loads(self.server.get(INSTANCES.format(data_id))[1])["version"])


class ManySubscriptions(NativeBadInput):
    def test_as_many_as_may_be_and_some_more(self):
        # However slow the machine is, nothing is sent twice.
        self.start(f"session.registrations_per_connection_max={SUBSCRIPTIONS}",
                   "session.push_timeout=5m")
        greedy = self.peer(keeps=False)
        witness = Witness(self.server)
        before = self.server.rss_bytes()
        with witness:
            for first in range(0, SUBSCRIPTIONS, PER_REQUEST):
                status, outcomes = greedy.ask("SubscribeRequest", b"".join(
                    subscription(f"s{n}", f"service-{n}")
                    for n in range(first, first + PER_REQUEST)))
                self.assertEqual((status, outcomes), (0, [("", "")] * PER_REQUEST))
            greedy.read_until(lambda: len(greedy.views) == SUBSCRIPTIONS)
            grown = self.server.rss_bytes() - before
            self.assertEqual(self.server.metric("muster_session_subscriptions"),
                             SUBSCRIPTIONS + 1)

            refused = self.server.metric("muster_session_refused_total")
            status, outcomes = greedy.ask("SubscribeRequest", b"".join(
                subscription(f"more{n}", f"more-{n}") for n in range(BEYOND)))
            self.assertEqual(status, 0)
            self.assertEqual({code for code, _ in outcomes}, {"over_limit"})
            self.assertEqual(len(outcomes), BEYOND)
            self.assertEqual(
                outcomes[0][1],
                f"{SUBSCRIPTIONS + 1} registrations on a connection, at most {SUBSCRIPTIONS}")
            self.assertEqual(self.server.metric("muster_session_refused_total"), refused + BEYOND)
            self.assertEqual(self.server.metric("muster_session_subscriptions"),
                             SUBSCRIPTIONS + 1)
        print(f"{grown // SUBSCRIPTIONS} bytes a subscription; another client was told "
              f"{witness.told} changes meanwhile")
        self.assertLess(grown, SUBSCRIPTIONS * BYTES_PER_SUBSCRIPTION_MAX)
        self.assertGreater(witness.told, 0)
        # What is there serves: one of its lists changes.
        self.assertEqual(witness.publisher.register("p", "service-7", 1, "box")[1], [("", "")])
        greedy.read_until(lambda: greedy.views["service-7"] == {"p": "box"})
        greedy.connection.close()
        witness.publisher.connection.close()
        eventually(lambda: self.server.metric("muster_session_subscriptions") == 0,
                   "all of it is gone with its connection")


class Witness:
    """Another client publishes and is told, again and again, as long as it is entered."""

    def __init__(self, server):
        self.publisher = NativePeer(server)
        self.subscriber = NativePeer(server, keeps=False)
        self.subscriber.subscribe("witness", "witnessed")
        self.told = 0
        self.failure = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.subscriber.connection.close()
        if self.failure is not None:
            raise AssertionError("the witness was not served") from self.failure

    def run(self):
        try:
            while not self.ended.is_set():
                box = f"box {self.told}"
                self.publisher.register("witness", "witnessed", self.told + 1, box)
                self.subscriber.read_until(
                    lambda: self.subscriber.views.get("witnessed") == {"witness": box})
                self.told += 1
                time.sleep(0.01)
        except (AssertionError, OSError) as failure:
            self.failure = failure


class SlowReader:
    """Reads a push of "orders", and acknowledges it only after a while."""

    PAUSE = 0.02

    def __init__(self, peer):
        self.peer = peer
        outcome = peer.subscribe("slow", "orders")
        assert outcome == (0, [("", "")]), outcome
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            while True:
                push = self.peer.next_push()
                time.sleep(self.PAUSE)
                self.peer.acknowledge(push)
        except (AssertionError, OSError):
            pass  # what it was not told fails the test

    def stop(self):
        self.peer.connection.shutdown(socket.SHUT_RDWR)
        self.thread.join()

    def shown(self):
        return self.peer.views.get("orders")


class ManyChanges(NativeBadInput):
    AT_ONCE = 500

    def change(self, publisher, changes):
        """One publication, as often and as fast as it is answered; the last state that was taken
        and how many were refused."""
        taken, refused = 0, 0
        before = publisher.last_request
        for first in range(1, changes + 1, self.AT_ONCE):
            publisher.connection.sendall(b"".join(
                publisher.frame(REQUEST, "RegisterRequest",
                                publication("p", "orders", version, f"box {version}"))
                for version in range(first, first + self.AT_ONCE)))
            for _ in range(self.AT_ONCE):
                status, outcomes = publisher.answer()
                self.assertEqual((status, len(outcomes)), (0, 1))
                if outcomes[0][0] == "":
                    # Who is refused is told so before those whose states are on their way.
                    taken = max(taken, publisher.answered - before)
                else:
                    self.assertEqual(outcomes[0][0], "over_limit")
                    self.assertRegex(outcomes[0][1], r"can be taken in \d+ ms")
                    refused += 1
        return taken, refused

    def slow_reader(self):
        reader = SlowReader(self.peer(acknowledges=False))
        self.addCleanup(reader.stop)
        return reader

    def test_slow_reader_is_told_few_states_and_the_last(self):
        self.start()
        reader = self.slow_reader()
        changes = 20_000
        sent = self.server.metric(SENT)
        self.assertEqual(self.change(self.peer(), changes), (changes, 0))
        eventually(lambda: reader.shown() == {"p": f"box {changes}"}, "it is told the last state")
        pushed = self.server.metric(SENT) - sent
        print(f"{changes} changes in {reader.peer.pushed} pushes")
        self.assertGreater(pushed, 2)
        self.assertLess(pushed, changes / 20)
        self.assertLessEqual(pushed, reader.peer.pushed, "what it did not read was not sent")
        self.assertEqual(self.server.metric("muster_push_timeouts_total"), 0)

    def test_more_than_it_may_is_refused_and_counted(self):
        self.start("session.client_changes.per_second=50", "session.client_changes.burst=100")
        reader = self.slow_reader()
        publisher = self.peer()
        changes = 5_000
        taken, refused = self.change(publisher, changes)
        self.assertGreater(refused, changes / 2)
        self.assertEqual(
            self.server.metric("muster_session_changes_refused_total", limit="client"), refused)
        eventually(lambda: reader.shown() == {"p": f"box {taken}"}, "it is told the last one taken")
        self.assertLessEqual(reader.peer.pushed, changes - refused + 1)

        # What was refused may be tried again, and is told then.
        def tried():
            return publisher.register("p", "orders", changes + 1, "box at last")[1] == [("", "")]
        eventually(tried, "it is taken after a while")
        watcher = self.peer()
        watcher.subscribe("w", "orders")
        watcher.read_until(lambda: watcher.views.get("orders") == {"p": "box at last"})


class HeldVersions(NativeBadInput):
    COUNT = 30

    def setUp(self):
        self.start()
        publisher = self.peer()
        self.boxes = {f"p{n}": f"box {n}" for n in range(self.COUNT)}
        self.first = self.peer()
        self.first.subscribe("first", "orders")
        for name, box in self.boxes.items():
            publisher.register(name, "orders", 1, box)
            self.first.read_until(lambda name=name: name in self.first.views.get("orders", {}))
            time.sleep(0.002)  # a version counts milliseconds, and what came within one
        self.seen = [push.version for push in self.first.pushes]

    def assert_told_whole(self, held, digest=b""):
        """Who says that it holds `held` is told the whole list, never a step from there."""
        with NativePeer(self.server) as peer:
            peer.versions["orders"] = held
            self.assertEqual(peer.subscribe("s", "orders", held=held, digest=digest),
                             (0, [("", "")]))
            peer.read_until(lambda: peer.pushes and peer.pushes[-1].complete)
            self.assertEqual(peer.views["orders"], self.boxes)
            self.assertEqual({push.start for push in peer.pushes}, {0})
            self.assertGreaterEqual(peer.versions["orders"], held)

    def test_one_that_never_was(self):
        now = self.seen[-1]
        between = [(one + next_one) // 2 for one, next_one in zip(self.seen, self.seen[1:])]
        never = {now - 1, between[-1], between[-2], between[5], self.seen[0] + 1} - set(self.seen)
        self.assertGreater(len(never), 2)
        for held in never:
            with self.subTest(below=now - held):
                self.assert_told_whole(held)
        self.assertEqual(self.server.metric("muster_session_versions_doubted_total"), len(never))

    def test_one_from_long_before(self):
        self.assert_told_whole(1)

    def test_the_present_one_with_another_content(self):
        digest = b"\x09" + b"\x01" * 8 + b"\x11" + b"\x02" * 8
        self.assert_told_whole(self.seen[-1], digest)

    def test_one_that_was_gets_the_step_from_it(self):
        """So that the others show what they mean to show."""
        with NativePeer(self.server) as peer:
            held = self.seen[-4]
            names = list(self.boxes)
            peer.versions["orders"] = held
            peer.views["orders"] = {name: self.boxes[name] for name in names[:-3]}
            peer.subscribe("s", "orders", held=held)
            push = peer.next_push()
            self.assertEqual((push.start, peer.views["orders"]), (held, self.boxes))
            self.assertEqual(sorted(push.publications), sorted(names[-3:]))

    def test_acknowledging_one_from_the_future_counts_for_nothing(self):
        peer = self.peer(acknowledges=False)
        peer.subscribe("s", "orders")
        push = peer.next_push()
        acknowledged = self.server.metric("muster_push_acknowledged_total")
        peer.acknowledge(push, version=push.version + 1_000_000)
        eventually(lambda: self.server.metric("muster_push_acks_ahead_total") == 1, "it is counted")
        self.peer().register("late", "orders", 1, "late")
        self.first.read_until(lambda: "late" in self.first.views["orders"])
        eventually(lambda: self.server.metric("muster_push_acknowledged_total") == acknowledged + 1,
                   "only the other one has it")
        self.assertEqual(peer.pushed, 1)
        peer.acknowledge(push)
        peer.acknowledges = True
        peer.read_until(lambda: "late" in peer.views["orders"])


class NeverAcknowledges(NativeBadInput):
    def test_is_behind_then_closed_and_what_it_published_stays(self):
        self.start("session.push_timeout=200ms", "session.push_silent_max=2s")
        watcher = self.peer()
        watcher.subscribe("w", "kept")
        silent = self.peer(acknowledges=False)
        silent.register("p", "kept", 1, "box")
        watcher.read_until(lambda: watcher.views.get("kept") == {"p": "box"})
        silent.subscribe("s", "orders")
        eventually(lambda: self.server.metric("muster_push_lists_behind") == 1, "it is behind")
        with self.assertRaisesRegex(AssertionError, "the server closed the connection"):
            while True:
                silent.read()
        self.assertEqual(self.server.metric("muster_push_clients_closed_total"), 1)
        self.assertEqual(self.server.metric("muster_push_lists_behind"), 0)
        self.assertGreater(silent.pushed, 1, "it was told again")
        self.peer().register("other", "kept", 1, "more")
        watcher.read_until(lambda: "other" in watcher.views["kept"])
        self.assertEqual(watcher.views["kept"], {"p": "box", "other": "more"})


class TheSameAgain(NativeBadInput):
    TIMES = 1000

    def published(self):
        publisher, subscriber = self.peer(), self.peer()
        subscriber.subscribe("s", "orders")
        publisher.register("p", "orders", 1, "box")
        subscriber.read_until(lambda: subscriber.views.get("orders") == {"p": "box"})
        return publisher, subscriber

    def test_costs_no_push_no_version_and_no_change(self):
        self.start("session.client_changes.per_second=1", "session.client_changes.burst=5")
        publisher, _ = self.published()
        version, counts = self.version("orders"), self.counts()
        self.register_again(publisher, [1] * self.TIMES)
        self.assertEqual(self.counts(), counts)
        self.assertEqual(self.version("orders"), version)

    def test_with_newer_timestamps_costs_no_push_and_no_version(self):
        """As clients say it that come back, here on one connection."""
        self.start()
        publisher, subscriber = self.published()
        version, counts = self.version("orders"), self.counts()
        self.register_again(publisher, range(2, 2 + self.TIMES))
        self.assertEqual(self.counts(), counts)
        self.assertEqual(self.version("orders"), version)
        # A change is told, at the next version.
        publisher.register("p", "orders", 2, "another box", timestamp=5000)
        subscriber.read_until(lambda: subscriber.views["orders"] == {"p": "another box"})
        self.assertGreater(subscriber.versions["orders"], version)
        self.assertEqual(self.server.metric("muster_data_writes_total", outcome="changed"),
                         counts["changed"] + 1)

    def register_again(self, publisher, timestamps):
        publisher.connection.sendall(b"".join(
            publisher.frame(REQUEST, "RegisterRequest",
                            publication("p", "orders", 1, "box", timestamp))
            for timestamp in timestamps))
        for _ in timestamps:
            self.assertEqual(publisher.answer(), (0, [("", "")]))

    def counts(self):
        """Taken from the metrics alone: asking for a list over HTTP is a push as well."""
        text = self.server.get("/metrics")[1]
        counts = {"changed": metric_in(text, "muster_data_writes_total", outcome="changed"),
                  "refused": metric_in(text, "muster_session_changes_refused_total",
                                       limit="client")}
        for what in ("full", "delta"):
            counts[what] = metric_in(text, f"muster_native_pushes_{what}_total")
        counts["folded"] = metric_in(text, "muster_session_changes_total")
        return counts


if __name__ == "__main__":
    unittest.main()
