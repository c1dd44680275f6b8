"""What a case is told with: a muster server and Java clients as processes, and patient waiting.

Every process is started with its parent's death as its own (setpriv --pdeathsig) and is ended by
its pid when its case ends, passes or not. Nothing here sleeps for a fixed time to wait for an effect:
eventually() looks again until a generous deadline."""

import http.client
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

DEFAULT_ZONE = "DEFAULT_ZONE"
START_WITHIN_S = 30.0
ANSWER_WITHIN_S = 20.0
# A Java client that lost its server comes back within 0.02 to 10 s, now and then a little later.
RETURN_WITHIN_S = 45.0


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

    def __init__(self, case, name):
        self.case = case
        self.folder = os.path.join(case.folder, name)
        self.bolt_port, self.http_port = Ports.take(), Ports.take()
        self.process = None
        os.makedirs(self.folder, exist_ok=True)
        self.start()

    def start(self):
        command = [os.environ["MUSTER_BIN"], "server",
                   "--data-dir", os.path.join(self.folder, "data"),
                   "--set", f"bolt.listen=127.0.0.1:{self.bolt_port}",
                   "--set", f"http.listen=127.0.0.1:{self.http_port}"]
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
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=5)
        try:
            text = None if body is None else json.dumps(body)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def set_config(self, data_id, value, group="DEFAULT_GROUP", tenant="DEFAULT_INSTANCE_ID"):
        path = config_path(tenant, group, data_id)
        status, text = self.request("PUT", path, {"value": value})
        if status not in (200, 201, 204):
            raise Failure(f"PUT {path} answered {status}: {text}")

    def delete_config(self, data_id, group="DEFAULT_GROUP", tenant="DEFAULT_INSTANCE_ID"):
        path = config_path(tenant, group, data_id)
        status, text = self.request("DELETE", path)
        if status not in (200, 204):
            raise Failure(f"DELETE {path} answered {status}: {text}")


def config_path(*parts):
    return "/api/v1/config/" + "/".join(urllib.parse.quote(part, safe="") for part in parts)


def tail(path, lines=12):
    try:
        with open(path, "r", errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError as e:
        return str(e)


class Client:
    """A JVM with one registry client (Driver.java) and the events it told."""

    def __init__(self, case, driver, server, name, zone, options):
        self.case, self.server, self.name = case, server, name
        folder = os.path.join(case.folder, name)
        os.makedirs(folder, exist_ok=True)
        self.process = Process(java_command(driver, folder), os.path.join(folder, "client.log"),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        case.owned.append(self.process)
        self.events, self.replies = [], {}
        self.names = []
        self.ids = itertools.count(1)
        threading.Thread(target=self._read, daemon=True).start()
        self.tell("open", port=server.http_port, zone=zone, **options)

    def _read(self):
        for line in self.process.child.stdout:
            message = json.loads(line)
            if "event" in message:
                self.events.append(message)
            else:
                self.replies[message["reply"]] = message

    def tell(self, command, **arguments):
        number = next(self.ids)
        line = json.dumps({"cmd": command, "id": number, **arguments}) + "\n"
        try:
            self.process.child.stdin.write(line.encode("ascii"))
            self.process.child.stdin.flush()
        except OSError as e:
            raise Failure(f"JVM {self.name} is gone ({e}): {tail(self.process.log)}") from e
        self.case.eventually(f"JVM {self.name} carries out {command}",
                             lambda: (number in self.replies, None), START_WITHIN_S)
        reply = self.replies.pop(number)
        if "error" in reply:
            raise Failure(f"JVM {self.name}: {command}: {reply['error']}")
        return reply

    def _name(self, kind):
        self.names.append(f"{kind}-{len(self.names) + 1}")
        return self.names[-1]

    def publish(self, data_id, *boxes, **options):
        name = self._name("publisher")
        self.tell("publish", name=name, data_id=data_id, boxes=list(boxes), **options)
        return Publisher(self, name)

    def publish_null_list(self, data_id):
        name = self._name("publisher")
        self.tell("publish", name=name, data_id=data_id, boxes=None)
        return Publisher(self, name)

    def subscribe(self, data_id, scope="dataCenter", **options):
        name = self._name("subscriber")
        self.tell("subscribe", name=name, data_id=data_id, scope=scope, **options)
        return Subscriber(self, name)

    def configure(self, data_id):
        name = self._name("configurator")
        self.tell("configure", name=name, data_id=data_id)
        return Configurator(self, name)

    def kill(self):
        self.process.kill()

    def connections(self):
        """The local ports of this JVM's established connections to the bolt port."""
        inodes = set()
        folder = f"/proc/{self.process.pid}/fd"
        for fd in os.listdir(folder):
            try:
                inodes.add(os.readlink(f"{folder}/{fd}"))
            except OSError:
                pass  # closed meanwhile
        ports = set()
        with open(f"/proc/{self.process.pid}/net/tcp") as table:
            for row in list(table)[1:]:
                fields = row.split()
                remote_port, established = int(fields[2].split(":")[1], 16), fields[3] == "01"
                if remote_port == self.server.bolt_port and established:
                    if f"socket:[{fields[9]}]" in inodes:
                        ports.add(int(fields[1].split(":")[1], 16))
        return ports

    def is_back(self, before, within=RETURN_WITHIN_S):
        """Connected anew, and every registration acknowledged on the new connection."""
        def probe():
            now = self.connections()
            if not now or now & before:
                return False, f"connections {now}"
            views = {name: self.tell("view", name=name)["registered"] for name in self.names}
            return all(views.values()), views
        self.case.eventually(f"JVM {self.name} has reconnected and registered anew", probe, within)


class Registration:
    def __init__(self, client, name):
        self.client, self.name, self.case = client, name, client.case

    def look(self):
        return self.client.tell("view", name=self.name)

    def is_registered(self):
        self.case.eventually(f"{self.name} is registered",
                             lambda: (self.look()["registered"], None))
        return self

    def leave(self):
        """Unregisters for good."""
        self.client.names.remove(self.name)
        self.client.tell("unregister", name=self.name)


class Publisher(Registration):
    def republish(self, *boxes):
        self.client.tell("republish", name=self.name, boxes=list(boxes))

    def republish_many(self, prefix, times):
        self.client.tell("republish_many", name=self.name, prefix=prefix, times=times)


class Subscriber(Registration):
    def callbacks(self):
        """The lists the observer was given, oldest first: {zone: sorted boxes}, no empty zones."""
        return [plain(event["zones"]) for event in list(self.client.events)
                if event["name"] == self.name]

    def shows(self, *boxes, zone=DEFAULT_ZONE, within=ANSWER_WITHIN_S):
        self.shows_zones({zone: list(boxes)} if boxes else {}, within)

    def shows_zones(self, zones, within=ANSWER_WITHIN_S):
        """The observer was given exactly this, and it is what the client holds now."""
        wanted = plain(zones)

        def probe():
            told = self.callbacks()
            if not told or wanted not in told:
                return False, told[-1:] or "no callback yet"
            held = plain(self.look()["zones"])
            return held == wanted, held
        self.case.eventually(f"{self.client.name}/{self.name} shows {short(wanted, 200)}", probe,
                             within)

    def never_lacked(self, *boxes, since=0):
        """No list given to the observer after the first `since` ones missed any of these boxes."""
        for number, zones in enumerate(self.callbacks()[since:], since):
            missing = set(boxes) - set(itertools.chain.from_iterable(zones.values()))
            if missing:
                raise Failure(f"{self.client.name}/{self.name}: callback {number} falsely lacks "
                              f"{short(sorted(missing))}: it shows {short(zones)}")


class Configurator(Registration):
    def values(self):
        return [event["value"] for event in list(self.client.events)
                if event["name"] == self.name]

    def shows(self, value, within=ANSWER_WITHIN_S):
        def probe():
            told = self.values()
            if value not in told:
                return False, told[-1:] or "no callback yet"
            held = self.look()["value"]
            return held == value, held
        self.case.eventually(f"{self.client.name}/{self.name} shows {short(value, 200)}", probe,
                             within)


def plain(zones):
    return {zone: sorted(boxes, key=lambda box: (box is not None, box or ""))
            for zone, boxes in zones.items() if boxes}


def java_command(driver, folder):
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m",
            "--add-opens", "java.base/java.lang=ALL-UNNAMED",
            "--add-opens", "java.base/java.util=ALL-UNNAMED",
            "-Djava.net.preferIPv4Stack=true", "-Dfile.encoding=UTF-8",
            f"-Duser.home={folder}", f"-Dlogging.path={folder}",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp", os.path.join(driver, "driver.jar") + ":" + os.path.join(driver, "lib", "*"),
            "muster.conformance.Driver"]


class Case:
    """The stage of one case: its folder, its deadline and what must be ended after it."""

    def __init__(self, folder, driver, other_driver, seconds):
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

    def server(self):
        return Server(self, f"server-{next(self.server_count)}")

    def client(self, server, zone="", other_version=False, **options):
        driver = self.other_driver if other_version else self.driver
        name = f"client-{next(self.client_count)}"
        return Client(self, driver, server, name, zone, options)

    def close(self):
        for process in self.owned:
            process.kill()


def end_everything():
    """For signals: no child outlives this process."""
    for child in list(Process.living.values()):
        try:
            os.kill(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
