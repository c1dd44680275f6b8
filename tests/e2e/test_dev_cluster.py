"""`./dev cluster`, as in the README: what each of its verbs does to a cluster of 3 metas, 3 data
servers and 2 sessions, seen in its own table and in what the metas say; and nobody who watches
misses anything."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import types
import unittest

from churn import Churn
from harness import ROOT, eventually, run

SCRIPT = os.path.join(ROOT, "scripts", "dev_cluster.py")


class Users(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="muster-dev-")
        self.addCleanup(folder.cleanup)
        self.outside = folder.name
        self.folder = os.path.join(folder.name, "cluster")

    # ---- the command

    def arguments(self, *words, folder=None):
        return [sys.executable, "-B", SCRIPT, *words, "--folder", folder or self.folder]

    def dev(self, *words, folder=None):
        return subprocess.run(self.arguments(*words, folder=folder), capture_output=True,
                              text=True, check=False, timeout=60)

    def does(self, *words):
        done = self.dev(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def refuses(self, sentence, *words, folder=None):
        done = self.dev(*words, folder=folder)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, f"dev cluster: {sentence}\n")

    # ---- what is seen

    def table(self):
        """name -> its row, by the heads of the columns"""
        head, *rows = (line.split() for line in self.does("status").splitlines())
        return {row[0]: dict(zip(head, row)) for row in rows}

    def state(self, name):
        return self.table()[name]["STATE"]

    def member(self, name, asked="meta-1"):
        shown = run("members", "-o", "json", "-s", self.http[asked])
        self.assertEqual(shown.returncode, 0, shown.stderr)
        members = json.loads(shown.stdout)["members"]
        return next(member for member in members if member["node"] == name)

    def becomes(self, name, state, asked="meta-1"):
        """So the metas call it, sooner or later."""
        eventually(lambda: self.member(name, asked)["state"] == state, f"{name} is {state}")

    def becomes_ready(self, name):
        eventually(lambda: self.state(name) == "ready", f"{name} is ready")
        if not name.startswith("meta"):
            self.becomes(name, "live")

    # ---- the story

    def test_each_verb_does_what_it_says(self):
        with subprocess.Popen(self.arguments("--free-ports"), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as up:
            try:
                self.started(up)
                with Churn(self.as_cluster()) as churn:
                    self.kill_and_restart(churn)
                    self.pause_and_resume(churn)
                    self.cut_and_heal(churn)
                    self.assertEqual(churn.violations, [])
                self.refuse()
                self.stop(up)
            finally:
                up.send_signal(signal.SIGTERM)
        self.start_anew()

    def started(self, up):
        said = ""
        while "ends all of it." not in said:
            line = up.stdout.readline()
            self.assertTrue(line, said)
            said += line
        rows = self.table()
        self.assertEqual(list(rows), [*(f"meta-{n}" for n in (1, 2, 3)),
                                      *(f"data-{n}" for n in (1, 2, 3)), "session-1", "session-2"])
        self.assertEqual({row["STATE"] for row in rows.values()}, {"ready"})
        for name in rows:
            self.assertIn(f"\n{name} ", "\n" + said, "what it prints first is the table")
        self.pids = {name: int(row["PID"]) for name, row in rows.items()}
        self.http = {name: row["HTTP"] for name, row in rows.items()}
        self.bolt = {name: row["CLIENTS"] for name, row in rows.items() if "session" in name}

    def as_cluster(self):
        sessions = [types.SimpleNamespace(bolt=bolt, reach=()) for bolt in self.bolt.values()]
        return types.SimpleNamespace(of=lambda role: sessions)

    def kill_and_restart(self, churn):
        before = self.member("data-2")
        self.assertIn("was killed", self.does("kill", "data-2"))
        self.assertEqual((self.state("data-2"), self.table()["data-2"]["PID"]), ("stopped", "-"))
        self.becomes("data-2", "dead")
        churn.probe("data-2 is killed")
        self.refuses("data-2 does not run; ./dev cluster restart data-2 starts it", "pause",
                     "data-2")
        self.does("restart", "data-2")
        self.becomes_ready("data-2")
        self.assertGreater(int(self.member("data-2")["incarnation"]), int(before["incarnation"]))
        self.pids["data-2"] = int(self.table()["data-2"]["PID"])
        churn.probe("data-2 is there again")

    def pause_and_resume(self, churn):
        self.does("pause", "data-1")
        self.assertEqual(self.state("data-1"), "paused")
        with open(f"/proc/{self.pids['data-1']}/stat", encoding="ascii") as file:
            self.assertEqual(file.read().split()[2], "T")
        self.becomes("data-1", "dead")
        churn.probe("data-1 stands still")
        self.does("resume", "data-1")
        self.becomes_ready("data-1")
        self.assertEqual(int(self.table()["data-1"]["PID"]), self.pids["data-1"])

    def cut_and_heal(self, churn):
        self.does("cut", "data-3")
        self.assertEqual(self.state("data-3"), "cut")
        self.becomes("data-3", "dead")
        churn.probe("data-3 is cut off")
        self.does("heal", "data-3")
        self.becomes_ready("data-3")
        churn.wait_equal("everybody who stays is there")

    def refuse(self):
        self.refuses("there is no node 'data-7'; there are: " + ", ".join(self.pids), "kill",
                     "data-7")
        self.refuses(f"a cluster runs in {self.folder} already; ./dev cluster status shows it, and "
                     "--folder names another place", "--free-ports")
        nameless = self.dev("kill")
        self.assertEqual(nameless.returncode, 2)
        self.assertIn("kill takes the name of a node, such as data-2", nameless.stderr)
        self.refuses(f"{self.outside} holds other things; name a new or an empty folder",
                     "--free-ports", folder=self.outside)
        self.assertIn("server.ready", self.does("log", "session-2"))

    def stop(self, up):
        self.assertEqual(self.does("stop"), "the cluster stops\n")
        self.assertEqual(up.wait(timeout=20), 0)
        for name, pid in self.pids.items():
            self.assertFalse(os.path.exists(f"/proc/{pid}"), f"{name} is left behind")
        self.refuses("no cluster runs; ./dev cluster starts one", "status")

    def start_anew(self):
        """In the folder of the one before, and ended by Ctrl-C."""
        few = ("--free-ports", "--metas", "1", "--data", "1", "--sessions", "0")
        with subprocess.Popen(self.arguments(*few), stdout=subprocess.PIPE, text=True) as up:
            self.assertIn("NAME", up.stdout.readline())
            self.assertEqual(list(self.table()), ["meta-1", "data-1"])
            up.send_signal(signal.SIGINT)
            self.assertEqual(up.wait(timeout=20), 0)


if __name__ == "__main__":
    unittest.main()
