"""scripts/check_docs.py finds what it is there to find."""

import unittest

import trees
import check_docs

DEV = "verb_test() {\n}\n"
BREACHES = [
    ({"README.md": "[gone](docs/gone.md)\n"}, "leads nowhere"),
    ({"README.md": "# One\n[two](#two)\n"}, "no heading for #two"),
    ({"README.md": "[x](/docs)\n"}, "relative"),
    ({"README.md": "![b](https://img.shields.io/x)\n"}, "no badges"),
    ({"README.md": "See `src/gone.h`.\n"}, "does not exist"),
    ({"README.md": "Run `./dev tset`.\n"}, "no verb tset"),
    ({"CHANGELOG.md": "# Changelog\n\n## 1.0\n"}, "a release is"),
    ({"CHANGELOG.md": "## 1.0.0 - 2026-01-01\n## 1.1.0 - 2026-01-02\n"}, "newest to oldest"),
    ({"CHANGELOG.md": "## Unreleased\n### Stuff\n"}, "sections are"),
    ({"CHANGELOG.md": "nothing\n"}, "no ## Unreleased"),
    ({"docs/adr/0002-x.md": "# 0002. X\n\nStatus: accepted\n"}, "without gaps"),
    ({"docs/adr/0001-x.md": "# X\n\nStatus: accepted\n",
      "docs/adr/README.md": "[x](0001-x.md)\n"}, "the title is"),
    ({"docs/adr/0001-x.md": "# 0001. X\n",
      "docs/adr/README.md": "[x](0001-x.md)\n"}, "no line Status"),
    ({"docs/adr/0001-x.md": "# 0001. X\n\nStatus: accepted\n"}, "not listed"),
    ({"deploy/x.yaml": "a: [\n"}, "does not parse"),
]


class Docs(unittest.TestCase):
    def problems(self, files):
        with trees.tree({"dev": DEV, **files}) as folder:
            return check_docs.Checker(folder).run()

    def test_accepts_what_holds(self):
        self.assertEqual(self.problems({
            "README.md": "# The thing\n[it](#the-thing) [doc](docs/a.md#a-b) `docs/a.md`\n"
                         "`./dev test`\n```\n[not](a link)\n```\n[far](https://example.org)\n",
            "docs/a.md": "# A `b`\n",
            "CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n### Added\n\n"
                            "## 1.10.0 - 2026-02-01\n## 1.9.0 - 2026-01-01\n",
            "docs/adr/0001-x.md": "# 0001. X\n\nStatus: accepted\n",
            "docs/adr/README.md": "[x](0001-x.md)\n",
            "deploy/x.yaml": "a: 1\n",
        }), [])

    def test_names_each_breach(self):
        for files, what in BREACHES:
            with self.subTest(what):
                lines = self.problems(files)
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(what, lines[0])


if __name__ == "__main__":
    unittest.main()
