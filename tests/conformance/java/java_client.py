"""The Java client as a process: one JVM with one registry client, and its registrations."""

import itertools
import json
import os
import re
import subprocess
import threading

from processes import ANSWER_WITHIN_S, START_WITHIN_S, Failure, Process, short, tail

DEFAULT_ZONE = "DEFAULT_ZONE"
# A client that lost its server comes back within 0.02 to 11 s, on a busy machine later.
RETURN_WITHIN_S = 45.0
# The one place where the client tells the version of a list: its API has none. It says so of every
# list that is pushed, also of one that it ignores because it holds a newer one, and before it
# acknowledges it. All its classes use one logger here.
CLIENT_LOGGER = "com.alipay.sofa.common.log"
PUSHED = re.compile(r"receive subscriber data save \w+, dataId: (\S*) group: \S* version: (\d+)"
                    r" data:(.*) registIds")
BOX = re.compile(r"DataBox\{data='([^']*)'\}")


class Client:
    """A JVM with one registry client (Driver.java) and the events it told."""

    def __init__(self, case, driver, server, name, zone, log_level, options):
        self.case, self.server, self.name = case, server, name
        folder = os.path.join(case.folder, name)
        os.makedirs(folder, exist_ok=True)
        self.process = Process(java_command(driver, folder, log_level),
                               os.path.join(folder, "client.log"), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
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

    def pushes(self, data_id):
        """(version, boxes) of the lists the registry pushed to it, oldest first; of one who was
        opened with log_level="info"."""
        with open(self.process.log, encoding="utf-8", errors="replace") as log:
            found = [PUSHED.search(line) for line in log]
        return [(int(line.group(2)), frozenset(BOX.findall(line.group(3)))) for line in found
                if line and line.group(1) == data_id]

    def connections(self, to=None):
        """The local ports of this JVM's established connections to the server's bolt ports, or to
        the one given."""
        wanted = {to} if to else self.server.bolt_ports
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
                if remote_port in wanted and established:
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


def wrong_versions(clients, data_id):
    """Sentences about versions in what was pushed to them: one fell, or two lists have the same. A
    client that comes to another session may be pushed the list it has once more: it cannot say that
    it has it."""
    lists = {}
    for client in clients:
        newest = 0
        for version, boxes in client.pushes(data_id):
            if version < newest:
                yield f"{client.name} was pushed version {version} after {newest}"
            newest = max(newest, version)
            if lists.setdefault(version, boxes) != boxes:
                yield (f"{client.name} was pushed {short(sorted(boxes))} as version {version}, "
                       f"which also is {short(sorted(lists[version]))}")


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
        return [zones for _, zones in self.timed_callbacks()]

    def timed_callbacks(self):
        # The client calls observers from several threads: what was given later may be said earlier.
        events = [event for event in list(self.client.events) if event["name"] == self.name]
        return [(event["at"], plain(event["zones"]))
                for event in sorted(events, key=lambda event: event["order"])]

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
                              f"{short(sorted(missing))}: it shows {short(zones)}; all of them: "
                              f"{short(self.timed_callbacks(), 2000)}")


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


def java_command(driver, folder, log_level):
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m",
            "--add-opens", "java.base/java.lang=ALL-UNNAMED",
            "--add-opens", "java.base/java.util=ALL-UNNAMED",
            "-Djava.net.preferIPv4Stack=true", "-Dfile.encoding=UTF-8",
            f"-Duser.home={folder}", f"-Dlogging.path={folder}",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            f"-Dorg.slf4j.simpleLogger.log.{CLIENT_LOGGER}={log_level}",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp", os.path.join(driver, "driver.jar") + ":" + os.path.join(driver, "lib", "*"),
            "muster.conformance.Driver"]
