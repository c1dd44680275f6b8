"""Processes, ports and patient waiting, and the muster server as a process.

Every process is started with its parent's death as its own (setpriv --pdeathsig) and is ended by
its pid when its case ends, passes or not. Nothing sleeps for a fixed time to wait for an effect:
eventually() looks again until a generous deadline."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

# What a Java client means when it names none.
TENANT, GROUP = "DEFAULT_INSTANCE_ID", "DEFAULT_GROUP"

START_WITHIN_S = 30.0
ANSWER_WITHIN_S = 20.0


class Failure(Exception):
    """What was expected of the server did not happen."""


class Deadline:
    """The time a whole case may take; every wait ends with it."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def eventually(self, what, probe, within=ANSWER_WITHIN_S):
        """Calls probe() until it gives (True, anything); Failure with what it saw last."""
        end = min(time.monotonic() + within, self.end)
        while True:
            holds, seen = probe()
            if holds:
                return seen
            if time.monotonic() > end:
                raise Failure(f"{what}: not within {within:.0f} s; last seen: {short(seen)}")
            time.sleep(0.01)


def short(value, limit=400):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


class Ports:
    """Free TCP ports below the ephemeral range: a client that retries a dead port inside that range
    can connect to itself, and a restarted server must find its port free."""

    lock = threading.Lock()
    given = set()

    @classmethod
    def take(cls):
        with cls.lock:
            for _ in range(1000):
                port = random.randrange(15000, 32000)
                if port not in cls.given and cls._is_free(port):
                    cls.given.add(port)
                    return port
        raise Failure("no free port found")

    @staticmethod
    def _is_free(port):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return True
            except OSError:
                return False


class Process:
    """A child, its standard error in a file; ended by pid."""

    living = {}

    def __init__(self, command, log, **options):
        self.log = log
        with open(log, "ab") as err:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--"] + command, stderr=err, **options)
        Process.living[self.child.pid] = self.child

    @property
    def pid(self):
        return self.child.pid

    def signal(self, number):
        self.child.send_signal(number)

    def kill(self):
        """SIGKILL, and waits until the kernel has taken the process down."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        Process.living.pop(self.child.pid, None)


class Server:
    """One muster server whose ports and data folder stay the same across restarts."""

    def __init__(self, case, name, settings=()):
        self.case, self.settings = case, settings
        self.folder = os.path.join(case.folder, name)
        self.bolt_port, self.http_port = Ports.take(), Ports.take()
        self.process = None
        os.makedirs(self.folder, exist_ok=True)
        self.start()

    @property
    def bolt_ports(self):
        """Where its clients may be connected."""
        return {self.bolt_port}

    def start(self):
        command = [os.environ["MUSTER_BIN"], "server",
                   "--data-dir", os.path.join(self.folder, "data"),
                   "--set", f"bolt.listen=127.0.0.1:{self.bolt_port}",
                   "--set", f"http.listen=127.0.0.1:{self.http_port}"]
        for setting in self.settings:
            command += ["--set", setting]
        with open(os.path.join(self.folder, "server.out"), "ab") as out:
            self.process = Process(command, os.path.join(self.folder, "server.log"), stdout=out,
                                   stdin=subprocess.DEVNULL)
        self.case.owned.append(self.process)
        self.case.eventually("GET /health/ready answers 200", self._ready, START_WITHIN_S)

    def _ready(self):
        if self.process.child.poll() is not None:
            raise Failure(f"the server ended at once with status {self.process.child.returncode}; "
                          f"its log: {tail(self.process.log)}")
        try:
            status = self.request("GET", "/health/ready")[0]
            return status == 200, status
        except OSError as e:
            return False, e

    def kill(self):
        self.process.kill()

    def request(self, method, path, body=None):
        """Status and text; `body` is sent as UTF-8 text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=5)
        try:
            headers = {} if body is None else {"Content-Type": "text/plain; charset=utf-8"}
            connection.request(method, path, None if body is None else body.encode(), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def _change(self, method, path, body=None):
        status, text = self.request(method, path, body)
        if status != 200:
            raise Failure(f"{method} {path} answered {status}: {text}")

    def set_config(self, data_id, value):
        self._change("PUT", config_path(data_id), value)

    def delete_config(self, data_id):
        self._change("DELETE", config_path(data_id))

    def subscriber_ids(self, data_id):
        """Registration ids of those who subscribe, as the server knows them."""
        key = urllib.parse.quote(data_id, safe="")
        path = f"/api/v1/services/{TENANT}/{GROUP}/{key}/subscribers"
        status, text = self.request("GET", path)
        if status != 200:
            raise Failure(f"GET {path} answered {status}: {text}")
        return sorted(subscriber["id"] for subscriber in json.loads(text)["subscribers"])


def config_path(data_id):
    return f"/api/v1/config/{TENANT}/{GROUP}/{urllib.parse.quote(data_id, safe='')}"


def tail(path, lines=12):
    try:
        with open(path, "r", errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError as e:
        return str(e)


def end_everything():
    """For signals: no child outlives this process."""
    for child in list(Process.living.values()):
        try:
            os.kill(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
