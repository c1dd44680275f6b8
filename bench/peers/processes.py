"""Processes of a run: each ends with the runner, however that ends, and is ended by its own id."""

import ctypes
import json
import os
import queue
import random
import signal
import socket
import subprocess
import threading
import time

PR_SET_PDEATHSIG = 1
PATIENCE_S = 90  # for one answer of a loader


class Failed(Exception):
    """What was asked for could not be done; the text says what and why."""


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """Below the range the kernel takes ports from for connections."""
    for _ in range(1000):
        port = random.randrange(10000, 32000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise Failed("no free port was found between 10000 and 32000")


class Process:
    """A program whose output goes to a file."""

    def __init__(self, command, log, **more):
        with open(log, "ab") as sink:
            self.child = subprocess.Popen(  # pylint: disable=consider-using-with
                command, stderr=sink, preexec_fn=die_with_parent,
                **({"stdin": subprocess.DEVNULL, "stdout": sink} | more))
        self.log = log

    def running(self):
        return self.child.poll() is None

    def end(self):
        if self.running():
            self.child.kill()
        self.child.wait()

    def said(self):
        """The end of what it wrote."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def cpu_seconds(self):
        with open(f"/proc/{self.child.pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        with open(f"/proc/{self.child.pid}/statm", encoding="utf-8") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Loader(Process):
    """A load generator: takes commands on standard input, answers with one JSON object a line."""

    def __init__(self, command, log):
        super().__init__(command, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.command = command
        self.answers = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            self.answers.put(line)
        self.answers.put(b"")

    def tell(self, command):
        try:
            self.child.stdin.write(command.encode() + b"\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            self.answer("anything")

    def answer(self, key):
        """The next answer, which must have `key`."""
        try:
            line = self.answers.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise Failed(f"{' '.join(self.command[:2])} did not say '{key}' in {PATIENCE_S} s; it "
                         f"wrote: {self.said()}") from None
        try:
            found = json.loads(line)
        except ValueError:
            found = {}
        if key not in found:
            raise Failed(f"{' '.join(self.command[:2])} was to say '{key}' and said "
                         f"{line[:200]!r}; it wrote: {self.said()}")
        return found


def await_true(condition, process, what):
    """Until `condition()`; Failed when the process ends or it takes too long."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if not process.running():
            raise Failed(f"{what}: the process ended; it wrote: {process.said()}")
        if time.monotonic() > end:
            raise Failed(f"{what}: not in {PATIENCE_S} s; it wrote: {process.said()}")
        time.sleep(0.02)
