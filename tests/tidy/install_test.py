"""scripts/install.sh on machines that lack something, made of stand-ins for dpkg and apt."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import trees

# Knows the packages named in $STATE, one a line.
DPKG_QUERY = """#!/bin/bash
shift 3
while read -r name; do
    for wanted; do [[ $wanted == "$name" ]] && echo "installed $name"; done
done < "$STATE"
exit 1
"""
APT_GET = """#!/bin/bash
echo "$*" >> "$LOG"
[[ $1 == install ]] || exit 0
for word; do [[ $word == -* || $word == install ]] || echo "$word" >> "$STATE"; done
"""
SUDO = """#!/bin/bash
[[ $1 == -n ]] && shift
"$@"
"""


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "scripts").mkdir()
        (self.folder / "bin").mkdir()
        shutil.copy(trees.ROOT / "scripts/install.sh", self.folder / "scripts")
        (self.folder / "scripts/packages.txt").write_text("# list\ncmake  # a\nmold  # b\n")
        for tool in ("bash", "env", "sed", "comm", "sort", "dirname", "cat"):
            (self.folder / "bin" / tool).symlink_to(shutil.which(tool))
        self.tool("id", "#!/bin/bash\necho 1000\n")
        self.tool("mkdir", "#!/bin/bash\n")
        self.state = self.folder / "state"
        self.log = self.folder / "log"
        self.state.write_text("")
        self.log.write_text("")

    def tool(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def run_install(self, *arguments):
        env = {"PATH": str(self.folder / "bin"), "STATE": str(self.state), "LOG": str(self.log)}
        return subprocess.run([str(self.folder / "scripts/install.sh"), *arguments],
                              env=env, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)

    def debian(self):
        self.tool("dpkg-query", DPKG_QUERY)
        self.tool("apt-get", APT_GET)

    def test_does_nothing_when_nothing_is_missing(self):
        self.debian()
        self.state.write_text("mold\ncmake\n")
        done = self.run_install()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.log.read_text(), "")

    def test_installs_only_what_is_missing(self):
        self.debian()
        self.tool("sudo", SUDO)
        self.state.write_text("cmake\n")
        self.assertEqual(self.run_install("--list").stdout, "mold\n")
        done = self.run_install()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.log.read_text().splitlines(), [
            "update -q", "install -y -q --no-install-recommends mold"])
        self.assertEqual(self.run_install("--list").returncode, 0)

    def test_installs_another_list_when_asked_for_it(self):
        self.debian()
        self.tool("sudo", SUDO)
        (self.folder / "scripts/packages_peers.txt").write_text("etcd-server  # a\n")
        self.assertEqual(self.run_install("--for", "peers", "--list").stdout, "etcd-server\n")
        done = self.run_install("--for", "peers")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.log.read_text().splitlines()[-1],
                         "install -y -q --no-install-recommends etcd-server")
        self.assertEqual(self.run_install("--for", "peers", "--list").returncode, 0)

    def test_says_so_without_root_and_sudo(self):
        self.debian()
        done = self.run_install()
        self.assertEqual(done.returncode, 1)
        self.assertIn("needs root, and there is no sudo", done.stderr)

    def test_says_so_when_sudo_would_ask_without_a_terminal(self):
        self.debian()
        self.tool("sudo", "#!/bin/bash\nexit 1\n")
        done = self.run_install()
        self.assertEqual(done.returncode, 1)
        self.assertIn("without a terminal", done.stderr)

    def test_says_so_when_apt_fails(self):
        self.debian()
        self.tool("sudo", SUDO)
        self.tool("apt-get", "#!/bin/bash\nexit 100\n")
        done = self.run_install()
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get update failed", done.stderr)

    def test_says_so_where_there_is_no_apt(self):
        done = self.run_install()
        self.assertEqual(done.returncode, 1)
        self.assertIn("not a Debian machine", done.stderr)


if __name__ == "__main__":
    os.environ.pop("LC_ALL", None)
    unittest.main()
