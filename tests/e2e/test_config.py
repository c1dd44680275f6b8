"""A wrong configuration names the key, the line and the nearest right key; a port in use says which
and by what key to change it."""

import os
import tempfile
import unittest

from harness import Server, free_port, run


class WrongConfiguration(unittest.TestCase):
    def serve(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "muster.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return run("server", "--config", path, "--data-dir", os.path.join(folder, "data"))

    def test_unknown_key_is_named_with_line_and_nearest_key(self):
        ended = self.serve("center: here\nsession:\n  write_wiat: 1s\n")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("muster.yaml:3", ended.stderr)
        self.assertIn("session.write_wiat", ended.stderr)
        self.assertIn("session.write_wait", ended.stderr)

    def test_wrong_value_is_named_with_what_was_expected(self):
        ended = self.serve("session:\n  write_wait: soon\n")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("muster.yaml:2", ended.stderr)
        self.assertIn("duration", ended.stderr)

    def test_missing_file_is_named(self):
        ended = run("server", "--config", "/nonexistent/muster.yaml")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("/nonexistent/muster.yaml", ended.stderr)

    def test_wrong_override_is_named(self):
        ended = run("server", "--set", "bolt.lisen=127.0.0.1:1")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("bolt.listen", ended.stderr)


class PortInUse(unittest.TestCase):
    def test_says_which_and_how_to_change_it(self):
        with Server() as first, tempfile.TemporaryDirectory() as folder:
            for key, port in (("bolt.listen", first.bolt_port), ("http.listen", first.http_port)):
                settings = {"bolt.listen": free_port(), "http.listen": free_port(), key: port}
                arguments = []
                for name, value in settings.items():
                    arguments += ["--set", f"{name}=127.0.0.1:{value}"]
                ended = run("server", "--data-dir", folder, *arguments)
                self.assertEqual(ended.returncode, 1)
                self.assertIn(f"127.0.0.1:{port}", ended.stderr)
                self.assertIn(f"--set {key}=", ended.stderr)


class DataFolderInUse(unittest.TestCase):
    def test_says_which_and_how_to_change_it(self):
        with Server() as first:
            ended = run("server", "--data-dir", os.path.join(first.folder, "data"),
                        "--set", f"bolt.listen=127.0.0.1:{free_port()}",
                        "--set", f"http.listen=127.0.0.1:{free_port()}")
            self.assertEqual(ended.returncode, 1)
            self.assertIn(first.folder, ended.stderr)
            self.assertIn("data", ended.stderr)


if __name__ == "__main__":
    unittest.main()
