"""A node is started from a folder in which a newer release wrote: it says so and ends, nothing is
written over, and the others notice no more than that it is away."""

import os
import shutil
import struct
import unittest

from cluster import Cluster
from harness import run

ADVICE = ("nothing in the data folder was changed. Start the release that wrote it, or begin with "
          "an empty folder (--set data_dir=FOLDER)")
FORMAT_AT = 8  # behind the magic of every file
OTHER_FORMAT = 9


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def checked(data, crc_at, rest_from=None):
    """The same with the checksum at `crc_at` put right: of what stands before it, and of what
    stands from `rest_from` on."""
    covered = data[:crc_at] + (data[rest_from:] if rest_from else b"")
    return data[:crc_at] + struct.pack(">I", crc32c(covered)) + data[crc_at + 4:]


def of_another_format(name, data):
    """What a release that writes OTHER_FORMAT would have put there (docs/protocol)."""
    if name.endswith(".history"):
        return data[:3] + b"2" + data[4:]
    data = data[:FORMAT_AT] + struct.pack(">I", OTHER_FORMAT) + data[FORMAT_AT + 4:]
    if name.endswith(".mview"):
        return checked(data, 12, 16)
    if name.endswith(".mroster"):
        return checked(data, 28)
    if name.endswith(".mvote"):
        return checked(data, len(data) - 4)
    return checked(data, 36)  # of a log or a snapshot


def content(folder):
    """All files but LOCK, which holds the number of the process that looked last."""
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            if name != "LOCK":
                path = os.path.join(root, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = file.read()
    return found


class NewerFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3, 2, 2)
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()

    def others_serve(self):
        ended = run("publish", "orders", "127.0.0.1:8001", "--seconds", "0.1", "-s",
                    self.cluster["session-1"].bolt)
        self.assertEqual(ended.returncode, 0, ended.stderr)

    def refused_with(self, node, name):
        """The node, which is stopped, does not start while that file is of another format."""
        path = os.path.join(node.data_folder, name)
        with open(path, "rb") as file:
            ours = file.read()
        with open(path, "wb") as file:
            file.write(of_another_format(name, ours))
        before = content(node.data_folder)
        ended = run(*node.command()[1:])
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn(f"{path}: written in ", ended.stderr)
        self.assertIn("by another release, this one reads", ended.stderr)
        self.assertIn(ADVICE, ended.stderr)
        self.assertEqual(content(node.data_folder), before)
        self.others_serve()
        with open(path, "wb") as file:
            file.write(ours)

    def check(self, name, suffixes):
        node = self.cluster[name]
        node.stop()
        found = set()
        for file in sorted(content(node.data_folder)):
            suffix = os.path.splitext(file)[1]
            if suffix in suffixes - found:
                found.add(suffix)
                self.refused_with(node, file)
        self.assertEqual(found, suffixes)
        node.start()
        self.cluster.wait_ready(node)
        return node

    def test_a_meta_with_a_log_and_votes_of_another_format(self):
        node = self.check("meta-2", {".mlog", ".mvote"})
        # What the sentence offers: an empty folder.
        node.stop()
        shutil.rmtree(node.data_folder)
        node.start()
        self.cluster.wait_ready(node)
        self.others_serve()

    def test_a_data_server_with_a_view_and_a_history_of_another_format(self):
        for number in range(12):  # services of slots that both lead
            ended = run("publish", f"shop-{number}", "127.0.0.1:8001", "--seconds", "0.1", "-s",
                        self.cluster["session-1"].bolt)
            self.assertEqual(ended.returncode, 0, ended.stderr)
        self.check("data-2", {".mview", ".history"})

    def test_a_session_with_a_view_and_a_roster_of_another_format(self):
        self.check("session-2", {".mview", ".mroster"})


if __name__ == "__main__":
    unittest.main()
