"""A real server of its own for each test: free loopback ports, a data folder that goes with it."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

MUSTER = os.environ.get("MUSTER_BIN", "muster")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

_given_ports = set()


def free_port():
    """Below the range the kernel takes ports from for connections: a free one stays free until its
    server listens, and while the server is away. None is given twice."""
    for _ in range(1000):
        port = random.randrange(10000, 32000)
        if port in _given_ports:
            continue
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
                _given_ports.add(port)
                return port
            except OSError:
                pass
    raise AssertionError("no free port found")


def run(*arguments, timeout=20):
    """Runs `muster ARGUMENTS`; gives the finished process with its output as text."""
    return subprocess.run([MUSTER, *arguments], capture_output=True, text=True, timeout=timeout)


def stand_still(process):
    """Stops a child until SIGCONT; it does nothing more when this returns."""
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)


def golden(name):
    """The bytes of a golden vector: one whole frame as a Java client sends it."""
    with open(os.path.join(ROOT, "api", "bolt", "golden", name + ".bin"), "rb") as file:
        return file.read()


def eventually(condition, what, patience=20.0, context=lambda: ""):
    """Waits until `condition()` is true; otherwise an AssertionError names `what`, `context()`."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"not within {patience} s: {what} {context()}")


class Server:
    """`with Server() as server:` starts one and waits until it is ready."""

    def __init__(self, *settings, environment=None):
        self.settings = settings
        self.environment = environment
        self.folder = tempfile.mkdtemp(prefix="muster-e2e-")
        self.bolt_port = free_port()
        self.http_port = free_port()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def http(self):
        return f"127.0.0.1:{self.http_port}"

    def command(self):
        command = [MUSTER, "server", "--data-dir", os.path.join(self.folder, "data"),
                   "--set", f"bolt.listen=127.0.0.1:{self.bolt_port}",
                   "--set", f"http.listen=127.0.0.1:{self.http_port}"]
        for setting in self.settings:
            command += ["--set", setting]
        return command

    def launch(self, preexec=None):
        """Starts it, and does not wait."""
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log,
                                        env=self.environment, preexec_fn=preexec)

    def start(self):
        self.launch()
        eventually(self.ready, "the server is ready", context=self.said)

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError("the server ended: " + self.said())
        try:
            return self.get("/health/ready")[0] == 200
        except OSError:
            return False

    def said(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)
        self.log.close()

    def request(self, method, path, body=None, timeout=15):
        """Status and body as text; never raises for an HTTP error."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.http}{path}", data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def get(self, path, timeout=15):
        return self.request("GET", path, timeout=timeout)

    def metric(self, name, **labels):
        """The value of one metric; 0 when it is not shown."""
        return metric_in(self.get("/metrics")[1], name, **labels)

    def metrics(self, *names):
        """The values of several, all of one moment."""
        text = self.get("/metrics")[1]
        return [metric_in(text, name) for name in names]

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.bolt_port), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def metric_in(text, name, **labels):
    wanted = {f'{key}="{value}"' for key, value in labels.items()}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        key, _, value = line.rpartition(" ")
        base, _, rest = key.partition("{")
        if base == name and wanted <= set(rest.rstrip("}").split(",")) - {""}:
            return float(value)
    return 0.0


def read_frame(connection):
    """One bolt protocol-1 frame as (type, command, request id, status or timeout, class, content);
    None when the server closed the connection."""
    head = _read(connection, 20)
    if head is None:
        return None
    if head[1] == 0:
        status = int.from_bytes(head[10:12], "big")
        lengths = head[12:20]
    else:
        head += _read(connection, 2)
        status = int.from_bytes(head[10:14], "big", signed=True)
        lengths = head[14:22]
    name = _read(connection, int.from_bytes(lengths[0:2], "big"))
    _read(connection, int.from_bytes(lengths[2:4], "big"))
    content = _read(connection, int.from_bytes(lengths[4:8], "big"))
    request = int.from_bytes(head[5:9], "big", signed=True)
    return head[1], int.from_bytes(head[2:4], "big"), request, status, name.decode(), content


def _read(connection, size):
    data = b""
    while len(data) < size:
        try:
            part = connection.recv(size - len(data))
        except ConnectionError:
            return None
        if not part:
            return None
        data += part
    return data


def closed_by_server(connection):
    """Whether the server closes without sending a frame."""
    return read_frame(connection) is None
