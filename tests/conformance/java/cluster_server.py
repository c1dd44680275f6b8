"""A whole cluster where a case expects a server: 3 metas, 3 data servers and 2 sessions."""

import os
import sys

import processes

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "e2e"))
from cluster import Cluster  # pylint: disable=wrong-import-position
from harness import run  # pylint: disable=wrong-import-position


class ClusterServer(processes.Server):
    """Clients get the list of sessions from session-1 and choose; `nodes[name]` is one process."""

    def __init__(self, case, name, settings=()):
        self.case = case
        self.nodes = Cluster(3, 3, 2, settings=settings, folder=os.path.join(case.folder, name),
                             ports=lambda *_: tuple(processes.Ports.take() for _ in range(3)))
        self.sessions = self.nodes.of("session")
        self.http_port = self.sessions[0].http_port
        self.bolt_port = self.sessions[0].bolt_port
        case.owned.append(self)
        self.nodes.start(processes.START_WITHIN_S)

    def add_session(self):
        """One more, ready to serve."""
        session = self.nodes.add("session", len(self.sessions) + 1)
        session.start()
        self.nodes.wait_ready(session)
        self.sessions = self.nodes.of("session")
        return session

    @staticmethod
    def moves_slot(slot, to, through):
        """Whether an operator's wish to have it led there was taken."""
        return run("slots", "move", str(slot), "--to", to, "-s", through.http).returncode == 0

    def remove_data(self, node):
        """Ends it for good: it no longer counts among those that should be there."""
        node.kill()
        del self.nodes.nodes[node.name]
        through = self.sessions[0].http
        self.case.eventually(
            f"{node.name} is no member any more",
            lambda: (run("members", "remove", node.name, "--role", "data", "-s",
                         through).returncode == 0, None))

    @property
    def bolt_ports(self):
        return {session.bolt_port for session in self.sessions}

    def kill(self):
        """All of it, for good."""
        self.nodes.__exit__()

    def subscriber_ids(self, data_id):
        ids = []
        for session in self.sessions:
            self.http_port = session.http_port
            ids += super().subscriber_ids(data_id)
        self.http_port = self.sessions[0].http_port
        return sorted(ids)
