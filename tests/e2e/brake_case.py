"""What tests of the brake share: clusters, crowds of clients, what is held and shown."""

import json
import unittest

from balancer import Balancer
from churn import _Lines
from cluster import Cluster
from crowd import Crowd
from harness import eventually, free_port, run


class Watch:
    """What one subscriber is told: how many there are, and the fewest since reset()."""

    def __init__(self, service, node):
        self.count = 0
        self.least = None
        self.version = 0
        self.fell = False
        self.lines = _Lines("watch", service, "-o", "json", "-s", node.bolt, take=self.take)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.end()

    def take(self, line):
        told = json.loads(line)
        self.count = len(told["instances"])
        self.least = self.count if self.least is None else min(self.least, self.count)
        self.fell = self.fell or int(told["version"]) < self.version
        self.version = int(told["version"])

    def wait(self, count, what):
        eventually(lambda: self.count == count, f"{count} are listed {what}", 30,
                   lambda: f"but {self.count} are")

    def reset(self):
        self.least = self.count


class BrakeCase(unittest.TestCase):
    def begin(self, *settings, metas=1, data=2, sessions=2):
        """A cluster whose clients come through a balancer, as far as they are told of it."""
        self.cluster = Cluster(metas, data, sessions, settings=settings)
        routes = {}
        for node in self.cluster.of("session"):
            node.front = f"127.0.0.1:{free_port()}"
            node.settings = (f"advertise={node.front}",)
            routes[node.front] = node.bolt
        self.balancer = self.enterContext(Balancer(routes))
        self.enterContext(self.cluster)
        self.one, self.two = self.cluster.of("session")

    def crowd(self, service, first_port, *homes):
        return self.enterContext(Crowd(service, first_port, *homes))

    def watch(self, service, node):
        return self.enterContext(Watch(service, node))

    def brakes(self, node):
        status, text = node.get("/api/v1/brake")
        self.assertEqual(status, 200, text)
        answer = json.loads(text)
        self.assertEqual(answer["silent"], [], text)
        return answer["brakes"]

    def only_brake(self, what, **expected):
        """Every node shows exactly one brake, and this is it."""
        for node in self.cluster.nodes.values():
            lines = []

            def shown():
                lines[:] = self.brakes(node)
                return [{key: line[key] for key in expected} for line in lines] == [expected]

            # A meta tells of sessions what they said with their last heartbeat.
            eventually(shown, f"{node.name} shows {expected} {what}", 10, lambda: f"but {lines}")
        return lines[0]

    def no_brake(self, what):
        eventually(lambda: self.brakes(self.two) == [], f"the brake is off {what}", 30,
                   lambda: f"but {self.brakes(self.two)}")
        self.assertIn("the brake holds nothing", run("brake", "-s", self.one.http).stdout
                      + run("brake", "-s", self.one.http).stderr)

    def suspects(self):
        held = {node.name: node.metric("muster_session_suspects")
                for node in self.cluster.of("session")}
        held |= {node.name: node.metric("muster_data_suspects")
                 for node in self.cluster.of("data")}
        return {name: int(count) for name, count in held.items() if count > 0}

    def wait_suspects(self, expected, what):
        eventually(lambda: self.suspects() == expected, f"suspects are {expected} {what}", 30,
                   lambda: f"but {self.suspects()}")

    def wait_decided(self, service, count, why):
        """What was held of `service` is in its history, with that reason in a sentence."""
        def told():
            ended = run("history", service, "--limit", "1000", "-o", "json", "-s", self.one.http)
            return [record["why"] for record in json.loads(ended.stdout)["records"]
                    if record["reason"] == "brake_confirmed"]
        eventually(lambda: told() == [why] * count, f"{service} tells it {count} times", 30, told)

    def decide(self, action, *what, at):
        ended = run("brake", action, *what, "-s", at.http)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended.stdout
