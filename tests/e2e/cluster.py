"""A real cluster on this machine: metas, data servers and sessions, each a process of its own with
ports and a data folder of its own. Used by tests and by ./dev cluster."""

import ctypes
import os
import secrets
import shutil
import signal
import tempfile

from harness import MUSTER, Server, eventually, free_port
from relay import Network

PR_SET_PDEATHSIG = 1


def _die_with_parent():
    """Nobody is left behind, however the parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Node(Server):
    """One process of a cluster."""

    def __init__(self, cluster, name, roles, number, ports):
        self.cluster = cluster
        self.name = name
        self.roles = roles
        self.settings = ()
        self.environment = None
        self.process = None
        self.paused = False
        self.folder = os.path.join(cluster.folder, name)
        self.data_folder = os.path.join(self.folder, "data")
        os.makedirs(self.folder, exist_ok=True)
        self.bolt_port, self.http_port, peer_port = ports
        self.ip = f"127.0.1.{number}" if cluster.network else "127.0.0.1"
        self.client_ip = "127.0.0.1"
        self.reach = ()  # what stands before a command that is to run where its clients are
        self.listens_at = (self.ip, peer_port)
        self.peer_at = (f"127.0.2.{number}", peer_port) if cluster.network else self.listens_at

    @property
    def peer(self):
        return f"{self.peer_at[0]}:{self.peer_at[1]}"

    @property
    def bolt(self):
        return f"{self.client_ip}:{self.bolt_port}"

    @property
    def http(self):
        return f"{self.client_ip}:{self.http_port}"

    def command(self):
        settings = {"node_id": self.name, "roles": ",".join(self.roles),
                    "data_dir": self.data_folder,
                    "cluster.name": self.cluster.name,
                    "cluster.join": self.cluster.join,
                    "cluster.secret_file": self.cluster.secret_file,
                    "cluster.listen": f"{self.listens_at[0]}:{self.listens_at[1]}",
                    "cluster.advertise": self.peer,
                    "http.listen": self.http, "bolt.listen": self.bolt}
        if "session" not in self.roles:
            del settings["bolt.listen"]
        command = [MUSTER, "server"]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        for setting in (*self.cluster.settings, *self.settings):
            command += ["--set", setting]
        return command

    def enter(self):
        """The first thing its process does."""
        _die_with_parent()

    def launch(self):
        super().launch(preexec=self.enter)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        """Starts it, and does not wait."""
        self.paused = False
        self.launch()

    def kill(self):
        super().kill()
        self.paused = False

    def stop(self):
        if self.paused:
            self.resume()
        super().stop()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def state(self):
        if not self.is_running():
            return "stopped"
        if self.paused:
            return "paused"
        if self.name in self.cluster.cut_off:
            return "cut"
        try:
            return "ready" if self.get("/health/ready", timeout=2)[0] == 200 else "starting"
        except OSError:
            return "starting"


class Cluster:
    """`with Cluster(metas=3, data=3, sessions=2) as cluster:` starts one and waits until all of it
    is ready. Nodes are called meta-1, data-1, session-1 and so on.

    `cuttable`: others reach each node through a relay, and cut(), partition() and heal() work.
    `ports(role, number)` gives (client, HTTP, peer) ports; free ones without it."""

    def __init__(self, metas=3, data=3, sessions=2, *, cuttable=False, settings=(), folder=None,
                 ports=None, name="test"):
        self.name = name
        self.settings = tuple(settings)
        self.own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="muster-cluster-")
        self.network = Network() if cuttable else None
        self.secret_file = os.path.join(self.folder, "secret")
        self.nodes = {}
        self.cut_off = set()  # names given to cut()
        self._ports = ports or (lambda role, number: (free_port(), free_port(), free_port()))
        self._numbers = 0
        for role, count in (("meta", metas), ("data", data), ("session", sessions)):
            for number in range(1, count + 1):
                self.add(role, number)
        self.join = ",".join(f"{node.name}={node.peer}" for node in self.of("meta"))
        if not os.path.exists(self.secret_file):
            with open(self.secret_file, "w", encoding="ascii",
                      opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(secrets.token_hex(32) + "\n")

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for node in reversed(self.nodes.values()):
            if node.is_running():
                node.kill()
        if self.network:
            self.network.close()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __getitem__(self, name):
        return self.nodes[name]

    def add(self, role, number):
        """One more node; start() of it is the caller's."""
        self._numbers += 1
        node = self.make_node(f"{role}-{number}", (role,), self._numbers,
                              self._ports(role, number))
        self.nodes[node.name] = node
        if self.network:
            self.network.relay(node.peer_at, node.listens_at)
        return node

    def make_node(self, *arguments):
        return Node(self, *arguments)

    def of(self, role):
        return [node for node in self.nodes.values() if role in node.roles]

    def start(self, patience=30.0):
        for node in self.nodes.values():
            node.start()
        self.wait_ready(patience=patience)

    def wait_ready(self, *nodes, patience=30.0):
        for node in nodes or self.nodes.values():
            eventually(node.ready, f"{node.name} is ready", patience, node.said)

    def wait_placed(self, patience=60.0):
        """Until every data server leads or follows every slot and has all of each, and all metas
        know it: a table of at most three data servers at rest. In a new cluster nodes are ready
        before that: copies are placed a few at a time."""
        slots = 256

        def placed():
            led = 0
            for node in self.of("data"):
                leads = node.metric("muster_data_slots_led")
                if leads == 0 or leads + node.metric("muster_data_slots_synced") != slots:
                    return False
                led += leads
            metas = [node for node in self.of("meta") if node.is_running()]
            return (led == slots
                    and len({node.metric("muster_meta_table_epoch") for node in metas}) == 1
                    and sum(node.metric("muster_meta_copies_moving") for node in metas) == 0)

        eventually(placed, "every slot has all its copies", patience)

    # ---- faults

    def cut(self, *nodes):
        """The named nodes are cut from all others, and from each other."""
        everybody = [node.ip for node in self.nodes.values()]
        self.network.cut([self.nodes[name].ip for name in nodes], everybody)
        self.cut_off |= set(nodes)

    def partition(self, *groups):
        """Nothing passes between nodes of different groups."""
        for i, some in enumerate(groups):
            for others in groups[i + 1:]:
                self.network.cut([self.nodes[name].ip for name in some],
                                 [self.nodes[name].ip for name in others])

    def heal(self, *nodes):
        self.cut_off -= set(nodes or self.nodes)
        self.network.heal([self.nodes[name].ip for name in nodes] or None)
