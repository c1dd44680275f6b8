"""./dev answers wrong command lines with a sentence, before it installs or builds anything."""

import subprocess
import unittest

import trees

WRONG = [
    (["tset"], "Did you mean 'test'?"),
    (["buld"], "Did you mean 'build'?"),
    (["test", "uint"], "Did you mean 'unit'?"),
    (["test", "unit", "golden"], "usage: ./dev test"),
    (["build", "tsn"], "Did you mean 'tsan'?"),
    (["sim"], "usage: ./dev sim"),
    (["sim", "x"], "usage: ./dev sim"),
    (["sim", "--from", "1", "--seeds", "many"], "usage: ./dev sim"),
    (["check", "x"], "usage: ./dev check"),
    (["fmt", "x"], "usage: ./dev fmt"),
]
LABELS = ["tidy", "unit", "golden", "sim", "swarm", "fuzz", "runtime", "e2e", "conformance",
          "console", "bench_smoke"]


def dev(*arguments):
    return subprocess.run([str(trees.ROOT / "dev"), *arguments], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=20)


class Dev(unittest.TestCase):
    def test_explains_wrong_command_lines(self):
        for arguments, sentence in WRONG:
            with self.subTest(arguments):
                done = dev(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(sentence, done.stderr)

    def test_lists_the_labels(self):
        self.assertIn(" ".join(LABELS), dev("test", "nothing").stderr)

    def test_helps_whoever_asks(self):
        for arguments in ([], ["help"], ["--help"], ["test", "--help"]):
            with self.subTest(arguments):
                done = dev(*arguments)
                self.assertEqual(done.returncode, 0)
                for verb in ("up", "test", "build", "check", "fmt", "sim", "fuzz", "bench"):
                    self.assertIn(f"\n  {verb} ", done.stdout)

    def test_completes_its_words(self):
        def complete(*words):
            line = " ".join(f"'{word}'" for word in words)
            script = (f"cd '{trees.ROOT}'; . scripts/completion.bash; COMP_WORDS=({line}); "
                      f"COMP_CWORD={len(words) - 1}; _muster_dev; echo \"${{COMPREPLY[@]}}\"")
            return subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                  check=True).stdout.split()

        self.assertEqual(complete("./dev", "b"), ["build", "bench"])
        self.assertEqual(complete("./dev", "test", "bench"), ["bench_smoke"])
        self.assertEqual(complete("./dev", "build", "ts"), ["tsan"])
        self.assertEqual(complete("./dev", "up", "--"), ["--once"])
        self.assertEqual(complete("./dev", "sim", "--f"), ["--full", "--from"])
        self.assertEqual(complete("./dev", "cluster", "--f"), ["--free-ports", "--folder"])
        self.assertEqual(complete("./dev", "bench", "--t"), ["--tiny"])
        self.assertEqual(complete("./dev", "bench", "--s"), ["--sizes"])


if __name__ == "__main__":
    unittest.main()
