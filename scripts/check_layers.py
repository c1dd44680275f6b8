#!/usr/bin/env python3
"""Checks that folders include only what src/layers.toml lets them.

    scripts/check_layers.py [ROOT]

For every #include of src: the file exists, its folder is on the list of the including folder, and
headers of heavy libraries (cages) appear only in .cc files of the folders named for them. The same
for the DEPS of each folder's CMakeLists.txt. Cages also hold for sdk and bench. Neither the list
nor the headers may form a cycle. Prints file:line, what is wrong and what to do; status 1 if any.
"""

import pathlib
import re
import sys
import tomllib

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
MODULE = re.compile(r"muster_module\(([^)]*)\)")
CMAKE_KEYWORDS = {"DEPS", "LIBS", "TEST_LIBS", "TEST_LABEL", "TEST_DEPS"}
SOURCES = {".h", ".hpp", ".c", ".cc", ".cpp"}
CODE_OUTSIDE_SRC = ("sdk", "bench")
# What tests and benches may include wherever they stand, as a second opinion: they never reach a
# product.
FREE_IN_TESTS = ("boost/json", "google/protobuf")
# Generated messages drag their library along.
GENERATED_SUFFIX = ".pb.h"
GENERATED_CAGE = "google/protobuf"


def is_test(path):
    return re.search(r"_(test|bench|fuzz)\.cc$|_test_env\.h$", path.name) is not None


def covers(entry, folder):
    """An entry `wire` stands for wire and everything below it."""
    return folder == entry or folder.startswith(entry + "/")


class Checker:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.src = self.root / "src"
        with open(self.src / "layers.toml", "rb") as file:
            rules = tomllib.load(file)
        self.layers = rules.get("layers", {})
        self.cages = rules.get("cages", {})
        self.by_module = {folder.replace("/", "_"): folder for folder in self.layers}
        self.problems = []
        self.header_includes = {}  # header -> [(line, included header)]

    def complain(self, path, line, what):
        self.problems.append(f"{path.relative_to(self.root)}:{line}: {what}")

    def folder_of(self, relative):
        """The listed folder a path below src belongs to: the longest that covers it, or None."""
        parent = pathlib.PurePosixPath(relative).parent.as_posix()
        owners = [folder for folder in self.layers if covers(folder, parent)]
        return max(owners, key=len, default=None)

    def allowed(self, folder, target, extra=()):
        return target == folder or any(
            covers(entry, target) for entry in (*self.layers[folder], *extra))

    def check_list(self):
        """layers.toml itself: no unknown names, no cycles."""
        toml = self.src / "layers.toml"
        lines = toml.read_text().splitlines()

        def line_of(folder):
            return next((n for n, text in enumerate(lines, 1)
                         if text.startswith(f'"{folder}"')), 1)

        graph = {}
        for folder, entries in self.layers.items():
            graph[folder] = []
            for entry in entries:
                hits = [other for other in self.layers if covers(entry, other)]
                if not hits:
                    self.complain(toml, line_of(folder),
                                  f'"{folder}" lists "{entry}", which is no folder of the list; '
                                  "add a line for it or correct the name")
                graph[folder] += [hit for hit in hits if hit != folder]
        cycle = find_cycle(graph)
        if cycle:
            self.complain(toml, line_of(cycle[0]),
                          f"folders in a circle: {' -> '.join(cycle)}; take one of them out")

    def test_deps(self, folder):
        """Folders that the tests of `folder` may also include: TEST_DEPS of its CMakeLists.txt."""
        cmake = self.src / folder / "CMakeLists.txt"
        if not cmake.exists():
            return []
        _, words = parse_module(cmake.read_text())
        return [self.by_module[name] for name in words.get("TEST_DEPS", [])
                if name in self.by_module]

    def check_cage(self, path, line, header, place, cage_of=None):
        for cage, places in self.cages.items():
            if not header.startswith(cage) and cage != cage_of:
                continue
            if cage in FREE_IN_TESTS and is_test(path):
                continue
            where = ", ".join(places)
            if not any(covers(entry, place) for entry in places):
                self.complain(path, line,
                              f"<{header}> belongs to {where}; call a face of that folder instead, "
                              "or name this one in [cages] of src/layers.toml")
            elif path.suffix not in (".cc", ".cpp", ".c"):
                self.complain(path, line,
                              f"<{header}> in a header makes everybody compile it; include it in "
                              "the .cc and hide it behind a pointer or a plain type")

    def check_our_include(self, path, line, folder, header, extra):
        if header.endswith(GENERATED_SUFFIX):
            self.check_cage(path, line, header, folder, GENERATED_CAGE)
            return
        if not (self.src / header).is_file():
            self.complain(path, line,
                          f'"{header}" is no file below src; name it from there, as in '
                          '"base/result.h", and put headers of others in <>')
            return
        target = self.folder_of(header)
        if target is None:
            self.complain(path, line, f'"{header}" is in a folder that src/layers.toml lacks')
        elif not self.allowed(folder, target, extra):
            self.complain(path, line,
                          f"{folder} may not include {target}; pass what is needed in from above, "
                          f"move it down to a folder both see, or let src/layers.toml allow it "
                          f'("{folder}" may see: {", ".join(self.layers[folder]) or "nothing"})')
        if path.suffix == ".h":
            name = path.relative_to(self.src).as_posix()
            self.header_includes.setdefault(name, []).append((line, header))

    def check_source(self, path):
        relative = path.relative_to(self.src).as_posix()
        folder = self.folder_of(relative)
        if folder is None:
            self.complain(path, 1, "this folder is not in src/layers.toml; add a line that says "
                                   "what it may include")
            return
        extra = self.test_deps(folder) if is_test(path) else ()
        for line, ours, theirs in includes_of(path):
            if theirs is not None:
                self.check_cage(path, line, theirs, folder)
                if (self.src / theirs).is_file():
                    self.complain(path, line, f'<{theirs}> is ours: write "{theirs}"')
            else:
                self.check_our_include(path, line, folder, ours, extra)

    def check_cmake(self, path):
        folder = path.parent.relative_to(self.src).as_posix()
        if folder == ".":
            return
        line, words = parse_module(path.read_text())
        if not words or folder not in self.layers:
            return
        name = folder.replace("/", "_")
        if words[""] != [name]:
            self.complain(path, line, f"the module is named by its folder: {name}")
        for dep in words.get("DEPS", []):
            target = self.by_module.get(dep)
            if target is None:
                self.complain(path, line, f"DEPS {dep} is no folder of src/layers.toml; libraries "
                                          "of others go to LIBS")
            elif not self.allowed(folder, target):
                self.complain(path, line, f"{folder} may not depend on {target} "
                                          "(src/layers.toml)")

    def run(self):
        self.check_list()
        for path in sorted(self.src.rglob("*")):
            if path.suffix in SOURCES:
                self.check_source(path)
            elif path.name == "CMakeLists.txt":
                self.check_cmake(path)
        for name in CODE_OUTSIDE_SRC:
            for path in sorted((self.root / name).rglob("*")):
                if path.suffix in SOURCES:
                    place = path.parent.relative_to(self.root).as_posix()
                    for line, _, theirs in includes_of(path):
                        if theirs is not None:
                            self.check_cage(path, line, theirs, place)
        graph = {header: [target for _, target in targets]
                 for header, targets in self.header_includes.items()}
        cycle = find_cycle(graph)
        if cycle:
            self.complain(self.src / cycle[0], 1,
                          f"headers in a circle: {' -> '.join(cycle)}; forward-declare, or split "
                          "the type both need")
        return self.problems


def includes_of(path):
    """(line, "ours" or None, <theirs> or None) of every #include."""
    for number, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(text)
        if match:
            yield number, match[1], match[2]


def parse_module(text):
    """The line of muster_module(...) and its words by keyword; those before any under ""."""
    match = MODULE.search(re.sub(r"#.*", "", text))
    if not match:
        return 1, {}
    words = {"": []}
    keyword = ""
    for word in match[1].split():
        if word in CMAKE_KEYWORDS:
            keyword = word
            words.setdefault(keyword, [])
        else:
            words[keyword].append(word)
    return text[:match.start()].count("\n") + 1, words


def find_cycle(graph):
    """The nodes of one cycle, the first repeated at the end, or an empty list."""
    done = set()

    def visit(node, path):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return []
        for target in graph.get(node, []):
            cycle = visit(target, path + [node])
            if cycle:
                return cycle
        done.add(node)
        return []

    for start in sorted(graph):
        cycle = visit(start, [])
        if cycle:
            return cycle
    return []


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    problems = Checker(root).run()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
