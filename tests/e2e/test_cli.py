"""The commands of `muster`, as a person or a script uses them."""

import collections
import json
import os
import subprocess
import unittest

from harness import MUSTER, Server, eventually, free_port, run

INSTANCES = "/api/v1/services/DEFAULT_INSTANCE_ID/DEFAULT_GROUP/{}/instances"


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.__enter__()
        for number in (1, 2):
            status, _ = cls.server.request(
                "PUT", INSTANCES.format("orders") + f"/i{number}",
                {"ip": "127.0.0.1", "port": 8000 + number, "ttl_seconds": 120})
            assert status in (200, 201), status

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def ask(self, *arguments):
        return run(*arguments, "--server", self.server.http)

    def test_services(self):
        ended = self.ask("services")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stdout, r"DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders +2 ")
        answer = json.loads(self.ask("services", "-o", "json").stdout)
        self.assertEqual([s["dataId"] for s in answer["services"]], ["orders"])
        nothing = json.loads(self.ask("services", "--contains", "zzz", "-o", "json").stdout)
        self.assertEqual(nothing["services"], [])

    def test_instances(self):
        ended = self.ask("instances", "orders")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("127.0.0.1:8001", ended.stdout)
        self.assertIn("127.0.0.1:8002", ended.stdout)
        answer = json.loads(self.ask("instances", "orders", "-o", "json").stdout)
        self.assertEqual({i["port"] for i in answer["instances"]}, {8001, 8002})
        self.assertTrue(answer["complete"])

    def test_instances_of_a_service_nobody_publishes_is_an_empty_list(self):
        ended = self.ask("instances", "nobody", "-o", "json")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(json.loads(ended.stdout)["instances"], [])

    def test_subscribers_and_status(self):
        ended = self.ask("subscribers", "orders")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("CLIENT", ended.stdout)
        status = json.loads(self.ask("status", "-o", "json").stdout)
        self.assertTrue(status["ready"])
        self.assertEqual(status["publications"], 2)

    def test_verify_of_a_registry_of_its_own(self):
        ended = self.ask("verify")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("slots         256, all equal", ended.stdout)
        answer = json.loads(self.ask("verify", "-o", "json").stdout)
        self.assertEqual((answer["result"], answer["copies_equal"], answer["sessions"],
                          answer["publications"]), ("equal", 256, 1, 2))

    def test_a_zone_alone_asks_for_that_zone(self):
        def shown(*arguments):
            answer = self.ask("instances", "orders", "-o", "json", *arguments)
            return len(json.loads(answer.stdout)["instances"])

        self.assertEqual(shown("--zone", "nowhere"), 0)
        self.assertEqual(shown("--zone", "nowhere", "--scope", "dataCenter"), 2)

    def test_a_url_is_taken_for_a_server(self):
        self.assertEqual(run("status", "-s", f"http://{self.server.http}/").returncode, 0)

    def test_an_empty_table_says_so_on_standard_error(self):
        for command, note in ((("services", "--contains", "zzz"), "no such service"),
                              (("instances", "nobody"), "nobody publishes"),
                              (("subscribers", "nobody"), "nobody subscribes")):
            ended = self.ask(*command)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertIn(note, ended.stderr)
            self.assertEqual(len(ended.stdout.splitlines()), 1)

    def test_what_the_registry_refuses_is_said_once_with_its_exit_status(self):
        long = "x" * 3000
        ended = self.ask("instances", long)
        self.assertEqual(ended.returncode, 2, ended.stderr)
        self.assertEqual(ended.stderr.lower().count("invalid argument"), 1, ended.stderr)
        self.assertNotIn("..", ended.stderr)

    def test_the_wrong_port_is_named(self):
        bolt = f"127.0.0.1:{self.server.bolt_port}"
        ended = run("status", "-s", bolt)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn(f"{bolt} (is it a muster server's HTTP port?)", ended.stderr)
        ended = run("watch", "orders", "-s", self.server.http)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("client port (9600", ended.stderr)

    def test_no_metric_is_told_twice(self):
        lines = [line for line in self.server.get("/metrics")[1].splitlines()
                 if not line.startswith("#")]
        names = collections.Counter(line.rpartition(" ")[0] for line in lines)
        self.assertEqual([name for name, count in names.items() if count > 1], [])

    def test_version(self):
        self.assertRegex(run("version").stdout, r"^muster \d+\.\d+\.\d+")
        self.assertIn("version", json.loads(run("version", "-o", "json").stdout))


class Brake(unittest.TestCase):
    """Forty instances whose leases run out at once: twenty are believed, the others are held."""

    def setUp(self):
        self.server = Server()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)

    def held(self):
        answer = run("brake", "-o", "json", "--server", self.server.http)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return json.loads(answer.stdout)

    def listed(self):
        answer = run("instances", "orders", "-o", "json", "--server", self.server.http)
        return len(json.loads(answer.stdout)["instances"])

    def test_holds_shows_and_lets_go(self):
        ended = run("brake", "--server", self.server.http)
        self.assertIn("holds nothing", ended.stderr)
        ended = run("brake", "confirm", "service", "orders", "--server", self.server.http)
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("no brake of that name", ended.stderr)
        for number in range(40):
            self.server.request("PUT", INSTANCES.format("orders") + f"/i{number}",
                                {"ip": "127.0.0.1", "port": 8000 + number, "ttl_seconds": 4})
        self.assertEqual(self.listed(), 40)
        eventually(lambda: self.held()["brakes"] and self.held()["brakes"][0]["held"] == 20,
                   "twenty are held", context=lambda: str(self.held()))
        answer = self.held()
        self.assertEqual(answer["silent"], [])
        brake = answer["brakes"][0]
        self.assertEqual(brake["scope"], "session")
        self.assertTrue(brake["braking"])
        self.assertIn("closed or fell silent", brake["why"])
        self.assertGreater(brake["goes_in_ms"], 30_000)
        eventually(lambda: self.listed() == 20, "what was believed is gone")
        self.assertRegex(self.server.get("/metrics")[1], r"(?m)^muster_session_braking 1$")
        ended = run("brake", "release", "session", brake["name"], "--server", self.server.http)
        self.assertEqual(ended.stdout, "20 publications have their time anew\n")
        self.assertEqual(self.listed(), 20)
        ended = run("brake", "confirm", "session", brake["name"], "--server", self.server.http)
        self.assertEqual(ended.stdout, "20 publications are gone\n")
        eventually(lambda: self.listed() == 0, "what was confirmed is gone")
        self.assertEqual(self.held()["brakes"], [])


class ExitStatus(unittest.TestCase):
    def test_help_is_zero_and_names_all_commands(self):
        ended = run("--help")
        self.assertEqual(ended.returncode, 0)
        for command in ("server", "services", "instances", "subscribers", "status", "members",
                        "slots", "brake", "verify", "bench", "version", "completion"):
            self.assertIn(command, ended.stdout)

    def test_wrong_usage_is_two(self):
        for arguments in ((), ("servces",), ("instances",), ("status", "-o", "yaml"),
                          ("instances", "a/b/c#@#d")):
            self.assertEqual(run(*arguments).returncode, 2, arguments)

    def test_no_registry_there_is_one_and_says_so(self):
        port = free_port()
        ended = run("status", "--server", f"127.0.0.1:{port}")
        self.assertEqual(ended.returncode, 1)
        self.assertIn(f"127.0.0.1:{port}", ended.stderr)


    def test_a_mistyped_command_is_corrected(self):
        self.assertIn("Did you mean 'services'?", run("servces").stderr)
        self.assertNotIn("Did you mean", run("zzzzzzzzzzzz").stderr)

    def test_limit_is_a_number_the_registry_takes(self):
        for limit in ("0", "1001", "x"):
            self.assertEqual(run("services", "--limit", limit).returncode, 2, limit)

    def test_what_people_try_first_works(self):
        self.assertRegex(run("--version").stdout, r"^muster \d+\.\d+\.\d+")
        self.assertEqual(run("help").stdout, run("--help").stdout)
        self.assertEqual(run("help", "watch").stdout, run("watch", "--help").stdout)


class Completion(unittest.TestCase):
    def complete(self, *words):
        line = " ".join(f"'{word}'" for word in words)
        script = (f"source <(muster completion bash); COMP_WORDS=({line}); "
                  f"COMP_CWORD={len(words) - 1}; _muster; echo \"${{COMPREPLY[@]}}\"")
        path = os.path.dirname(MUSTER) + os.pathsep + os.environ["PATH"]
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True,
                              env={**os.environ, "PATH": path}).stdout.split()

    def test_completes_commands_options_and_values(self):
        self.assertEqual(self.complete("muster", "s"),
                         ["server", "services", "subscribers", "status", "slots"])
        self.assertEqual(self.complete("muster", "slots", "m"), ["move"])
        self.assertEqual(self.complete("muster", "brake", "r"), ["release"])
        self.assertEqual(self.complete("muster", "ver"), ["verify", "version"])
        self.assertEqual(self.complete("muster", "verify", "-o", ""), ["table", "json"])
        self.assertEqual(self.complete("muster", "watch", "--sc"), ["--scope"])
        self.assertEqual(self.complete("muster", "watch", "--scope", "z"), ["zone"])
        self.assertEqual(self.complete("muster", "status", "-o", ""), ["table", "json"])
        self.assertEqual(self.complete("muster", "completion", ""), ["bash"])
        self.assertEqual(self.complete("muster", "bench", "r"), ["registrations", "rolling"])
        self.assertEqual(self.complete("muster", "bench", "rolling", "--st"), ["--step"])
        self.assertEqual(self.complete("muster", "bench", "fanout", "--st"), [])
        self.assertEqual(self.complete("muster", "slots", "move", "--s"), ["--server"])
        self.assertEqual(self.complete("muster", "slots", "move", "--t"), ["--to"])


class Restart(unittest.TestCase):
    def test_a_killed_server_starts_again_with_growing_versions(self):
        with Server("session.return_grace=1s") as server:
            path = INSTANCES.format("orders")
            body = {"ip": "127.0.0.1", "port": 8001, "ttl_seconds": 120}
            server.request("PUT", path + "/i1", body)
            before = int(json.loads(server.get(path)[1])["version"])
            server.kill()
            server.start()
            server.request("PUT", path + "/i1", body)

            def whole_again():
                answer = json.loads(server.get(path)[1])
                return answer.get("complete") and len(answer["instances"]) == 1
            eventually(whole_again, "the list is complete again")
            self.assertGreater(int(json.loads(server.get(path)[1])["version"]), before)


if __name__ == "__main__":
    unittest.main()
