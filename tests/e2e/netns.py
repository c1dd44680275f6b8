"""A cluster in network namespaces: each side is a namespace with addresses of its own behind a
switch of its own, and one cable joins the switches. Pulling the cable is a real cut: packets
vanish, no end of a connection is told, and the kernel resends as it does.

Needs root and `ip`; why_not() says what is missing. All names carry the process id, everything is
gone with the test, also the processes in it."""

import ctypes
import os
import shutil
import subprocess
import threading

from cluster import Cluster, Node

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def why_not():
    """Why this machine cannot run such a test; None when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "`ip` (iproute2) is missing"
    try:
        with Sides(1):
            return None
    except OSError as error:
        return f"no network namespaces here: {error}"


def _ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _enter(namespace):
    """This thread is in the namespace from now on."""
    with open(f"/run/netns/{namespace}", encoding="ascii") as file:
        if _libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")


class Sides:
    """`with Sides(2) as sides:` makes that many namespaces that hear each other.

    sides.names[i] is the namespace of side i; add_address(i, number) gives it one more address."""

    def __init__(self, count):
        self.names = [f"muster-{os.getpid()}-{side}" for side in range(count)]
        self.switch = f"muster-{os.getpid()}-switch"

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        _ip("netns", "add", self.switch)
        for side, name in enumerate(self.names):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", self.switch, "link", "add", f"switch{side}", "type", "bridge")
            _ip("-n", self.switch, "link", "set", f"switch{side}", "up")
            _ip("-n", self.switch, "link", "add", f"side{side}", "type", "veth", "peer", "name",
                "eth0", "netns", name)
            _ip("-n", self.switch, "link", "set", f"side{side}", "master", f"switch{side}", "up")
            _ip("-n", name, "link", "set", "eth0", "up")
            if side > 0:
                _ip("-n", self.switch, "link", "add", f"cable{side}", "type", "veth", "peer",
                    "name", f"far{side}")
                _ip("-n", self.switch, "link", "set", f"cable{side}", "master",
                    f"switch{side - 1}", "up")
                _ip("-n", self.switch, "link", "set", f"far{side}", "master", f"switch{side}",
                    "up")

    def __exit__(self, *_):
        for name in (*self.names, self.switch):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def add_address(self, side, number):
        address = f"10.203.0.{number}"
        _ip("-n", self.names[side], "address", "add", f"{address}/24", "dev", "eth0")
        return address

    def cut(self):
        """Pulls the cable between sides 0 and 1."""
        _ip("-n", self.switch, "link", "set", "cable1", "down")

    def heal(self):
        _ip("-n", self.switch, "link", "set", "cable1", "up")


class SidedNode(Node):
    def __init__(self, cluster, name, roles, number, ports):
        super().__init__(cluster, name, roles, number, ports)
        side = cluster.side_of(name)
        self.namespace = cluster.sides.names[side]
        self.ip = self.client_ip = cluster.sides.add_address(side, number)
        self.reach = ("ip", "netns", "exec", self.namespace)
        self.listens_at = self.peer_at = (self.ip, self.listens_at[1])

    def enter(self):
        super().enter()
        _enter(self.namespace)

    def request(self, *arguments, **options):
        """As any node's, asked from where the node is."""
        outcome = []

        def ask():
            try:
                _enter(self.namespace)
                outcome.append((super(SidedNode, self).request(*arguments, **options), None))
            except OSError as error:
                outcome.append((None, error))

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        answer, error = outcome[0]
        if error is not None:
            raise error
        return answer


class SidedCluster(Cluster):
    """`far` names the nodes of side 1; all others are of side 0."""

    def __init__(self, sides, far, *arguments, **options):
        self.sides = sides
        self.far = frozenset(far)
        super().__init__(*arguments, ports=lambda role, number: (9600, 9603, 9610), **options)

    def side_of(self, name):
        return 1 if name in self.far else 0

    def make_node(self, *arguments):
        return SidedNode(self, *arguments)
