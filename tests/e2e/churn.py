"""Load on a cluster, and a checker of what its subscribers are told.

Publishers that stay, a watcher at every session, and probes that come and go. The checker notes
whenever a watcher is told a list without one that stays (a false removal), or an older version."""

import json
import subprocess
import threading
import time

from harness import MUSTER

SERVICES = tuple(f"shop-{number}" for number in range(4))  # of several slots


class _Lines:
    """A `muster` command whose output lines go to `take`, on a thread of their own."""

    def __init__(self, *arguments, take):
        self.process = subprocess.Popen([MUSTER, *arguments], stdout=subprocess.PIPE,
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

    def __init__(self, churn, service, server):
        self.name = f"{service} at {server}"
        self.churn = churn
        self.lock = threading.Lock()
        self.addresses = frozenset()
        self.complete = False
        self.version = 0
        self.lists = 0
        self.command = _Lines("watch", service, "-o", "json", "-s", server, take=self.take)

    def take(self, line):
        told = json.loads(line)
        addresses = frozenset(f'{i["ip"]}:{i["port"]}' for i in told["instances"])
        with self.lock:
            gone = (self.addresses & self.churn.staying) - addresses
            if gone:
                self.churn.violate(f"{self.name}: {', '.join(sorted(gone))} went falsely, "
                                   f"version {told['version']}")
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

    def __init__(self, cluster, stay=3):
        self.cluster = cluster
        self.servers = ",".join(node.bolt for node in cluster.of("session"))
        self.staying = frozenset()
        self.violations = []
        self.commands = []
        self.watchers = []
        self.stay = stay
        self.last_port = 20000

    def violate(self, what):
        self.violations.append(f"{time.strftime('%H:%M:%S')} {what}")

    def publish(self, service, address):
        command = _Lines("publish", service, address, "-s", self.servers, take=lambda line: None)
        self.commands.append(command)
        return command

    def __enter__(self):
        try:
            staying = set()
            for number, service in enumerate(SERVICES):
                for one in range(self.stay):
                    address = f"127.0.0.1:{8000 + 100 * number + one}"
                    self.publish(service, address)
                    staying.add(address)
            self.staying = frozenset(staying)
            for node in self.cluster.of("session"):
                self.watchers += [_Watcher(self, service, node.bolt) for service in SERVICES]
            self.wait_equal("the load is there")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for command in self.commands + [watcher.command for watcher in self.watchers]:
            command.end()

    def expected(self, service):
        number = SERVICES.index(service)
        return {address for address in self.staying
                if int(address.rpartition(":")[2]) // 100 == 80 + number}

    def wait_equal(self, what, patience=30.0):
        """Until every watcher is told exactly who stays."""
        self._wait(lambda watcher: watcher.addresses >= self.expected(watcher.name.split()[0]),
                   what, patience)

    def probe(self, what, patience=30.0, watchers=None):
        """One comes to every service and goes again; every watcher is told of both. Gives the
        seconds until the last one was told of the coming."""
        self.last_port += 1
        address = f"127.0.0.1:{self.last_port}"
        began = time.monotonic()
        commands = [self.publish(service, address) for service in SERVICES]
        self._wait(lambda watcher: watcher.sees(address), f"{what}: {address} is seen", patience,
                   watchers)
        seconds = time.monotonic() - began
        for command in commands:
            command.end(polite=True)
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
