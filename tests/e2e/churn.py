"""Load on a cluster, and a checker of what its subscribers are told.

Publishers that stay, a watcher at every session, and probes that come and go. The checker notes
whenever a watcher is told a list without one that stays (a false removal), one again that went (no
address is used twice), or an older version."""

import itertools
import json
import subprocess
import threading
import time

from harness import MUSTER

SERVICES = tuple(f"shop-{number}" for number in range(4))  # of several slots


class _Lines:
    """A `muster` command whose output lines go to `take`, on a thread of their own."""

    def __init__(self, *arguments, take, reach=()):
        self.process = subprocess.Popen([*reach, MUSTER, *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.thread = threading.Thread(target=self._read, args=(take,), daemon=True)
        self.thread.start()

    def _read(self, take):
        for line in self.process.stdout:
            take(line)

    def end(self, polite=False):
        if self.process.poll() is None:
            if polite:
                self.process.terminate()
            else:
                self.process.kill()
        self.process.wait()
        self.thread.join(timeout=5)
        self.process.stdout.close()


class _Watcher:
    """What one subscriber of one service at one session was told."""

    def __init__(self, churn, service, node, servers):
        self.name = f"{service} at {node.bolt}"
        self.service = service
        self.node = node
        self.churn = churn
        self.lock = threading.Lock()
        self.addresses = frozenset()
        self.went = set()  # seen once, and then not any more
        self.complete = False
        self.version = 0
        self.lists = 0
        self.command = _Lines("watch", service, "-o", "json", "-s", servers, take=self.take,
                              reach=node.reach)

    def take(self, line):
        told = json.loads(line)
        addresses = frozenset(f'{i["ip"]}:{i["port"]}' for i in told["instances"])
        with self.lock:
            gone = (self.addresses & self.churn.staying) - addresses
            if gone:
                self.churn.violate(f"{self.name}: {', '.join(sorted(gone))} went falsely, "
                                   f"version {told['version']}")
            back = addresses & self.went
            if back:
                self.churn.violate(f"{self.name}: {', '.join(sorted(back))} came back from "
                                   f"the dead, version {told['version']}")
            self.went |= self.addresses - addresses
            if int(told["version"]) < self.version:
                self.churn.violate(f"{self.name}: version {told['version']} after {self.version}")
            self.addresses = addresses
            self.complete = told["complete"]
            self.version = int(told["version"])
            self.lists += 1

    def sees(self, address):
        with self.lock:
            return address in self.addresses


class Churn:
    """`with Churn(cluster) as churn:` keeps the load up; churn.probe() shows that changes flow;
    churn.violations is what was wrong."""

    def __init__(self, cluster, stay=3, apart=False, roam=False):
        """`stay`: publishers of each service that stay. `apart`: every client knows one session
        only; otherwise publishers know all of them. `roam`: watchers do, too, and none is of one
        session: each is at any of them."""
        self.cluster = cluster
        sessions = cluster.of("session")
        self.homes = [[node] for node in sessions] if apart else [sessions]
        self.staying = frozenset()
        self.violations = []
        self.commands = []
        self.publishers = {}  # those that stay: address -> (service, command)
        self.watchers = []
        self.stay = stay
        self.roam = roam
        self.ports = itertools.count(20001)
        self.lock = threading.Lock()

    def violate(self, what):
        self.violations.append(f"{time.strftime('%H:%M:%S')} {what}")

    def publish(self, service, address, home=None):
        home = home or self.homes[0]
        command = _Lines("publish", service, address, "-s", ",".join(node.bolt for node in home),
                         take=lambda line: None, reach=home[0].reach)
        with self.lock:
            self.commands.append(command)
        return command

    def come(self, service, home=None):
        """One more that stays, until leave()."""
        address = f"127.0.0.1:{next(self.ports)}"
        command = self.publish(service, address, home)
        with self.lock:
            self.publishers[address] = (service, command)
            self.staying |= {address}
        return address

    def leave(self, address):
        """Politely."""
        with self.lock:
            self.staying -= {address}
            command = self.publishers.pop(address)[1]
            self.commands.remove(command)
        command.end(polite=True)

    def __enter__(self):
        try:
            homes = itertools.cycle(self.homes)
            for service in SERVICES:
                for _ in range(self.stay):
                    self.come(service, next(homes))
            sessions = self.cluster.of("session")
            for node in sessions:
                servers = ",".join(known.bolt for known in (sessions if self.roam else [node]))
                self.watchers += [_Watcher(self, service, node, servers) for service in SERVICES]
            self.wait_equal("the load is there")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for command in self.commands + [watcher.command for watcher in self.watchers]:
            command.end()

    def expected(self, service):
        with self.lock:
            return {address for address, (its_service, _) in self.publishers.items()
                    if its_service == service}

    def wait_equal(self, what, patience=30.0):
        """Until every watcher is told exactly who stays; gives the seconds that took."""
        began = time.monotonic()
        self._wait(lambda watcher: watcher.addresses == self.expected(watcher.service), what,
                   patience)
        return time.monotonic() - began

    def watchers_at(self, *nodes):
        return [watcher for watcher in self.watchers if watcher.node in nodes]

    def probe(self, what, patience=30.0, watchers=None, home=None):
        """One comes to every service and goes again; every watcher is told of both. Gives the
        seconds until the last one was told of the coming."""
        address = f"127.0.0.1:{next(self.ports)}"
        began = time.monotonic()
        commands = [self.publish(service, address, home) for service in SERVICES]
        self._wait(lambda watcher: watcher.sees(address), f"{what}: {address} is seen", patience,
                   watchers)
        seconds = time.monotonic() - began
        for command in commands:
            command.end(polite=True)
            with self.lock:
                self.commands.remove(command)
        self._wait(lambda watcher: not watcher.sees(address), f"{what}: {address} is gone",
                   patience, watchers)
        return seconds

    def _wait(self, condition, what, patience, watchers=None):
        end = time.monotonic() + patience
        wanted = self.watchers if watchers is None else watchers
        while time.monotonic() < end:
            missing = [watcher for watcher in wanted if not condition(watcher)]
            if not missing:
                return
            time.sleep(0.02)
        raise AssertionError(f"not within {patience} s: {what}; not told: " + "; ".join(
            f"{watcher.name} has {sorted(watcher.addresses)}" for watcher in missing))
