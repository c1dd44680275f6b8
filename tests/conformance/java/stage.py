"""The stage of one case."""

import itertools
import time

from cluster_server import ClusterServer
from processes import ANSWER_WITHIN_S, Deadline, Failure, Server, short
from java_client import Client


class Case:
    """Its folder, its deadline, and what must be ended after it."""

    def __init__(self, folder, driver, other_driver, seconds, on_cluster=False):
        """`on_cluster`: server() is not one process but a whole cluster."""
        self.on_cluster = on_cluster
        self.folder, self.driver, self.other_driver = folder, driver, other_driver
        self.deadline = Deadline(seconds)
        self.owned = []
        self.client_count = itertools.count(1)
        self.server_count = itertools.count(1)

    def eventually(self, what, probe, within=ANSWER_WITHIN_S):
        return self.deadline.eventually(what, probe, within)

    def stays(self, what, probe, seconds):
        """probe() must give (True, anything) all the time: this is how silence is shown."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            holds, seen = probe()
            if not holds:
                raise Failure(f"{what}: broken by {short(seen)}")
            time.sleep(0.05)

    def server(self, settings=()):
        """`settings`: of the process, or of every node of a cluster."""
        name = f"server-{next(self.server_count)}"
        kind = ClusterServer if self.on_cluster else Server
        return kind(self, name, settings)

    def client(self, server, zone="", other_version=False, log_level="warn", **options):
        driver = self.other_driver if other_version else self.driver
        name = f"client-{next(self.client_count)}"
        return Client(self, driver, server, name, zone, log_level, options)

    def close(self):
        for process in self.owned:
            process.kill()
