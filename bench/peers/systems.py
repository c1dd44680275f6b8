"""Muster, ZooKeeper and etcd: how each is found, started on loopback, and loaded."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

from processes import Failed, Loader, Process, await_true, free_port

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
JARS = pathlib.Path("/usr/share/java")
LOADERS = ROOT / "build/peers"  # built by prepare(); Muster's own is beside muster


class Missing(Exception):
    """A peer, its loader, or what that needs is not here; the text says what to do."""


class System:
    """One registry under load; `with` ends its processes. Subclasses say how it is started."""

    name = ""
    batch = 500         # registrations in one batch, as far as its defaults allow
    watchers_each = 10_000  # that one loader process may hold

    def __init__(self, folder, programs):
        self.folder = os.path.join(folder, self.name)
        self.programs = programs  # folder of muster and its loader
        self.port = free_port()
        self.servers = []
        self.loaders = []
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for process in self.servers + self.loaders:
            process.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self, command):
        process = Process(command, os.path.join(self.folder, f"server-{len(self.servers)}.log"))
        self.servers.append(process)
        return process

    def load(self, *arguments):
        loader = Loader([*self.loader_command(), *(str(argument) for argument in arguments)],
                        os.path.join(self.folder, f"loader-{len(self.loaders)}.log"))
        self.loaders.append(loader)
        return loader

    def cpu_seconds(self):
        return sum(server.cpu_seconds() for server in self.servers)

    def loader_cpu_seconds(self):
        return sum(loader.cpu_seconds() for loader in self.loaders)

    def rss_bytes(self):
        return sum(server.rss_bytes() for server in self.servers)

    def wire_bytes(self):
        """Payload both ways on the server's client connections that are open, as TCP counts it."""
        done = subprocess.run(["ss", "-tinHO", "state", "established",
                               f"( sport = :{self.port} )"],
                              capture_output=True, text=True, check=True)
        return sum(int(count) for count in
                   re.findall(r"\bbytes_(?:sent|received):(\d+)", done.stdout))

    @classmethod
    def prepare(cls, programs, build):
        """Its name and version for people. Builds the loader, or only looks for it.

        Errors: Missing, Failed.
        """
        raise NotImplementedError

    def await_durable(self, _registrations):
        """Waits until so many are as durable as this system makes them; how long, in seconds. At
        once for those that answer no sooner."""
        return 0.0

    def start(self):
        raise NotImplementedError

    def loader_command(self):
        raise NotImplementedError


def answers_http(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


class Muster(System):
    """All roles in one process."""

    name = "muster"

    @classmethod
    def prepare(cls, programs, build):
        for program in ("muster", "muster-peer-loader"):
            if not (programs / program).exists():
                raise Missing(f"{program} is not built in {programs}: ./dev bench peers builds it")
        return "Muster"

    def muster(self, *arguments):
        # The load generator sends no heartbeats, which clients of the others do.
        return self.serve([str(self.programs / "muster"), "server", "--set",
                           "bolt.idle_timeout=1h", *arguments])

    def start(self):
        http = free_port()
        server = self.muster("--data-dir", os.path.join(self.folder, "data"),
                             "--set", f"bolt.listen=127.0.0.1:{self.port}",
                             "--set", f"http.listen=127.0.0.1:{http}")
        await_true(lambda: answers_http(f"http://127.0.0.1:{http}/health/ready"), server,
                   "Muster was to become ready")

    def loader_command(self):
        return [str(self.programs / "muster-peer-loader")]


class MusterPair(Muster):
    """Two processes: one with all roles, and a data server; each follows the slots of the other."""

    SLOTS = 256

    def start(self):
        peer, self.https = free_port(), [free_port(), free_port()]
        for number, roles in enumerate(("meta,data,session", "data")):
            self.muster("--roles", roles, "--node-id", f"node-{number}",
                        "--join", f"node-0=127.0.0.1:{peer}",
                        "--data-dir", os.path.join(self.folder, f"data-{number}"),
                        "--set", f"cluster.secret=peers-{self.folder}",
                        "--set", f"cluster.listen=127.0.0.1:{peer if number == 0 else free_port()}",
                        "--set", f"http.listen=127.0.0.1:{self.https[number]}",
                        *(["--set", f"bolt.listen=127.0.0.1:{self.port}"] if number == 0 else []))
        await_true(lambda: self.metric("muster_data_slots_settled") == self.SLOTS
                   and self.metric("muster_data_slots_synced") == self.SLOTS, self.servers[1],
                   "each slot was to have a leader and a follower in step")

    def await_durable(self, registrations):
        """An answer comes when the leader has it; the follower has it a little later."""
        answered = time.monotonic()
        await_true(lambda: self.metric("muster_data_publications_followed") >= registrations,
                   self.servers[1], f"followers were to have {registrations} publications")
        return time.monotonic() - answered

    def metric(self, name):
        """The sum over both processes; zero when one does not answer."""
        total = 0.0
        for port in self.https:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as page:
                    text = page.read().decode()
            except (OSError, urllib.error.URLError):
                return 0.0
            total += sum(float(value) for value in
                         re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))
        return total


class ZooKeeper(System):
    """One server of Debian's jars with the defaults of its configuration: it syncs each write."""

    name = "zookeeper"
    watchers_each = 3200  # a client takes two threads and five descriptors
    NEEDED = ("zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-nop", "netty-all", "metrics-core",
              "snappy-java", "commons-cli")
    CLASSPATH = ":".join(str(JARS / f"{name}.jar") for name in NEEDED)

    @classmethod
    def prepare(cls, programs, build):
        missing = [name for name in cls.NEEDED if not (JARS / f"{name}.jar").exists()]
        if missing or not shutil.which("java") or not shutil.which("javac"):
            raise Missing("ZooKeeper, its Java client or a JDK is not here: apt-get install "
                          "libzookeeper-java openjdk-17-jdk-headless, or ./dev bench peers, which "
                          "installs them")
        sources = sorted(str(path) for path in (HERE / "zookeeper").glob("*.java"))
        make_loader(["javac", "-nowarn", "-cp", cls.CLASSPATH, "-d", str(LOADERS / "zookeeper"),
                     *sources], HERE, LOADERS / "zookeeper", build)
        versions = [path.stem for path in JARS.glob("zookeeper-[0-9]*.jar")]
        return "ZooKeeper" + " ".join(versions).removeprefix("zookeeper").replace("-", " ")

    def start(self):
        config = os.path.join(self.folder, "zoo.cfg")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"tickTime=2000\ndataDir={self.folder}/data\nclientPort={self.port}\n"
                       "clientPortAddress=127.0.0.1\nmaxClientCnxns=0\nadmin.enableServer=false\n")
        server = self.serve(["java", "-cp", self.CLASSPATH,
                             "org.apache.zookeeper.server.quorum.QuorumPeerMain", config])
        await_true(self.serves, server, "ZooKeeper was to become ready")

    def serves(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as door:
                door.sendall(b"srvr")
                return b"Mode: standalone" in door.recv(4096)
        except OSError:
            return False

    def loader_command(self):
        return ["java", "-Dzookeeper.sasl.client=false", "-cp",
                f"{self.CLASSPATH}:{LOADERS}/zookeeper", "muster.peers.Main"]


class Etcd(System):
    """One server of Debian's package with its defaults: it syncs each write."""

    name = "etcd"
    batch = 128  # --max-txn-ops

    @classmethod
    def prepare(cls, programs, build):
        if not shutil.which("etcd") or not shutil.which("go"):
            raise Missing("etcd, or Go for its client, is not here: apt-get install etcd-server "
                          "golang-go, or ./dev bench peers, which installs them")
        make_loader(["go", "build", "-o", str(LOADERS / "etcd"), "."], HERE / "etcd",
                    LOADERS / "etcd", build)
        said = subprocess.run(["etcd", "--version"], capture_output=True, text=True, check=True)
        return said.stdout.splitlines()[0].replace(" Version:", "")

    def start(self):
        peer = f"http://127.0.0.1:{free_port()}"
        client = f"http://127.0.0.1:{self.port}"
        server = self.serve(["etcd", "--data-dir", os.path.join(self.folder, "data"),
                             "--listen-client-urls", client, "--advertise-client-urls", client,
                             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                             "--initial-cluster", f"default={peer}"])
        await_true(lambda: answers_http(f"{client}/health"), server, "etcd was to become ready")

    def loader_command(self):
        return [str(LOADERS / "etcd")]


def make_loader(command, folder, out, build):
    if not build:
        if not out.exists():
            raise Missing(f"the load generator {out} was not built: ./dev bench peers --tiny "
                          "builds it, the first time with Go modules from the network")
        return
    LOADERS.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command[:2])} could not build a loader (the first time it needs "
                     f"the network for Go modules): {(done.stdout + done.stderr)[-2000:]}")
