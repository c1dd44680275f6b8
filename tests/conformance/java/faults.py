"""What Java clients see of each fault of a cluster, trial after trial: how long it lasts, and
whether any list was false. Run by `conformance.py --faults TRIALS`; times are told, not judged."""

import itertools
import statistics
import time

from cases_cluster import Fleet
from java_client import RETURN_WITHIN_S

MOVED_WITHIN_S = 60.0
SHARE = 64  # of the 256 slots, of each of four data servers
# Java clients read the list of sessions so often. Who read it while one was away knows one only.
LIST_READ_S = 31.0


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
        for fault in (self.slot_leader_killed, self.session_killed, self.meta_leader_killed,
                      self.data_server_added):
            for trial in range(self.count):
                fault(trial)
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

    # ---- faults

    def slot_leader_killed(self, _):
        leader = max(self.nodes.of("data"),
                     key=lambda node: node.metric("muster_data_publications"))
        killed = now_ms()
        leader.kill()
        self.took("kill -9 of the slot leader", "until a change is shown", self.change(killed))
        self.restore(leader)

    def session_killed(self, trial):
        time.sleep(max(0.0, self.lists_read - time.monotonic()))
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
        self.restore(session)
        self.lists_read = time.monotonic() + LIST_READ_S

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
        """Sentences about lists that were false: who lives was missing, or what went came back."""
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
        lines = ["| fault | | trials | min | median | max |", "|---|---|---|---|---|---|"]
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
    lists = sum(len(subscriber.callbacks()) for subscriber in trials.fleet.seen)
    print(f"{lists} lists shown, {len(found)} of them false", flush=True)
    assert not found, "; ".join(found[:5])
