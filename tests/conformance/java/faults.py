"""What Java clients see of each fault of a cluster, trial after trial: how long it lasts, and
whether any list was false. Run by `conformance.py --faults TRIALS`; times are told, not judged."""

import itertools
import statistics
import time

from cases_cluster import Fleet
from java_client import RETURN_WITHIN_S, wrong_versions

MOVED_WITHIN_S = 60.0
SHARE = 64  # of the 256 slots, of each of four data servers
# Java clients read the list of sessions so often. Who read it while one was away knows one only.
LIST_READ_S = 31.0
STANDS_STILL_S = 20.0

STOPPED = f"SIGSTOP of the slot leader for {STANDS_STILL_S:.0f} s"
NO_METAS = "all metas killed, a data server restarted"


def now_ms():
    return time.time() * 1000


class Trials:
    """A fleet of Java clients on a cluster, and the times by fault and what was waited for."""

    def __init__(self, case, count):
        self.case, self.count = case, count
        self.fleet = Fleet(case)
        self.nodes = self.fleet.nodes
        self.numbers = itertools.count(1)
        self.times = {}
        self.lists_read = 0.0
        self.said = "box-1"

    def run(self):
        # Others between those of sessions, which wait until clients have read the list anew.
        faults = (self.session_killed, self.slot_leader_killed, self.data_server_stands_still,
                  self.session_stopped, self.meta_leader_killed, self.all_metas_killed,
                  self.data_server_added)
        for trial in range(self.count):
            for fault in faults:
                fault(trial)
                self.nothing_is_lost()

    def nothing_is_lost(self):
        """All hold what every provider said last, and nothing else."""
        self.fleet.all_show("box-0", self.said, "stable")

    def took(self, fault, what, milliseconds):
        self.times.setdefault((fault, what), []).append(milliseconds)

    # ---- what clients do and see

    def change(self, since=None):
        """The second provider says something new; the time from `since`, or from when it was said,
        to the last consumer that is shown it."""
        self.said = f"box-1-{next(self.numbers)}"
        since = since or now_ms()
        self.fleet.publishers[1].republish(self.said)
        return self.last_to_see(lambda boxes: self.said in boxes) - since

    def last_to_see(self, holds, after_ms=0.0):
        """When the last consumer was first told a list, after that time, of which `holds`."""
        def told(subscriber):
            return next((at for at, zones in subscriber.timed_callbacks() if at >= after_ms and
                         holds(set(itertools.chain.from_iterable(zones.values())))), None)

        def probe():
            times = [told(subscriber) for subscriber in self.fleet.seen]
            return None not in times, times
        return max(self.case.eventually("all consumers are told", probe, RETURN_WITHIN_S))

    def restore(self, node):
        node.start()
        self.nodes.wait_ready(node)
        self.nodes.wait_placed()

    def slot_leader(self):
        return max(self.nodes.of("data"), key=lambda node: node.metric("muster_data_publications"))

    def await_lists(self):
        """Until all clients know both sessions."""
        time.sleep(max(0.0, self.lists_read - time.monotonic()))

    def restore_session(self, session):
        self.restore(session)
        self.lists_read = time.monotonic() + LIST_READ_S

    # ---- faults

    def slot_leader_killed(self, _):
        leader = self.slot_leader()
        killed = now_ms()
        leader.kill()
        self.took("kill -9 of the slot leader", "until a change is shown", self.change(killed))
        self.restore(leader)

    def session_killed(self, trial):
        self.await_lists()
        doomed_box = f"doomed-{trial}"
        doomed = self.case.client(self.fleet.server)
        doomed.publish("orders", doomed_box)
        self.last_to_see(lambda boxes: doomed_box in boxes)
        session = next(session for session in self.fleet.server.sessions
                       if doomed.connections(session.bolt_port))
        moving = self.fleet.at(session)
        killed = now_ms()
        session.kill()
        doomed.kill()
        for client, before in moving.items():
            client.is_back(before, RETURN_WITHIN_S)
        self.took("kill -9 of a session", "from its clients' return until a change is shown",
                  self.change())
        gone = self.last_to_see(lambda boxes: doomed_box not in boxes, killed)
        self.took("kill -9 of a session", "until the boxes of a client that died with it are gone",
                  gone - killed)
        self.restore_session(session)

    def data_server_stands_still(self, _):
        leader = self.slot_leader()
        end = time.monotonic() + STANDS_STILL_S
        stopped = now_ms()
        leader.pause()
        try:
            self.took(STOPPED, "until a change is shown", self.change(stopped))
            while time.monotonic() < end:
                self.took(STOPPED, "a change meanwhile", self.change())
                time.sleep(1.0)
        finally:
            leader.resume()
        self.took(STOPPED, "a change right after", self.change())
        self.nodes.wait_ready(leader)
        self.nodes.wait_placed()

    def session_stopped(self, _):
        self.await_lists()
        session = self.fleet.fullest_session()
        moving = self.fleet.at(session)
        stopped = now_ms()
        session.process.terminate()
        while session.is_running():
            self.took("SIGTERM of a session", "a change until it has ended", self.change())
        self.took("SIGTERM of a session", "until it has ended", now_ms() - stopped)
        session.stop()
        assert session.process.returncode == 0, session.said()
        for client, before in moving.items():
            client.is_back(before, RETURN_WITHIN_S)
        self.took("SIGTERM of a session", "a change after it", self.change())
        self.restore_session(session)

    def meta_leader_killed(self, trial):
        leader = next(node for node in self.nodes.of("meta")
                      if node.metric("muster_raft_leader") == 1)
        other = next(node for node in self.nodes.of("data"))
        killed = now_ms()
        leader.kill()
        end = time.monotonic() + MOVED_WITHIN_S
        while not self.fleet.server.moves_slot(trial % 256, f"data-{1 + trial % 3}", other):
            assert time.monotonic() < end, "no slot can be moved"
        self.took("kill -9 of the leading meta", "until a slot can be moved", now_ms() - killed)
        self.took("kill -9 of the leading meta", "a change meanwhile", self.change())
        self.restore(leader)

    def all_metas_killed(self, trial):
        metas = self.nodes.of("meta")
        for meta in metas:
            meta.kill()
        self.took(NO_METAS, "a change before that", self.change())
        restarted = self.nodes[f"data-{1 + trial % 3}"]
        killed = now_ms()
        restarted.kill()
        restarted.start()
        self.took(NO_METAS, "until a change is shown", self.change(killed))
        self.nodes.wait_ready(restarted)
        self.took(NO_METAS, "a change after that", self.change())
        for meta in metas:
            meta.start()
        self.nodes.wait_ready()
        self.nodes.wait_placed()

    def data_server_added(self, trial):
        node = self.nodes.add("data", 4 + trial)
        node.start()
        began = now_ms()
        self.nodes.wait_ready(node)
        while node.metric("muster_data_slots_led") < SHARE:
            self.took("a data server added", "a change meanwhile", self.change())
        self.took("a data server added", "until it leads its share", now_ms() - began)
        self.fleet.server.remove_data(node)
        self.nodes.wait_placed()

    # ---- the verdict

    def violations(self):
        """Sentences about lists that were false: who lives was missing, what went came back, or the
        version fell."""
        yield from wrong_versions(self.fleet.consumers, "orders")
        for subscriber, since in zip(self.fleet.seen, self.fleet.calls):
            newest, gone, before = 0, set(), set()
            for number, zones in enumerate(subscriber.callbacks()[since:]):
                boxes = set(itertools.chain.from_iterable(zones.values()))
                who = f"{subscriber.client.name}, list {number}"
                for box in {"box-0", "stable"} - boxes:
                    yield f"{who} lacks {box}, whose provider lives"
                states = [int(box.split("-")[2]) for box in boxes if box.startswith("box-1-")]
                if "box-1" not in boxes and len(states) != 1:
                    yield f"{who} has {len(states)} states of a provider that lives"
                if states and max(states) < newest:
                    yield f"{who} has state {max(states)} after {newest}"
                newest = max([newest, *states])
                gone |= {box for box in before - boxes if box.startswith("doomed")}
                yield from (f"{who} shows {box} again" for box in gone & boxes)
                before = boxes

    def table(self):
        lines = ["| fault | | times | min | median | max |", "|---|---|---|---|---|---|"]
        for (fault, what), times in self.times.items():
            low, middle, high = (f"{value:,.0f} ms" for value in
                                 (min(times), statistics.median(times), max(times)))
            lines.append(f"| {fault} | {what} | {len(times)} | {low} | {middle} | {high} |")
        return "\n".join(lines)


def run_trials(case, count):
    """Prints the table; raises AssertionError when a list was false."""
    trials = Trials(case, count)
    try:
        trials.run()
    finally:
        print(trials.table(), flush=True)
    found = list(trials.violations())
    consumers = trials.fleet.consumers
    pushes = [len(consumer.pushes("orders")) for consumer in consumers]
    lists = sum(len(subscriber.callbacks()) for subscriber in trials.fleet.seen)
    print(f"{sum(pushes)} lists pushed, {lists} shown, {len(found)} of them false", flush=True)
    assert not found, "; ".join(found[:5])
    changes = next(trials.numbers) - 1  # each was shown before the next one was said
    assert min(pushes) > changes, f"{changes} changes, and only {pushes} pushes in the logs"
