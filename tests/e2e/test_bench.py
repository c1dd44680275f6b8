"""`muster bench`: each work in a tiny size against a server that runs, and what it says when there
is none."""

import json
import os
import pty
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import MUSTER, Server, eventually, free_port, run

# What every report has, whatever was done.
REPORTED = ("bench", "muster", "run", "servers", "machine", "cores", "same_host", "push",
            "interrupted", "size", "seconds", "figures", "bytes_sent", "bytes_received",
            "loader_cpu_seconds", "loader_rss_bytes", "server", "views", "pushes", "whole_pushes",
            "false_removals", "versions_backward", "not_told", "refused", "left_behind", "notes")


def registered(server):
    """Names of services that a bench left."""
    answer = json.loads(server.get("/api/v1/services?contains=muster-bench-")[1])
    return [service["dataId"] for service in answer["services"]]


def arguments(server, work, *options):
    return ("bench", work, "-s", f"127.0.0.1:{server.bolt_port}", "--http", server.http, *options)


class Works(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def bench(self, work, *options, status=0):
        ended = run(*arguments(self.server, work, *options, "-o", "json"), timeout=60)
        self.assertEqual(ended.returncode, status, ended.stderr)
        self.assertIn("Ctrl-C ends it", ended.stderr)
        self.assertEqual(registered(self.server), [])
        report = json.loads(ended.stdout)
        self.assertEqual(sorted(report), sorted(REPORTED))
        self.assertEqual(report["bench"], work)
        self.assertRegex(report["run"], r"^muster-bench-[0-9a-f]{8}$")
        self.assertTrue(report["same_host"])
        self.assertEqual(report["server"]["processes"], 1)
        self.assertGreater(report["server"]["rss_bytes"], 0)
        if work != "steady":
            self.assertGreater(report["bytes_received"], 0)
        self.assertGreater(report["loader_rss_bytes"], 0)
        for wrong in ("false_removals", "versions_backward", "refused", "left_behind"):
            self.assertEqual(report[wrong], 0, wrong)
        return report

    def times(self, report, metric):
        """The figure of that name; its quantiles in order."""
        figure = next(f for f in report["figures"] if f["metric"] == metric)
        self.assertEqual(figure["unit"], "ms")
        self.assertGreater(figure["p50"], 0)
        self.assertLessEqual(figure["p50"], figure["p99"])
        self.assertLessEqual(figure["p99"], figure["p999"])
        self.assertLessEqual(figure["p999"], figure["max"])
        return figure

    def value(self, report, metric):
        return next(f["value"] for f in report["figures"] if f["metric"] == metric)

    def test_propagation(self):
        report = self.bench("propagation", "--publishers", "3", "--subscribers", "4",
                            "--rate", "50", "--seconds", "1")
        self.assertEqual(self.times(report, "change_to_each_subscriber")["count"], 200)
        self.assertEqual(self.times(report, "change_to_last_subscriber")["count"], 50)
        self.assertEqual(self.times(report, "change_to_answer")["count"], 50)
        self.assertEqual(report["not_told"], 0)
        self.assertGreater(report["pushes"], 0)
        self.assertEqual(report["size"], {"publishers": "3", "subscribers": "4", "rate": "50",
                                          "seconds": "1"})

    def test_registrations(self):
        report = self.bench("registrations", "--clients", "3", "--services", "25",
                            "--instances", "205", "--batch", "7", "--subscribers", "2")
        for verb in ("register", "deregister"):
            self.assertEqual(self.times(report, f"{verb}_request")["count"], 30)
            # Services 0, 10 and 20 are subscribed to: 9, 8 and 8 instances.
            self.assertEqual(self.times(report, f"{verb}_to_subscriber")["count"], 25)
        self.assertEqual(self.times(report, "query")["count"], 25)
        self.assertGreater(self.value(report, "registrations_per_second"), 0)
        self.assertTrue(report["push"])
        self.assertEqual(report["not_told"], 0)

    def test_registrations_of_which_nobody_is_told(self):
        report = self.bench("registrations", "--clients", "2", "--services", "2",
                            "--instances", "10", "--batch", "1", "--subscribers", "0")
        self.assertFalse(report["push"])
        self.assertEqual(self.times(report, "register_request")["count"], 10)
        self.assertNotIn("register_to_subscriber", [f["metric"] for f in report["figures"]])

    def test_operations(self):
        report = self.bench("operations", "--clients", "3", "--services", "25", "--instances",
                            "205", "--subscribers", "2", "--seconds", "20")
        for verb in ("register", "query", "told", "deregister"):
            self.assertEqual(self.times(report, f"{verb}_closed_loop")["count"], 205)
            self.assertEqual(self.times(report, f"{verb}_at_half_rate")["count"], 205)
            self.assertGreater(self.value(report, f"{verb}_half_per_second"), 0)
            # An open loop is over no earlier than its last one is due.
            self.assertLess(self.value(report, f"{verb}_half_per_second"),
                            0.51 * self.value(report, f"{verb}_peak_per_second"))
        self.assertTrue(report["push"])
        self.assertEqual(report["not_told"], 0)

    def test_operations_of_more_clients_than_there_is_to_do(self):
        report = self.bench("operations", "--clients", "9", "--services", "2", "--instances", "4",
                            "--subscribers", "3", "--seconds", "20")
        for verb in ("register", "query", "told", "deregister"):
            self.assertEqual(self.times(report, f"{verb}_at_half_rate")["count"], 4)

    def test_fanout(self):
        report = self.bench("fanout", "--subscribers", "8,2", "--changes", "3",
                            "--instances", "5")
        curve = [(f["subscribers"], f["count"]) for f in report["figures"]
                 if f["metric"] == "change_to_each_subscriber"]
        self.assertEqual(curve, [(2, 6), (8, 24)])
        self.assertGreater(self.value(report, "bytes_per_list"), 0)
        self.assertEqual(report["not_told"], 0)

    def test_capacity(self):
        with Server() as server:  # one that has no memory to spare from before
            ended = run(*arguments(server, "capacity", "--connections", "60", "--publications",
                                   "20000", "--subscriptions", "2000", "--services", "100",
                                   "--steps", "3", "-o", "json"), timeout=60)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertEqual(registered(server), [])
        report = json.loads(ended.stdout)
        for thing in ("connection", "publication", "subscription"):
            least, median, most = (self.value(report, f"bytes_per_{thing}{which}")
                                   for which in ("_least", "", "_most"))
            self.assertLessEqual(least, median)
            self.assertLessEqual(median, most)
        # Its name and its box alone are more.
        self.assertGreater(self.value(report, "bytes_per_publication"), 50)
        self.assertAlmostEqual(self.value(report, "publications_per_gb"),
                               1e9 / self.value(report, "bytes_per_publication"), delta=1)
        self.assertEqual(report["pushes"], 2000)

    def test_capacity_needs_the_metrics_of_the_server(self):
        nowhere = f"127.0.0.1:{free_port()}"
        ended = run("bench", "capacity", "-s", f"127.0.0.1:{self.server.bolt_port}",
                    "--http", nowhere)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("with --http", ended.stderr)
        self.assertEqual(ended.stdout, "")

    def test_disconnect(self):
        report = self.bench("disconnect", "--clients", "40", "--services", "4",
                            "--subscribers", "3", "--share", "10")
        self.assertEqual(self.value(report, "disconnected"), 4)
        self.assertEqual(self.times(report, "disconnect_to_last_subscriber")["count"], 4)
        self.assertEqual(self.times(report, "disconnect_to_each_subscriber")["count"], 12)
        self.assertEqual(report["not_told"], 0)

    def test_rolling(self):
        report = self.bench("rolling", "--instances", "5", "--subscribers", "3", "--step", "2")
        self.assertEqual(self.value(report, "steps"), 3)
        self.assertEqual(self.times(report, "leaving_to_last_subscriber")["count"], 3)
        self.assertEqual(self.times(report, "coming_to_last_subscriber")["count"], 3)
        self.assertGreater(self.value(report, "bytes_per_subscriber"), 0)
        self.assertGreater(self.value(report, "bytes_per_subscriber_unpacked"), 0)
        self.assertEqual(report["not_told"], 0)

    def test_rolling_tells_what_packing_saves(self):
        report = self.bench("rolling", "--instances", "400", "--subscribers", "2", "--step", "200")
        self.assertLess(self.value(report, "bytes_of_whole_list"),
                        self.value(report, "bytes_of_whole_list_unpacked") / 2)
        # Differences are often too short to be packed.
        self.assertLessEqual(self.value(report, "bytes_per_subscriber"),
                             self.value(report, "bytes_per_subscriber_unpacked"))
        self.assertEqual(report["not_told"], 0)

    def test_storm(self):
        report = self.bench("storm", "--clients", "12", "--services", "5")
        self.assertEqual(self.times(report, "start_to_registered")["count"], 12)
        self.assertEqual(self.times(report, "start_to_whole_list")["count"], 12)
        self.assertEqual(report["not_told"], 0)

    def test_clients_that_speak_as_those_of_sofaregistry(self):
        report = self.bench("propagation", "--dialect", "java", "--publishers", "2",
                            "--subscribers", "4", "--rate", "50", "--seconds", "1")
        self.assertEqual(self.times(report, "change_to_each_subscriber")["count"], 200)
        self.assertEqual(report["not_told"], 0)
        self.assertEqual(report["pushes"], report["whole_pushes"])
        report = self.bench("registrations", "--dialect", "java", "--clients", "3",
                            "--services", "25", "--instances", "205", "--batch", "7",
                            "--subscribers", "2")
        for verb in ("register", "deregister"):
            self.assertEqual(self.times(report, f"{verb}_request")["count"], 30)
            self.assertEqual(self.times(report, f"{verb}_to_subscriber")["count"], 25)
        for work in (("fanout", "--subscribers", "8,2", "--changes", "3", "--instances", "5"),
                     ("operations", "--clients", "3", "--services", "12", "--instances", "40"),
                     ("rolling", "--instances", "5", "--subscribers", "3", "--step", "2"),
                     ("storm", "--clients", "12", "--services", "5"),
                     ("disconnect", "--clients", "40", "--services", "4", "--subscribers", "3")):
            with self.subTest(work=work[0]):
                self.assertEqual(self.bench(*work, "--dialect", "java")["not_told"], 0)

    def test_steady(self):
        report = self.bench("steady", "--clients", "2", "--services", "3", "--subscribers", "2",
                            "--rate", "30", "--seconds", "1")
        self.assertEqual(self.times(report, "change_to_each_subscriber")["count"], 60)
        self.assertEqual(self.times(report, "change_to_last_subscriber")["count"], 30)
        self.assertIsNone(report["bytes_received"])
        self.assertEqual(report["not_told"], 0)
        self.assertEqual(self.times(report, "longest_without_news")["count"], 2)
        self.assertEqual((report["views"]["equal"], report["views"]["subscribers"]), (True, 2))
        self.assertRegex(report["views"]["digest"], r"^[0-9a-f]{32}$")

    def test_people_get_tables_with_every_quantile(self):
        ended = run(*arguments(self.server, "fanout", "--subscribers", "2", "--changes", "2"))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stdout, r"TIME +COUNT +P50 +P99 +P99.9 +MAX")
        self.assertRegex(ended.stdout, r"change to last, 2 subscribers +2 ")
        self.assertIn("loader is", ended.stdout)
        self.assertNotIn("\033", ended.stderr, "no progress where nobody looks")

    def test_who_looks_sees_what_goes_on(self):
        ours, its = pty.openpty()
        with subprocess.Popen([MUSTER, *arguments(self.server, "propagation", "--seconds", "3",
                                                  "--subscribers", "2", "-o", "json")],
                              stdout=subprocess.PIPE, stderr=its) as bench:
            out, _ = bench.communicate(timeout=60)
        os.close(its)
        seen = os.read(ours, 65536).decode()
        os.close(ours)
        self.assertEqual(bench.returncode, 0, seen)
        self.assertRegex(seen, r"\r\033\[Kchanging: \d+ of 300")
        self.assertTrue(seen.endswith("\r\033[K"), "the line is taken away again")
        json.loads(out)

    def test_a_server_that_tells_no_metrics_is_not_known(self):
        nowhere = f"127.0.0.1:{free_port()}"
        ended = run("bench", "fanout", "-s", f"127.0.0.1:{self.server.bolt_port}",
                    "--http", nowhere, "--subscribers", "2", "--changes", "1", "-o", "json")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        report = json.loads(ended.stdout)
        self.assertIsNone(report["server"])
        self.assertIn(nowhere, report["notes"][0])


class Endings(unittest.TestCase):
    """However a bench ends, nothing of it stays."""

    def test_what_the_brake_holds_is_told_and_taken_back(self):
        with Server() as server:
            ended = run(*arguments(server, "disconnect", "--clients", "60", "--services", "3",
                                   "--subscribers", "2", "--share", "60", "--seconds", "2",
                                   "-o", "json"), timeout=60)
            self.assertEqual(ended.returncode, 3, ended.stderr)
            report = json.loads(ended.stdout)
            self.assertGreater(report["not_told"], 0)
            self.assertEqual(report["false_removals"], 0)
            self.assertEqual(report["left_behind"], 0)
            self.assertIn("brake", report["notes"][0])
            self.assertEqual(registered(server), [])

    def test_ctrl_c_ends_it_with_what_was_measured(self):
        with Server() as server, subprocess.Popen(
                [MUSTER, *arguments(server, "propagation", "--seconds", "600", "--subscribers",
                                    "3", "-o", "json")],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bench:
            eventually(lambda: len(registered(server)) == 1, "it has begun")
            eventually(lambda: server.metric("muster_push_acknowledged_total") > 20, "it tells",
                       context=lambda: server.get("/metrics")[1])
            bench.send_signal(signal.SIGINT)
            out, err = bench.communicate(timeout=30)
            self.assertEqual(bench.returncode, 3, err)
            report = json.loads(out)
            self.assertTrue(report["interrupted"])
            self.assertEqual(report["left_behind"], 0)
            self.assertGreater(report["figures"][0]["count"], 0)
            self.assertEqual(registered(server), [])

    def test_a_server_that_is_killed_meanwhile_is_named(self):
        with Server() as server, subprocess.Popen(
                [MUSTER, *arguments(server, "propagation", "--seconds", "600")],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bench:
            eventually(lambda: len(registered(server)) == 1, "it has begun")
            server.kill()
            out, err = bench.communicate(timeout=60)
            self.assertEqual(bench.returncode, 1, err)
            self.assertEqual(out, "")
            self.assertIn(f"127.0.0.1:{server.bolt_port}", err)
            self.assertIn("closed", err)

    def test_a_server_with_too_few_connections_is_named(self):
        with Server("bolt.connections_max=10") as server:
            ended = run(*arguments(server, "propagation", "--subscribers", "30"), timeout=60)
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertIn("bolt.connections_max", ended.stderr)
            eventually(lambda: registered(server) == [], "nothing is left")

    def test_what_the_server_refuses_is_counted_and_told(self):
        with Server("session.client_changes.per_second=1",
                    "session.client_changes.burst=5") as server:
            ended = run(*arguments(server, "propagation", "--subscribers", "2", "--rate", "30",
                                   "--seconds", "1", "-o", "json"), timeout=60)
            self.assertEqual(ended.returncode, 1, ended.stderr)
            report = json.loads(ended.stdout)
            self.assertGreater(report["refused"], 0)
            self.assertGreater(report["not_told"], 0)
            self.assertIn("over a limit", report["notes"][0])
            self.assertEqual(registered(server), [])

    def test_a_subscription_that_is_refused_ends_it(self):
        with Server("session.registrations_per_connection_max=5") as server:
            ended = run(*arguments(server, "disconnect", "--clients", "6", "--services", "6",
                                   "--subscribers", "1"), timeout=60)
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertEqual(ended.stdout, "")
            self.assertIn("a subscription was refused", ended.stderr)
            self.assertEqual(registered(server), [])

    def test_a_server_that_hangs_meanwhile_is_named(self):
        with Server() as server, subprocess.Popen(
                [MUSTER, *arguments(server, "disconnect", "--clients", "60", "--services", "1",
                                    "--subscribers", "1", "--share", "90", "--seconds", "600",
                                    "-o", "json")],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bench:
            # The brake holds what closed.
            eventually(lambda: server.metric("muster_session_braking") == 1, "it has begun")
            server.process.send_signal(signal.SIGSTOP)
            try:
                bench.send_signal(signal.SIGTERM)
                out, err = bench.communicate(timeout=60)
            finally:
                server.process.send_signal(signal.SIGCONT)
            self.assertEqual(bench.returncode, 1, err)
            report = json.loads(out)
            self.assertTrue(report["interrupted"])
            self.assertGreater(report["left_behind"], 0)
            self.assertTrue(any("could not be taken back" in note for note in report["notes"]))


class Steady(unittest.TestCase):
    """What happens to the server while the load goes on."""

    def steady(self, server, meanwhile, *settings):
        with subprocess.Popen([MUSTER, *arguments(server, "steady", "--seconds", "6", "-o", "json",
                                                  *settings)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bench:
            eventually(lambda: server.metric("muster_push_acknowledged_total") > 160, "it tells")
            meanwhile()
            out, err = bench.communicate(timeout=90)
        self.assertTrue(out, err)
        report = json.loads(out)
        self.assertEqual((report["false_removals"], report["not_told"], report["left_behind"],
                          report["versions_backward"], bench.returncode), (0, 0, 0, 0, 0), err)
        self.assertEqual(registered(server), [])
        self.assertTrue(report["views"]["equal"])
        return report

    def last(self, report):
        return next(f for f in report["figures"] if f["metric"] == "change_to_last_subscriber")

    def test_a_restart_is_seen_as_a_delay_and_nothing_else(self):
        with Server("session.return_grace=3s") as server:
            def restart():
                server.kill()
                server.start()
            report = self.steady(server, restart)
            self.assertEqual(self.last(report)["count"], 120)
            self.assertTrue(any("restarted" in note for note in report["notes"]), report["notes"])
            self.assertIsNone(report["server"])

    def test_a_restart_with_a_long_list_loses_none_of_it(self):
        with Server("session.return_grace=5s") as server:
            def restart():
                server.kill()
                server.start()
            report = self.steady(server, restart, "--services", "2", "--instances", "300",
                                 "--subscribers", "3")
            self.assertEqual(report["views"]["subscribers"], 3)
            gaps = next(f for f in report["figures"] if f["metric"] == "longest_without_news")
            self.assertEqual(gaps["count"], 3)
            self.assertEqual(next(f["count"] for f in report["figures"]
                                  if f["metric"] == "heal_to_equal"), 1)

    def test_a_pause_is_seen_as_a_delay_and_nothing_else(self):
        with Server() as server:
            def pause():
                server.process.send_signal(signal.SIGSTOP)
                time.sleep(1)
                server.process.send_signal(signal.SIGCONT)
            report = self.steady(server, pause)
            self.assertEqual(self.last(report)["count"], 120)
            # What was due at its beginning was told after its end.
            self.assertGreater(self.last(report)["max"], 500)
            gaps = next(f for f in report["figures"] if f["metric"] == "longest_without_news")
            self.assertGreater(gaps["p50"], 900)

    def test_ctrl_c_leaves_nothing(self):
        with Server() as server, subprocess.Popen(
                [MUSTER, *arguments(server, "steady", "--seconds", "600", "-o", "json")],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bench:
            eventually(lambda: server.metric("muster_push_acknowledged_total") > 100, "it tells")
            bench.send_signal(signal.SIGINT)
            out, err = bench.communicate(timeout=30)
            self.assertEqual(bench.returncode, 3, err)
            self.assertTrue(json.loads(out)["interrupted"])
            self.assertEqual(registered(server), [])


class Start(unittest.TestCase):
    """It starts servers of its own, in folders of their own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.environment = {**os.environ, "TMPDIR": self.folder}

    def launch(self, *options):
        return subprocess.Popen([MUSTER, "bench", "start", "-o", "json", *options],
                                env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def start(self, *options, status=0):
        with self.launch(*options) as bench:
            out, err = bench.communicate(timeout=60)
        self.assertEqual(bench.returncode, status, err)
        self.assertEqual(os.listdir(self.folder), [], "nothing stays")
        return out, err

    def figures(self, out):
        report = json.loads(out)
        self.assertEqual(sorted(report), sorted(REPORTED))
        return report, {figure["metric"]: figure for figure in report["figures"]}

    def test_tells_time_memory_and_size(self):
        report, figures = self.figures(self.start("--runs", "3")[0])
        self.assertEqual(report["bench"], "start")
        self.assertEqual(figures["start_to_ready"]["count"], 3)
        self.assertGreater(figures["start_to_ready_least"]["value"], 0)
        self.assertLessEqual(figures["start_to_ready_least"]["value"],
                             figures["start_to_ready"]["p50"])
        self.assertGreater(figures["idle_rss_bytes_least"]["value"], 1e6)
        self.assertEqual(figures["program_bytes"]["value"], os.path.getsize(MUSTER))

    def test_the_ports_that_it_is_given(self):
        client, http = free_port(), free_port()
        with self.launch("--runs", "1000", "--client-port", str(client),
                         "--http-port", str(http)) as bench:
            def listens():
                try:
                    socket.create_connection(("127.0.0.1", client), timeout=1).close()
                    return True
                except OSError:
                    return False
            eventually(listens, "a server is there")
            bench.send_signal(signal.SIGINT)
            out, err = bench.communicate(timeout=60)
        self.assertEqual(bench.returncode, 3, err)
        self.assertTrue(json.loads(out)["interrupted"])
        self.assertFalse(listens(), "it went with the bench")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_port_that_is_taken_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for option in ("--client-port", "--http-port"):
                out, err = self.start(option, str(port), status=2)
                self.assertEqual(out, "")
                self.assertIn(f"127.0.0.1:{port} is taken", err)

    def test_bounds(self):
        self.assertIn("--runs is 1 to 1000", self.start("--runs", "1001", status=2)[1])
        self.assertIn("--http-port is 0 to 65535", self.start("--http-port", "65536", status=2)[1])

    def test_people_see_no_load_that_there_was_not(self):
        ended = subprocess.run([MUSTER, "bench", "start", "--runs", "1"], env=self.environment,
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stdout, r"start to ready +1 ")
        self.assertIn("memory when idle", ended.stdout)
        for absent in ("pushes", "loader", "server  "):
            self.assertNotIn(absent, ended.stdout)


class Stranger:
    """Listens, and answers each connection with some bytes, with nothing, or by closing it."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.kept = []

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        for connection in self.kept:
            connection.close()

    def serve(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                self.kept.append(connection)
                connection.recv(1)
                if self.answer is None:
                    connection.close()
                elif self.answer:
                    connection.sendall(self.answer)
        except OSError:
            pass


class WrongAddress(unittest.TestCase):
    def refused(self, address, *said, dialect="native"):
        ended = run("bench", "propagation", "-s", address, "--seconds", "1", "--dialect", dialect)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertEqual(ended.stdout, "")
        self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
        for words in (address, *said):
            self.assertIn(words, ended.stderr)

    def test_nobody_listens(self):
        self.refused(f"127.0.0.1:{free_port()}", "connection refused", "start the server")

    def test_the_http_port(self):
        with Server() as server:
            self.refused(server.http, "speaks HTTP", "9600")

    def test_an_http_server_that_waits_for_the_end_of_a_line(self):
        class Patient(Stranger):
            def serve(self):
                try:
                    connection, _ = self.listener.accept()
                    while b"\r\n" not in connection.recv(4096):
                        pass
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    self.kept.append(connection)
                except OSError:
                    pass
        with Patient(b"") as server:
            self.refused(server.address, "speaks HTTP")

    def test_a_socket_that_is_silent(self):
        with Stranger(b"") as server:
            self.refused(server.address, "takes connections but does not answer")

    def test_a_socket_that_closes(self):
        with Stranger(None) as server:
            self.refused(server.address, "closed the connection without an answer")

    def test_another_protocol(self):
        with Stranger(b"SSH-2.0-OpenSSH_9.2\r\n") as server:
            self.refused(server.address, "a protocol that is not Muster's")

    def test_another_registry_that_speaks_bolt(self):
        # No processor for the class: what SOFARegistry answers to a class it does not know.
        head = bytes([1, 0, 0, 2, 1, 0, 0, 0, 1, 1, 0, 6]) + bytes(8)
        with Stranger(head) as server:
            self.refused(server.address, "not Muster's native protocol")

    def test_another_program_that_speaks_bolt(self):
        heartbeat = bytes([1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0]) + bytes(8)
        for dialect in ("native", "java"):
            with self.subTest(dialect=dialect), Stranger(heartbeat) as server:
                self.refused(server.address, "asks where it should answer", "9600",
                             dialect=dialect)

    def test_a_server_that_hangs(self):
        with Server() as server:
            server.process.send_signal(signal.SIGSTOP)
            try:
                self.refused(f"127.0.0.1:{server.bolt_port}", "does not answer")
            finally:
                server.process.send_signal(signal.SIGCONT)


class WrongUsage(unittest.TestCase):
    def refused(self, *words, said):
        ended = run("bench", *words, "-s", "127.0.0.1:1")
        self.assertEqual(ended.returncode, 2, (words, ended.stderr))
        self.assertIn(said, ended.stderr + ended.stdout)

    def test_sizes_have_bounds(self):
        self.refused("propagation", "--subscribers", "20001", said="--subscribers is 1 to 20000")
        self.refused("propagation", "--seconds", "0", said="--seconds is 1 to 600")
        self.refused("propagation", "--rate", "-1", said="--rate")
        self.refused("propagation", "--publishers", "1000", "--subscribers", "19500",
                     said="20500 connections")
        self.refused("registrations", "--instances", "1000001", said="--instances is 1 to 1000000")
        self.refused("operations", "--subscribers", "0", said="--subscribers is 1 to 20000")
        self.refused("fanout", "--subscribers", "10,0", said="--subscribers is 1 to")
        self.refused("fanout", "--subscribers", "10,x", said="--subscribers")
        self.refused("disconnect", "--share", "101", said="--share is 1 to 100")
        self.refused("storm", "--clients", "0", said="--clients")
        self.refused("rolling", "--step", "0", said="--step is 1 to")
        self.refused("capacity", "--connections", "2", "--services", "3", "--publications", "3",
                     "--subscriptions", "7", said="6 times, not 7")
        self.refused("steady", "--services", "21", "--instances", "1000",
                     said="are 21000 instances")
        self.refused("sleep", said="")
        self.assertEqual(run("bench").returncode, 2)

    def test_an_address_has_a_form(self):
        for address in ("localhost", "http://127.0.0.1:9603", "127.0.0.1:9600,"):
            ended = run("bench", "fanout", "-s", address)
            self.assertEqual(ended.returncode, 2, ended.stderr)

    def test_the_limit_of_open_files_is_told(self):
        ended = subprocess.run(
            [MUSTER, "bench", "propagation", "-s", "127.0.0.1:1"], capture_output=True, text=True,
            timeout=20, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80)))
        self.assertEqual(ended.returncode, 2, ended.stderr)
        self.assertIn("may have 80 open", ended.stderr)
        self.assertIn("ulimit -n", ended.stderr)

    def test_help_names_the_works(self):
        ended = run("help", "bench")
        self.assertEqual(ended.returncode, 0)
        self.assertIn("--runs", run("help", "bench", "start").stdout)
        for work in ("propagation", "registrations", "operations", "fanout", "capacity",
                     "disconnect", "rolling", "storm", "steady"):
            self.assertIn(work, ended.stdout)
            self.assertIn("--server", run("help", "bench", work).stdout)


if __name__ == "__main__":
    unittest.main()
