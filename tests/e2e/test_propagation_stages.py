"""How long changes take to subscribers: muster_propagation_seconds of real processes, `muster
propagation --stages`, and that what deploy/ asks of /metrics is there."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import yaml

from cluster import Cluster
from harness import Server, eventually, run
from test_native_client import Process

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
STAGES = ("client_to_session", "write_round_trip", "session_to_leader", "leader_to_session",
          "session_to_push", "push_to_ack", "end_to_end")
METRIC = re.compile(r"\bmuster_[a-z0-9_]+")


def counts(*servers):
    """How many durations of each stage were measured, on all of them."""
    return {stage: sum(server.metric("muster_propagation_seconds_count", stage=stage) or 0
                       for server in servers) for stage in STAGES}


def told_metrics(server):
    return {re.split(r"[ {]", line, maxsplit=1)[0]
            for line in server.get("/metrics")[1].splitlines() if not line.startswith("#")}


class OneProcess(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def test_every_stage_of_a_change_is_counted(self):
        server = self.server
        bolt = f"127.0.0.1:{server.bolt_port}"
        with Process("watch", "timed", "-s", bolt) as watcher:
            watcher.line()
            before = counts(server)
            with Process("publish", "timed", "127.0.0.1:7001", "-s", bolt) as provider:
                self.assertIn("registered", provider.line())
                while "127.0.0.1:7001" not in watcher.line():
                    pass
                eventually(lambda: counts(server)["end_to_end"] > before["end_to_end"],
                           "the change is acknowledged and counted")
                after = counts(server)
            for stage in STAGES:
                if stage != "client_to_session":  # said as the connection began, or before
                    self.assertGreater(after[stage], before[stage], stage)
            # The client's end is a change, too.
            eventually(lambda: counts(server)["end_to_end"] > after["end_to_end"],
                       "its end is acknowledged and counted")
            for stage in STAGES[1:]:  # a client's stamps may run ahead of its clock
                self.assertEqual(0, server.metric("muster_propagation_below_zero_total",
                                                  stage=stage), stage)

    def test_whom_nobody_told_anything_before_is_not_counted(self):
        server = self.server
        status, answer = server.request("PUT", "/api/v1/instances/late-1?service=late",
                                        {"boxes": ["127.0.0.1:7003"]})
        self.assertIn(status, (200, 201), answer)
        before = counts(server)
        with Process("watch", "late", "-s", f"127.0.0.1:{server.bolt_port}") as watcher:
            while "127.0.0.1:7003" not in watcher.line():
                pass
            eventually(lambda: server.metric("muster_push_acknowledged_total") >= 1, "acknowledged")
            after = counts(server)
        self.assertEqual(before["end_to_end"], after["end_to_end"])

    def test_what_the_dashboard_and_the_rules_ask_for_is_there(self):
        told = told_metrics(self.server)
        dashboard = json.loads((DEPLOY / "grafana" / "muster.json").read_text())
        asked = set()
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                asked |= set(METRIC.findall(target["expr"]))
        for variable in dashboard["templating"]["list"]:
            asked |= set(METRIC.findall(json.dumps(variable["query"])))
        self.assertGreater(len(asked), 20)
        rules = yaml.safe_load((DEPLOY / "prometheus" / "muster-slo.rules.yaml").read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                asked |= set(METRIC.findall(rule["expr"]))
        self.assertEqual(set(), asked - told)
        bounds = set(re.findall(r'muster_propagation_seconds_bucket\{[^}]*le="([^"]*)"',
                                self.server.get("/metrics")[1]))
        self.assertIn("0.1", bounds, "the rules and the dashboard count up to this one")

    def test_promtool_finds_no_fault_with_the_metrics(self):
        promtool = os.environ.get("MUSTER_PROMTOOL") or shutil.which("promtool")
        if promtool is None:
            self.skipTest("there is no promtool")
        checked = subprocess.run([promtool, "check", "metrics"], text=True, capture_output=True,
                                 input=self.server.get("/metrics")[1], check=False)
        self.assertEqual((0, ""), (checked.returncode, checked.stdout + checked.stderr))


class OfAService(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(1, 2, 2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.wait_placed()

    def stages(self, node, service):
        ended = run("propagation", service, "--stages", "--for", "1m", "-o", "json",
                    "-s", node.http)
        self.assertTrue(ended.stdout, ended.stderr)
        answer = json.loads(ended.stdout)
        return {one["stage"]: one for one in answer["stages"]}

    def test_its_changes_are_measured_when_somebody_asks(self):
        one, two = self.cluster["session-1"], self.cluster["session-2"]
        with Process("watch", "asked", "-s", one.bolt) as first, \
                Process("watch", "asked", "-s", two.bolt) as second:
            for watcher in (first, second):
                watcher.line()
            unasked = json.loads(run("propagation", "asked", "-o", "json", "-s", one.http).stdout)
            self.assertNotIn("stages", unasked)
            self.assertEqual(0, self.stages(one, "asked")["end_to_end"]["count"])
            with Process("publish", "asked", "127.0.0.1:7001", "-s", one.bolt) as provider:
                self.assertIn("registered", provider.line())
                eventually(lambda: self.stages(two, "asked")["end_to_end"]["count"] == 2,
                           "both subscribers' acknowledgements are counted")
                told = self.stages(self.cluster["data-1"], "asked")
            self.assertEqual(2, told["push_to_ack"]["count"])
            self.assertEqual(2, told["leader_to_session"]["count"], "once at each session")
            self.assertEqual(1, told["write_round_trip"]["count"])
            self.assertLessEqual(told["end_to_end"]["p50_us"], told["end_to_end"]["p99_us"])
            self.assertLessEqual(told["end_to_end"]["p99_us"], told["end_to_end"]["max_us"])
            self.assertGreaterEqual(told["end_to_end"]["max_us"], told["push_to_ack"]["max_us"])
            table = run("propagation", "asked", "--stages", "-s", two.http).stdout
            self.assertIn("STAGE", table)
            self.assertRegex(table, r"end_to_end +\d+ +\d+\.\d ms +\d+\.\d ms +\d+\.\d ms +0")

    def test_what_cannot_be_asked(self):
        node = self.cluster["session-1"]
        late = run("propagation", "x", "--stages", "--for", "2h", "-s", node.http)
        self.assertEqual(2, late.returncode)
        self.assertIn("for is a time", late.stderr)
        self.assertEqual(2, run("propagation", "x", "--for", "1m", "-s", node.http).returncode)


if __name__ == "__main__":
    unittest.main()
