"""The runner: what is wrong gets a sentence, figures are what they are called."""

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import systems
from figures import Bound, Report, spread_of
from processes import Failed, Loader, Process

RUN = pathlib.Path(__file__).resolve().parent / "run.py"


def run(*arguments, **environment):
    return subprocess.run([sys.executable, "-B", str(RUN), *arguments], capture_output=True,
                          text=True, check=False, timeout=60, env=os.environ | environment)


class WrongUse(unittest.TestCase):
    def test_is_answered_with_a_sentence(self):
        for arguments, sentence in [
                (["--works", "fanuot"], "there is no 'fanuot'; there are: publish, fanout"),
                (["--systems", "muster,consul"], "there is no 'consul'"),
                (["--systems", "etcd"], "muster is what the others are compared with"),
                (["--folder", "/nowhere"], "there is no folder /nowhere"),
                (["--tny"], "unrecognized arguments: --tny")]:
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(sentence, done.stderr)

    def test_a_missing_peer_is_named_with_its_packages(self):
        done = run("--systems", "etcd,muster", PATH="/nowhere")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("apt-get install etcd-server golang-go", done.stderr)
        done = run("--systems", "zookeeper,muster", PATH="/nowhere")
        self.assertIn("apt-get install libzookeeper-java", done.stderr)

    def test_a_missing_peer_is_skipped_where_nothing_may_be_built(self):
        done = run("--systems", "etcd,muster", "--no-build", PATH="/nowhere")
        self.assertEqual(done.returncode, 77)
        self.assertIn("apt-get install etcd-server", done.stderr)

    def test_a_missing_loader_says_how_it_is_built(self):
        with self.assertRaisesRegex(systems.Missing, "./dev bench peers --tiny builds it"):
            systems.make_loader(["false"], "/", pathlib.Path("/nowhere/etcd"), build=False)

    def test_muster_itself_may_be_missing(self):
        done = run("--systems", "muster", "--programs", "/nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("muster is not built in /nowhere", done.stderr)

    def test_a_loader_that_cannot_be_built_shows_the_compilers_words(self):
        with (tempfile.TemporaryDirectory() as folder,
              mock.patch.object(systems, "LOADERS", pathlib.Path(folder)),
              self.assertRaisesRegex(Failed, "could not build.*no such option")):
            systems.make_loader(["sh", "-c", "echo no such option; exit 1"], "/",
                                pathlib.Path(folder) / "x", build=True)


class Loaders(unittest.TestCase):
    def loader(self, script):
        log = tempfile.NamedTemporaryFile()
        self.addCleanup(log.close)
        loader = Loader([sys.executable, "-c", script], log.name)
        self.addCleanup(loader.end)
        self.addCleanup(loader.child.stdout.close)
        self.addCleanup(loader.child.stdin.close)
        return loader

    def test_answer_with_a_json_object_a_line(self):
        loader = self.loader("print('{\"told\": ' + input() + '}', flush=True); input()")
        loader.tell("7")
        self.assertEqual(loader.answer("told"), {"told": 7})

    def test_that_say_something_else_are_an_error(self):
        for script in ("print('nonsense')", "print('{\"other\": 1}')", ""):
            with self.subTest(script), self.assertRaisesRegex(Failed, "was to say 'told'"):
                self.loader(script).answer("told")

    def test_that_ended_with_words_are_quoted(self):
        with self.assertRaisesRegex(Failed, "no connection"):
            self.loader("import sys; sys.exit('no connection')").answer("told")


class Processes(unittest.TestCase):
    def test_end_when_the_runner_is_killed(self):
        with tempfile.NamedTemporaryFile() as log:
            script = (f"import sys, time; sys.path.insert(0, '{RUN.parent}')\n"
                      "from processes import Process\n"
                      f"print(Process(['sleep', '600'], '{log.name}').child.pid, flush=True)\n"
                      "time.sleep(600)\n")
            runner = Process([sys.executable, "-c", script], log.name, stdout=subprocess.PIPE)
            child = os.pidfd_open(int(runner.child.stdout.readline()))
            runner.end()
            runner.child.stdout.close()
            with self.assertRaises(ProcessLookupError):
                while True:  # ctest ends what does not end
                    signal.pidfd_send_signal(child, 0)
            os.close(child)


class Figures(unittest.TestCase):
    def test_a_spread_is_order_statistics(self):
        found = spread_of(range(10_000, 0, -1))
        self.assertEqual((found.min, found.p50, found.p99, found.p99_9, found.max, found.count),
                         (1, 5001, 9901, 9991, 10_000, 10_000))

    def test_nothing_measured_is_no_figure(self):
        with self.assertRaises(ValueError):
            spread_of([])

    def report(self, judge, as_json=True):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            report = Report(as_json, judge)
            report.value("fanout", "ratio", "x", 3.9, Bound(at_least=4))
            report.spread("fanout", "told", "ms", [1, 2, 3])
        return report, out.getvalue().splitlines()

    def test_a_missed_bound_is_said(self):
        report, lines = self.report(judge=True)
        self.assertEqual(report.missed, ["fanout ratio"])
        self.assertEqual(json.loads(lines[0])["holds"], False)
        self.assertEqual(json.loads(lines[1])["p50"], 2)
        self.assertIn("machine", json.loads(lines[1]))
        self.assertIn(">= 4: MISSED", self.report(judge=True, as_json=False)[1][0])

    def test_a_tiny_run_judges_nothing(self):
        report, lines = self.report(judge=False)
        self.assertEqual(report.missed, [])
        self.assertNotIn("holds", json.loads(lines[0]))


if __name__ == "__main__":
    unittest.main()
