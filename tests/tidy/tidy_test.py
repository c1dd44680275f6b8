"""scripts/tidy.py finds what it is there to find, and nothing in good code."""

import subprocess
import sys
import unittest

import trees
import tidy

GOOD = """#pragma once

#include "base/time.h"

namespace muster {

// Says "using namespace" and throw in a comment and a string: "throw std::random_device".
class Thing {
public:
    Thing() : a_{1}, b_{2} {}
    static_assert(sizeof(int) == 4);

private:
    int a_ = 1'000;
    char c_ = '"';
    int b_ = 0;
};

class Forward;

}  // namespace muster
"""
RULES = [
    ("src/roles/x.cc", "auto t = std::chrono::steady_clock::now();", "env::Clock"),
    ("src/roles/x.cc", "auto t = time(nullptr);", "env::Clock"),
    ("src/wire/x_test.cc", "std::random_device device;", "Prng"),
    ("src/store/x.cc", 'auto* v = std::getenv("X");', "runtime/config"),
    ("src/doors/x.cc", "std::this_thread::sleep_for(delay);", "env::Timers"),
    ("src/doors/x.cc", "std::mutex mutex;", "no threads or locks"),
    ("src/roles/x.cc", "double share = 0;", "no floating point"),
    ("src/roles/x.cc", "std::map<const Thing*, int> things;", "key by an id"),
    ("src/roles/x.cc", "std::unordered_map<Thing*, int> things;", "key by an id"),
    ("src/roles/x.cc", "std::set<const Thing*> things;", "key by an id"),
    ("src/runtime/x.cc", "assert(x);", "CHECK"),
    ("src/runtime/x.cc", "#include <cassert>", "CHECK"),
    ("src/runtime/x.cc", "throw x;", "Result"),
    ("src/runtime/x.cc", "#include <absl/strings/str_cat.h>", "Abseil"),
    ("src/runtime/x.cc", "using namespace std;", "name what is used"),
    ("src/runtime/x_test.cc", "using namespace testing;", "name what is used"),
    ("src/runtime/x.cc", "using namespace muster::wire;", "open the namespace"),
    ("src/runtime/x_test.cc", "TEST(A, DISABLED_B) {}", "no skipped tests"),
    ("src/runtime/x.cc", '#include "../x.h"', "source root"),
    ("src/runtime/x.cc", "// TO" "DO: more", "do it now"),
    ("src/runtime/x.cc", "int x;  ", "spaces at the end"),
    ("src/runtime/x.cc", "\tint x;", "a tab"),
    ("src/runtime/x.cc", "// " + 100 * "x", "103 columns"),
    ("src/runtime/x.cc", '"/ho' 'me/someone/x";', "one machine"),
    ("src/runtime/x.cc", 800 * "int x;\n" + "int x;", "801 lines"),
    ("src/runtime/net_helper.cc", "int x;", "says nothing"),
    ("src/runtime/x.h", "int x;", "#pragma once"),
    ("src/roles/x.h", "#pragma once\nclass X {\n};", "class X has no comment"),
    ("docs/x.md", "https://pypi" ".org/x", "package registry"),
    ("src/x/CMakeLists.txt", "muster_module(x)", "README.md"),
    ("scripts/packages.txt", "mold", "say why"),
    ("scripts/packages.txt", "mold  # a\ncmake  # b", "belongs above"),
    ("scripts/packages_peers.txt", "etcd-server", "say why"),
]


def long_function(lines, head="int f(int x) {"):
    return head + "\n" + (lines - 2) * "    x();\n" + "}\n"


class Tidy(unittest.TestCase):
    def problems(self, files):
        with trees.tree(files) as folder:
            return tidy.Tidy(folder).run()

    def test_exits_with_one_when_it_found_something(self):
        for text, expected in (("int x;\n", 0), ("assert(x);\n", 1)):
            with trees.tree({"src/runtime/x.cc": text}) as folder:
                status, lines = trees.run("tidy.py", folder)
            self.assertEqual((status, len(lines)), (expected, expected))

    def test_accepts_good_code(self):
        self.assertEqual(self.problems({"src/roles/good.h": GOOD}), [])
        self.assertEqual(self.problems({
            "src/roles/ordered.cc": "std::map<const Thing*, int, ByContent> things;\n"
                                    "std::set<const Thing*, ByContent> others;\n",
            "src/runtime/loop.cc": "auto t = std::chrono::steady_clock::now();\n",
            "src/roles/x_test.cc": "using namespace std::chrono_literals;\n",
            "src/roles/x_fuzz.cc": "using namespace muster::wire;\n",
            "src/roles/y.cc": "// a double line, thrown away; assert nothing\nint time(int);\n",
        }), [])

    def test_names_each_breach_and_its_replacement(self):
        for name, text, what in RULES:
            with self.subTest(text[:40]):
                lines = self.problems({name: text + "\n"})
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(what, lines[0])

    def test_wants_a_newline_at_the_end_and_none_of_dos(self):
        self.assertIn("newline", self.problems({"src/runtime/x.cc": "int x;"})[0])
        with trees.tree({}) as folder:
            (folder / "dev").write_bytes(b"x\r\n")
            self.assertIn("carriage", tidy.Tidy(folder).run()[0])

    def test_measures_functions(self):
        for head in ("int f(int x) {", "Thing::Thing()\n    : a_{1}, b_(2) {", "TEST(A, B) {",
                     "template <typename T>\nauto f() -> std::vector<T> {"):
            with self.subTest(head):
                extra = head.count("\n")
                fits = {"src/runtime/x.cc": long_function(70 - extra, head)}
                self.assertEqual(self.problems(fits), [])
                lines = self.problems({"src/runtime/x.cc": long_function(71 - extra, head)})
                self.assertEqual(len(lines), 1, lines)
                self.assertIn("71 lines", lines[0])
        table = "constexpr auto kTable = std::to_array<int>({\n" + 90 * "    {1},\n" + "});\n"
        self.assertEqual(self.problems({"src/runtime/x.cc": table}), [])

    def test_lets_the_ratchet_only_shrink(self):
        files = {"src/runtime/x.cc": long_function(80)}
        files["scripts/tidy_ratchet.txt"] = "src/runtime/x.cc f 80\n"
        self.assertEqual(self.problems(files), [])
        files["scripts/tidy_ratchet.txt"] = "src/runtime/x.cc f 79\n"
        self.assertIn("80 lines (limit 79)", self.problems(files)[0])
        files["scripts/tidy_ratchet.txt"] = "src/runtime/x.cc f 90\nsrc/runtime/y.cc g 75\n"
        self.assertEqual(len(self.problems(files)), 2)
        with trees.tree(files) as folder:
            subprocess.run([sys.executable, str(trees.ROOT / "scripts/tidy.py"), "--shrink",
                            str(folder)], check=True)
            self.assertEqual((folder / "scripts/tidy_ratchet.txt").read_text(),
                             "src/runtime/x.cc f 80\n")


if __name__ == "__main__":
    unittest.main()
