"""scripts/check_layers.py finds what it is there to find."""

import unittest

import trees
import check_layers

LAYERS = """
[layers]
"base" = []
"wire/bolt" = ["base"]
"roles/session" = ["base"]
"roles/data" = ["base"]
"doors/bolt" = ["base", "wire", "roles/session"]
[cages]
"boost/json" = ["doors/bolt"]
"google/protobuf" = ["wire/bolt"]
"""
HEADER = "#pragma once\n"


class Layers(unittest.TestCase):
    def problems(self, files):
        with trees.tree({"src/layers.toml": LAYERS, "src/base/a.h": HEADER, **files}) as folder:
            return check_layers.Checker(folder).run()

    def assert_one(self, files, place, what):
        lines = self.problems(files)
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(place), lines)
        self.assertIn(what, lines[0])

    def test_exits_with_one_when_it_found_something(self):
        for files, expected in (({}, 0), ({"src/stuff/x.cc": "int x;\n"}, 1)):
            with trees.tree({"src/layers.toml": LAYERS, **files}) as folder:
                status, lines = trees.run("check_layers.py", folder)
            self.assertEqual((status, len(lines)), (expected, expected))

    def test_accepts_what_the_list_allows(self):
        self.assertEqual(self.problems({
            "src/wire/bolt/b.h": HEADER + '#include "base/a.h"\n',
            "src/doors/bolt/c.cc": '#include <boost/json.hpp>\n#include "wire/bolt/b.h"\n',
            "src/wire/bolt/d_test.cc": "#include <boost/json.hpp>\n",
            "src/doors/bolt/d_test.cc": '#include "native.pb.h"\n',
        }), [])

    def test_refuses_a_folder_beside(self):
        self.assert_one({"src/roles/session/s.h": HEADER,
                         "src/roles/data/d.cc": '\n#include "roles/session/s.h"\n'},
                        "src/roles/data/d.cc:2:", "may not include roles/session")

    def test_refuses_a_folder_above(self):
        self.assert_one({"src/wire/bolt/b.h": HEADER,
                         "src/base/a.cc": '#include "wire/bolt/b.h"\n'},
                        "src/base/a.cc:1:", "base may not include wire/bolt")

    def test_refuses_unknown_folders(self):
        self.assert_one({"src/stuff/x.cc": "int x;\n"}, "src/stuff/x.cc:1:", "not in src/layers")

    def test_refuses_headers_that_are_not_there(self):
        self.assert_one({"src/base/a.cc": '#include "a.h"\n'}, "src/base/a.cc:1:", "below src")

    def test_keeps_heavy_libraries_in_their_cages(self):
        self.assert_one({"src/roles/data/d.cc": "#include <boost/json.hpp>\n"},
                        "src/roles/data/d.cc:1:", "belongs to doors/bolt")
        self.assert_one({"src/doors/bolt/d.h": "#include <boost/json/value.hpp>\n"},
                        "src/doors/bolt/d.h:1:", "in a header")
        self.assert_one({"bench/relay.cc": "#include <google/protobuf/message.h>\n"},
                        "bench/relay.cc:1:", "belongs to wire/bolt")
        self.assert_one({"src/doors/bolt/d.cc": '#include "native.pb.h"\n'},
                        "src/doors/bolt/d.cc:1:", "belongs to wire/bolt")

    def test_lets_tests_see_their_test_deps(self):
        files = {"src/roles/data/d.h": HEADER,
                 "src/roles/session/s_test.cc": '#include "roles/data/d.h"\n'}
        self.assertEqual(len(self.problems(files)), 1)
        files["src/roles/session/CMakeLists.txt"] = (
            "muster_module(roles_session DEPS base TEST_DEPS roles_data)\n")
        self.assertEqual(self.problems(files), [])

    def test_compares_the_modules_with_the_list(self):
        self.assert_one({"src/base/CMakeLists.txt": "muster_module(base DEPS roles_data)\n"},
                        "src/base/CMakeLists.txt:1:", "may not depend on roles/data")
        self.assert_one({"src/base/CMakeLists.txt": "muster_module(bass)\n"},
                        "src/base/CMakeLists.txt:1:", "named by its folder")
        self.assert_one({"src/base/CMakeLists.txt": "muster_module(base DEPS fmt::fmt)\n"},
                        "src/base/CMakeLists.txt:1:", "LIBS")

    def test_finds_circles(self):
        self.assert_one({"src/base/b.h": HEADER + '#include "base/c.h"\n',
                         "src/base/c.h": HEADER + '#include "base/b.h"\n'},
                        "src/base/b.h:1:", "base/b.h -> base/c.h -> base/b.h")
        self.assert_one({"src/layers.toml": '[layers]\n"base" = ["top"]\n"top" = ["base"]\n'},
                        "src/layers.toml:2:", "circle")
        self.assert_one({"src/layers.toml": '[layers]\n"base" = ["bottom"]\n'},
                        "src/layers.toml:2:", "no folder of the list")


if __name__ == "__main__":
    unittest.main()
