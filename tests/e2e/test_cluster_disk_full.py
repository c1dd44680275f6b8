"""The disk of one node is full: the node goes on serving and says so, nobody is missed, and nothing
is lost. The disk is a small tmpfs, so it needs root."""

import contextlib
import os
import shutil
import subprocess
import unittest

from churn import Churn
from cluster import Cluster
from harness import eventually

SIZE = "2m"


@contextlib.contextmanager
def small_disk(folder):
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "muster-test", folder],
                   check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True, capture_output=True)


def why_not():
    if os.geteuid() != 0:
        return "mounting a small disk needs root"
    if shutil.which("mount") is None:
        return "`mount` is missing"
    try:
        with contextlib.ExitStack() as stack:
            folder = f"/tmp/muster-disk-{os.getpid()}"
            stack.callback(shutil.rmtree, folder, True)
            stack.enter_context(small_disk(folder))
        return None
    except subprocess.CalledProcessError as error:
        return f"no tmpfs here: {error.stderr.decode().strip()}"


def fill(folder):
    """Gives the file to remove for room again."""
    name = os.path.join(folder, "filler")
    for size in (65536, 1):
        with contextlib.suppress(OSError), open(name, "ab", buffering=0) as file:
            while True:
                file.write(b"x" * size)
    return name


class DiskFull(unittest.TestCase):
    def setUp(self):
        reason = why_not()
        if reason:
            self.skipTest(reason)

    @contextlib.contextmanager
    def load_with_full_disk(self, name):
        """A cluster under load, this node's disk full; gives (cluster, churn, filler)."""
        cluster = Cluster(3, 3, 2)
        with contextlib.ExitStack() as stack:
            stack.callback(cluster.__exit__)
            node = cluster[name]
            stack.enter_context(small_disk(node.data_folder))
            stack.callback(lambda: node.is_running() and node.kill())
            cluster.start()
            cluster.wait_placed()
            churn = stack.enter_context(Churn(cluster))
            yield cluster, churn, fill(node.data_folder)
            self.assertEqual(churn.violations, [])

    def says_so(self, node, what):
        def said():
            with open(os.path.join(node.folder, "log"), encoding="utf-8") as file:
                return any(what in line and "No space left on device" in line for line in file)
        eventually(said, f"{node.name} says {what} and that its disk is full", context=node.said)

    def lose_and_regain(self, cluster, churn, name, what):
        """Slots move away and back."""
        cluster[name].kill()
        churn.probe(f"{what}, without {name}")
        cluster[name].start()
        cluster.wait_ready(cluster[name])
        churn.probe(f"{what}, with {name}")

    def test_a_data_server_goes_on_and_a_new_start_says_what_is_missing(self):
        with self.load_with_full_disk("data-1") as (cluster, churn, filler):
            node = cluster["data-1"]
            self.lose_and_regain(cluster, churn, "data-2", "data-1 has no room")
            node.kill()
            node.start()
            self.assertNotEqual(node.process.wait(timeout=20), 0)
            node.log.close()
            self.says_so(node, "incarnation")
            churn.probe("without data-1")
            os.remove(filler)
            node.start()
            cluster.wait_ready(node)
            churn.probe("data-1 has room")
            churn.wait_equal("everybody who stays is there")

    def test_a_session_goes_on(self):
        with self.load_with_full_disk("session-1") as (cluster, churn, filler):
            node = cluster["session-1"]
            view = os.path.join(node.data_folder, "session", "cluster.mview")
            before = os.stat(view).st_mtime_ns
            self.lose_and_regain(cluster, churn, "data-2", "session-1 has no room")
            self.says_so(node, "node.view.failed")
            self.assertEqual(os.stat(view).st_mtime_ns, before, "the old view is kept whole")
            os.remove(filler)
            self.lose_and_regain(cluster, churn, "data-3", "session-1 has room")
            eventually(lambda: os.stat(view).st_mtime_ns != before, "the view is written again")
            churn.wait_equal("everybody who stays is there")

    def test_a_meta_goes_on(self):
        with self.load_with_full_disk("meta-1") as (cluster, churn, filler):
            node = cluster["meta-1"]
            for _ in range(2):
                self.lose_and_regain(cluster, churn, "data-2", "meta-1 has no room")
            self.says_so(node, "raft.disk")
            os.remove(filler)
            for other in ("meta-2", "meta-3"):  # meta-1 is needed for a majority
                cluster[other].kill()
                self.lose_and_regain(cluster, churn, "data-3", f"without {other}")
                cluster[other].start()
                cluster.wait_ready(cluster[other])
            self.assertTrue(node.is_running())
            churn.wait_equal("everybody who stays is there")


if __name__ == "__main__":
    unittest.main()
