"""The works: each does the same with every system, in turns, and reports figures and ratios."""

import contextlib
import dataclasses
import itertools
import statistics

from figures import Bound

ENTRIES, ENTRY_BYTES = 10, 150


@dataclasses.dataclass(frozen=True)
class Effort:
    turns: int = 5              # publish to told: turns of each system
    changes: int = 400          # in each turn
    warm_up: int = 2000         # changes before
    watchers: tuple = (5000, 9500)
    fanout_turns: int = 2
    fanout_changes: int = 10    # for each number of watchers in each turn
    fanout_warm_up: int = 4
    fanout_begins_s: int = 150  # no turn begins later in the run
    register_turns: int = 3
    registrations: int = 100_000
    register_warm_up: int = 20_000
    outstanding: int = 4000     # registrations in unanswered batches, of all connections
    register_begins_s: int = 300


TINY = Effort(turns=2, changes=10, warm_up=10, watchers=(10, 20), fanout_turns=1,
              fanout_changes=3, fanout_warm_up=1, register_turns=1, registrations=2000,
              register_warm_up=1000, outstanding=1000)


class Crowd:
    """Watchers of one list, in as many loader processes as one system's clients need."""

    def __init__(self, system, most):
        count = -(-most // system.watchers_each)
        self.system = system
        self.loaders = [system.load("tell", system.port, ENTRIES, ENTRY_BYTES)
                        for _ in range(count)]
        self.numbers = itertools.count(1)
        self.loaders[0].tell("prepare")
        self.loaders[0].answer("prepared")

    def watch(self, watchers):
        for i, loader in enumerate(self.loaders):
            share = watchers // len(self.loaders) + (i < watchers % len(self.loaders))
            loader.tell(f"watch {share}")
            loader.answer("watching")

    def change(self, count):
        for _ in range(count):
            number = next(self.numbers)
            self.loaders[0].tell(f"change {number}")
            for loader in self.loaders:
                loader.answer("told")

    def times(self):
        """Seconds from each change until each watcher was told, a list for each change; forgets
        them."""
        told = []
        for loader in self.loaders:
            loader.tell("times")
            told.append(loader.answer("told_at"))
        return [[(at - begin) / 1e9 for one in told for at in one["told_at"][i]]
                for i, begin in enumerate(told[0]["begin"])]


def median(values):
    return statistics.median(values)


def fewer_turns(bench, turns, wanted):
    return f"{bench}: the machine is slow, so {turns} of {wanted} turns must do"


def ratios(report, bench, metric, mine, peers, bound):
    """`mine` over each of `peers` (name -> figure)."""
    for name, figure in peers.items():
        report.value(bench, f"muster_to_{name}_{metric}", "x", mine / figure, bound)


def publish_to_told(report, effort, systems):
    """One publisher, one watcher of the service, one change at a time; the servers take turns."""
    bench = "publish_to_told"
    with contextlib.ExitStack() as stack:
        crowds = {system.name: Crowd(stack.enter_context(system), 1) for system in systems}
        for crowd in crowds.values():
            crowd.watch(1)
            crowd.change(effort.warm_up)
            crowd.times()
        took, cpu = {name: [] for name in crowds}, dict.fromkeys(crowds, 0.0)
        before = {name: crowd.system.wire_bytes() for name, crowd in crowds.items()}
        for _ in range(effort.turns):
            for name, crowd in crowds.items():
                used = crowd.system.cpu_seconds()
                crowd.change(effort.changes)
                cpu[name] += crowd.system.cpu_seconds() - used
                took[name] += [change[0] * 1e6 for change in crowd.times()]
        p50 = {}
        for name, crowd in crowds.items():
            p50[name] = report.spread(bench, name, "us", took[name]).p50
            report.value(bench, f"{name}_server_cpu_per_change", "us",
                         cpu[name] * 1e6 / len(took[name]))
            report.value(bench, f"{name}_bytes_per_change", "B",
                         (crowd.system.wire_bytes() - before[name]) / len(took[name]))
            report.value(bench, f"{name}_server_rss", "MB", crowd.system.rss_bytes() / 1e6)
    mine = p50.pop("muster")
    ratios(report, bench, "p50", mine, p50, Bound(at_most=1 / 3))


@dataclasses.dataclass
class Told:
    """What was seen of one system at one number of watchers."""
    last_s: list = dataclasses.field(default_factory=list)   # of each change: until the last one
    each_ms: list = dataclasses.field(default_factory=list)  # of each change and watcher
    cpu_s: float = 0
    loader_cpu_s: float = 0
    wire_bytes: float = 0
    rss_bytes: int = 0

    def measure(self, crowd, effort):
        system = crowd.system
        crowd.change(effort.fanout_warm_up)
        crowd.times()
        wire, cpu = system.wire_bytes(), system.cpu_seconds()
        loader_cpu = system.loader_cpu_seconds()
        crowd.change(effort.fanout_changes)
        self.cpu_s += system.cpu_seconds() - cpu
        self.loader_cpu_s += system.loader_cpu_seconds() - loader_cpu
        self.wire_bytes += system.wire_bytes() - wire
        self.rss_bytes = max(self.rss_bytes, system.rss_bytes())
        for change in crowd.times():
            self.last_s.append(max(change))
            self.each_ms += [at * 1e3 for at in change]

    def report(self, report, bench, name):
        lists = len(self.each_ms)
        watchers = lists / len(self.last_s)
        report.spread(bench, f"{name}_until_last_told", "ms", [at * 1e3 for at in self.last_s])
        report.spread(bench, f"{name}_until_told", "ms", self.each_ms)
        report.spread(bench, f"{name}_rate", "lists/s", [watchers / at for at in self.last_s])
        report.value(bench, f"{name}_server_cpu_per_list", "us", self.cpu_s * 1e6 / lists)
        report.value(bench, f"{name}_loader_cpu_per_list", "us", self.loader_cpu_s * 1e6 / lists)
        report.value(bench, f"{name}_bytes_per_list", "B", self.wire_bytes / lists)
        report.value(bench, f"{name}_server_rss", "MB", self.rss_bytes / 1e6)


def fan_out(report, effort, kinds):
    """One change of a service to many watchers, each with a connection of its own."""
    seen = {watchers: {} for watchers in effort.watchers}
    try:
        for turn in range(effort.fanout_turns):
            if turn > 0 and report.seconds() > effort.fanout_begins_s:
                report.note(fewer_turns("fanout", turn, effort.fanout_turns))
                break
            for make in kinds:
                with make() as system:
                    crowd = Crowd(system, max(effort.watchers))
                    for watchers in effort.watchers:
                        crowd.watch(watchers)
                        told = seen[watchers].get(system.name, Told())
                        told.measure(crowd, effort)
                        seen[watchers][system.name] = told
    finally:  # what all were measured at is told, also when one failed or the time is up
        for watchers, systems in seen.items():
            if len(systems) == len(kinds):
                report_fan_out(report, f"fanout_{watchers}", systems)


def report_fan_out(report, bench, systems):
    for name, told in systems.items():
        told.report(report, bench, name)
    mine = systems.pop("muster")
    ratios(report, bench, "lists_per_s", 1 / median(mine.last_s),
           {name: 1 / median(peer.last_s) for name, peer in systems.items()}, Bound(at_least=4))
    ratios(report, bench, "server_cpu_per_list", mine.cpu_s / len(mine.each_ms),
           {name: peer.cpu_s / len(peer.each_ms) for name, peer in systems.items()
            if peer.cpu_s > 0}, None)


@dataclasses.dataclass
class Registered:
    """What was seen of one system."""
    rates: list = dataclasses.field(default_factory=list)     # 1/s, of each turn
    durable: list = dataclasses.field(default_factory=list)   # the same, until all are durable
    batch_ms: list = dataclasses.field(default_factory=list)
    cpu_s: float = 0
    count: int = 0
    wire_bytes: float = 0
    rss_bytes: int = 0

    def measure(self, system, effort):
        def load(first, count):
            connections = effort.outstanding // system.batch
            loader = system.load("register", system.port, connections, first, count, system.batch,
                                 ENTRY_BYTES)
            loader.answer("prepared")
            return loader

        warm = load(effort.registrations, effort.register_warm_up)
        warm.tell("go")
        warm.answer("registered")  # and stays: nothing that it registered goes meanwhile
        loader = load(0, effort.registrations)
        wire, cpu, rss = system.wire_bytes(), system.cpu_seconds(), system.rss_bytes()
        loader.tell("go")
        done = loader.answer("registered")
        late = system.await_durable(effort.register_warm_up + done["registered"])
        seconds = (done["end"] - done["begin"]) / 1e9
        self.count += done["registered"]
        self.rates.append(done["registered"] / seconds)
        self.durable.append(done["registered"] / (seconds + late))
        self.batch_ms += [took / 1e6 for took in done["batch_ns"]]
        self.cpu_s += system.cpu_seconds() - cpu
        self.wire_bytes += system.wire_bytes() - wire
        self.rss_bytes = max(self.rss_bytes, system.rss_bytes() - rss)


def registrations(report, effort, kinds):
    """Registrations in batches over some connections, one batch outstanding on each."""
    bench = "registrations"
    seen = {}
    for turn in range(effort.register_turns):
        if turn > 0 and report.seconds() > effort.register_begins_s:
            report.note(fewer_turns(bench, turn, effort.register_turns))
            break
        for make in kinds:
            with make() as system:
                seen.setdefault(system.name, Registered()).measure(system, effort)
    for name, found in seen.items():
        report.spread(bench, f"{name}_rate", "1/s", found.rates)
        report.spread(bench, f"{name}_rate_until_durable", "1/s", found.durable)
        report.spread(bench, f"{name}_until_batch_answered", "ms", found.batch_ms)
        report.value(bench, f"{name}_server_cpu_per_registration", "us",
                     found.cpu_s * 1e6 / found.count)
        report.value(bench, f"{name}_bytes_per_registration", "B", found.wire_bytes / found.count)
        report.value(bench, f"{name}_server_rss_grown", "MB", found.rss_bytes / 1e6)
    mine = median(seen.pop("muster").durable)
    report.value(bench, "muster_rate_until_durable_p50", "1/s", mine, Bound(at_least=200_000))
    ratios(report, bench, "rate", mine,
           {name: median(peer.durable) for name, peer in seen.items()}, Bound(at_least=10))
