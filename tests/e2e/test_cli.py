"""The commands of `muster`, as a person or a script uses them."""

import json
import unittest

from harness import Server, eventually, free_port, run

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

    def test_version(self):
        self.assertRegex(run("version").stdout, r"^muster \d+\.\d+\.\d+")
        self.assertIn("version", json.loads(run("version", "-o", "json").stdout))


class ExitStatus(unittest.TestCase):
    def test_help_is_zero_and_names_all_commands(self):
        ended = run("--help")
        self.assertEqual(ended.returncode, 0)
        for command in ("server", "services", "instances", "subscribers", "status", "version"):
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
