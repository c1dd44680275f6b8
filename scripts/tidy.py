#!/usr/bin/env python3
"""Says what a reviewer would say twice: bans with their replacements, sizes, habits.

    scripts/tidy.py [ROOT]            print problems as file:line: what, and what to do; status 1
    scripts/tidy.py --shrink [ROOT]   lower scripts/tidy_ratchet.txt to what the code needs

Functions over 70 lines are banned but for those in scripts/tidy_ratchet.txt, a list that may only
shrink. What clang-format and the compiler can say is left to them.
"""

import dataclasses
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cpp_text  # noqa: E402

COLUMNS = 100
FILE_LINES = 800
FUNCTION_LINES = 70
README_LINES = 60
RATCHET = "scripts/tidy_ratchet.txt"

CPP = {".h", ".hpp", ".c", ".cc", ".cpp"}
TEXT = CPP | {".py", ".sh", ".cmake", ".toml", ".proto", ".md", ".yaml", ".yml", ".txt", ".java",
              ".js", ".ts", ".css", ".html", ".service", ".json", ".xml"}
WIDE = {".toml", ".md", ".json", ".xml", ".html", ".yaml", ".yml", ".txt", ".service"}
TEXT_NAMES = {"dev", "run", "Dockerfile", ".clang-format", ".clang-tidy"}
FOLDERS = ("src", "sdk", "bench", "tests", "cmake", "scripts", "docs", "api", "deploy", "console",
           ".ci")
SKIPPED = {"build", "target", "node_modules", "__pycache__", "corpus", "golden", "dist", ".git"}

CORE = ("src/base", "src/env", "src/model", "src/wire", "src/msg", "src/store", "src/raft",
        "src/roles", "src/doors", "src/sim")
DECISIONS = ("src/model", "src/store", "src/raft", "src/roles")
FACES = ("src/base", "src/env", "src/msg", "src/store", "src/raft", "src/roles", "src/doors")
# Their values are read by the program's threads in the SDK (ADR 5).
INTERNED = ("src/model/interned_text.cc", "src/model/interned_text_test.cc",
            "src/model/service.cc")
VAGUE_NAMES = {"common", "util", "utils", "manager", "helper", "helpers", "misc"}
LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:work|home|root|Users)/\w")
REGISTRY = re.compile(r"https?://(?:repo1?\.maven|registry\.npmjs|pypi\.|files\.pythonhosted)")
WORDS = [
    (LATER, "do it now, or write an issue and leave the code whole"),
    (MACHINE_PATH, "the path of one machine: make it relative or an option"),
    (REGISTRY, "the address of a package registry: leave it to the tool's default"),
]


@dataclasses.dataclass(frozen=True)
class Ban:
    pattern: str
    instead: str
    where: tuple = ()  # folders; empty: everywhere
    tests_too: bool = True
    but: tuple = ()  # files


BANS = [Ban(re.compile(pattern), *rest) for pattern, *rest in [
    (r"\b(system|steady|high_resolution)_clock\b|\b(gettimeofday|clock_gettime|time)\s*\(\s*"
     r"(NULL|nullptr|0|&\w+|CLOCK_\w+[^)]*)\s*\)",
     "real clocks stop at src/runtime: take an env::Clock, or a time as an argument", CORE),
    (r"\brandom_device\b|\bmt19937|\bdefault_random_engine\b|(?<![\w.>:])s?rand\s*\(",
     "randomness is an argument: take a Prng", CORE),
    (r"\bgetenv\b", "settings are arguments: add an option, read it in src/runtime/config", CORE,
     False),
    (r"\bsleep_(for|until)\b|(?<![\w.>:])(u|nano)?sleep\s*\(",
     "nothing waits by sleeping: arm an env::Timers", CORE),
    (r"\bstd::(thread|jthread|mutex|shared_mutex|recursive_mutex|condition_variable\w*|async|"
     r"lock_guard|scoped_lock|unique_lock)\b",
     "no threads or locks above src/runtime: one loop owns each shard, values travel by queues",
     CORE, True, INTERNED),
    (r"\b(double|float)\b", "no floating point in decisions: use integers (per mille, shares)",
     DECISIONS, False),
    (r"\bunordered_(?:flat_)?(?:map|set)<\s*(?:const\s+)?[\w:]+\s*\*\s*(?:,[^,]*)?>\s+\w"
     r"|\bmap<\s*(?:const\s+)?[\w:]+\s*\*\s*,[^,]*>\s+\w"
     r"|\bset<\s*(?:const\s+)?[\w:]+\s*\*\s*>",
     "pointers as keys order by accident: key by an id, or give a comparator of the contents",
     CORE, False),
    (r"(?<![\w:])assert\s*\(", "assert vanishes in release builds: CHECK"),
    (r"\bthrow\b", "we throw nothing: return a Result (fail(Errc::..., detail))",
     ("src", "bench", "sdk/src")),  # the installed header's value() may: users choose it
    (r"\babsl::", "Abseil is not among our libraries: see docs/adr/0002-libraries.md"),
    (r"\busing\s+namespace\b(?!\s+(?:(?:muster|test)\b|std::(?:literals|\w+_literals)\s*;))",
     "name what is used (std literals may be taken whole)"),
    (r"\busing\s+namespace\s+(?:muster|test)\b",
     "open the namespace instead, or name what is used", (),
     False),
    (r"\b(GTEST_SKIP|DISABLED_\w+)", "no skipped tests: make it pass or take it out"),
]]
INCLUDE_BANS = [(re.compile(pattern), instead) for pattern, instead in [
    (r"<c?assert(\.h)?>", 'assert vanishes in release builds: CHECK of "base/check.h"'),
    (r"<absl/", "Abseil is not among our libraries: see docs/adr/0002-libraries.md"),
    (r'"\.\.?/', 'name headers from the source root, as in "base/result.h"'),
]]


def below(name, folders):
    return any(name.startswith(folder + "/") for folder in folders)


def is_test(name):
    """Also what tests share (test_world.h)."""
    return name.startswith("tests/") or re.search(
        r"_(test|bench|fuzz)\.\w+$|/test_\w+\.h$|_(?:test_\w+|fixture)\.h$", name) is not None


class Tidy:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.problems = []
        self.long_functions = {}  # (file, function) -> (lines, first line)

    def complain(self, name, line, what):
        self.problems.append(f"{name}:{line}: {what}")

    def files(self):
        own = pathlib.Path(__file__).resolve().name
        paths = [path for path in sorted(self.root.iterdir()) if path.is_file()]
        for folder in FOLDERS:
            paths += walk(self.root / folder)
        for path in paths:
            known = path.suffix in TEXT or path.name in TEXT_NAMES
            if known and path.name not in ("LICENSE", own, "package-lock.json"):
                yield path

    def check_text(self, path, name, lines):
        wide = path.suffix in WIDE
        text = "\n".join(lines)
        words = [word for word in WORDS if word[0].search(text)]
        for number, line in enumerate(lines, 1):
            if "\t" in line and path.suffix not in (".txt", ".json"):
                self.complain(name, number, "a tab: indent with spaces (\\t inside strings)")
            if line != line.rstrip():
                self.complain(name, number, "spaces at the end of the line: remove them")
            for pattern, instead in words:
                match = pattern.search(line)
                if match:
                    self.complain(name, number, f"{match[0]}: {instead}")
            if not wide and len(line) > COLUMNS and "://" not in line:
                self.complain(name, number, f"{len(line)} columns: break the line at {COLUMNS}")

    def check_cpp(self, path, name, text, lines):
        if len(lines) > FILE_LINES:
            self.complain(name, 1, f"{len(lines)} lines: split it by message or by state (limit "
                                   f"{FILE_LINES}, aim 300)")
        if set(path.stem.split("_")) & VAGUE_NAMES or set(path.parts) & VAGUE_NAMES:
            self.complain(name, 1, "a name that says nothing: call the file by the thing it holds")
        if path.suffix in (".h", ".hpp") and "#pragma once" not in text:
            if not (name.startswith("sdk/") and "#ifndef" in text):
                self.complain(name, 1, "no #pragma once: put it on the first line")
        code = cpp_text.code_only(text)
        test = is_test(name)
        outside = test or path.name == "main.cc"  # entry points stand outside of namespaces
        bans = [ban for ban in BANS
                if (not ban.where or below(name, ban.where)) and (ban.tests_too or not outside)
                and str(name) not in ban.but
                and ban.pattern.search(code)]  # few files need a look at each line
        for number, line in enumerate(code.split("\n"), 1):
            if line.lstrip().startswith("#"):
                raw = lines[number - 1]
                for pattern, instead in INCLUDE_BANS:
                    if "include" in raw and pattern.search(raw):
                        self.complain(name, number, instead)
                continue
            for ban in bans:
                match = ban.pattern.search(line)
                if match:
                    self.complain(name, number, f"{match[0].strip()}: {ban.instead}")
        for function in cpp_text.functions(code):
            if function.lines > FUNCTION_LINES:
                self.long_functions[(name, function.name)] = (function.lines, function.first)
        if path.suffix == ".h" and below(name, FACES) and not test:
            for number, what in cpp_text.classes_without_comment(code, lines):
                self.complain(name, number, f"class {what} has no comment: say above it what it "
                                            "is, who owns it, its thread and its bounds")

    def ratchet(self):
        """(file, function) -> (lines allowed, line of the list)."""
        path = self.root / RATCHET
        entries = {}
        if path.exists():
            for number, line in enumerate(path.read_text().splitlines(), 1):
                words = line.split("#")[0].split()
                if len(words) == 3 and words[2].isdigit():
                    entries[(words[0], words[1])] = (int(words[2]), number)
                elif words:
                    self.complain(RATCHET, number, "an entry is: file function lines")
        return entries

    def check_ratchet(self):
        allowed = self.ratchet()
        for (name, function), (count, first) in sorted(self.long_functions.items()):
            limit, _ = allowed.get((name, function), (FUNCTION_LINES, 0))
            if count > limit:
                self.complain(name, first, f"{function} has {count} lines (limit {limit}): take a "
                                           "step out as a function of its own")
        for (name, function), (limit, number) in sorted(allowed.items()):
            count, _ = self.long_functions.get((name, function), (0, 0))
            if count < limit:
                self.complain(RATCHET, number, f"{function} is shorter now: run "
                                               "scripts/tidy.py --shrink")

    def shrink(self):
        path = self.root / RATCHET
        kept = [line for line in path.read_text().splitlines() if line.startswith("#")]
        for key, (limit, _) in sorted(self.ratchet().items()):
            count, _ = self.long_functions.get(key, (0, 0))
            if count:
                kept.append(f"{key[0]} {key[1]} {min(count, limit)}")
        path.write_text("\n".join(kept) + "\n")

    def check_readmes(self):
        for cmake in sorted((self.root / "src").glob("**/CMakeLists.txt")):
            folder = cmake.parent
            if folder == self.root / "src":
                continue
            readme = folder / "README.md"
            name = readme.relative_to(self.root).as_posix()
            if not readme.exists():
                self.complain(name, 1, "missing: say purpose, face, invariants and how to test")
            elif len(readme.read_text().splitlines()) > README_LINES:
                self.complain(name, 1, f"over {README_LINES} lines: the rest belongs into docs/")

    def check_packages(self):
        for path in sorted((self.root / "scripts").glob("packages*.txt")):
            self.check_package_list(path.relative_to(self.root).as_posix(), path)

    def check_package_list(self, name, path):
        before = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith("#") or not line.strip():
                continue
            package, _, why = line.partition("  # ")
            if not why.strip():
                self.complain(name, number, "say why, as in: package  # reason")
            if package <= before:
                self.complain(name, number, f"{package} belongs above {before}: keep it sorted")
            before = package

    def read(self):
        for path in self.files():
            name = path.relative_to(self.root).as_posix()
            data = path.read_bytes()
            if b"\r" in data:
                self.complain(name, 1, "carriage returns: lines end with \\n only")
            if data and not data.endswith(b"\n"):
                self.complain(name, data.count(b"\n") + 1, "end the last line with a newline")
            text = data.decode(errors="replace")
            lines = text.splitlines()
            self.check_text(path, name, lines)
            if path.suffix in CPP:
                self.check_cpp(path.relative_to(self.root), name, text, lines)

    def run(self):
        self.read()
        self.check_readmes()
        self.check_packages()
        self.check_ratchet()
        return self.problems


def walk(folder):
    """Files below, sorted, without what was built or belongs to others byte by byte."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in SKIPPED:
                yield from walk(path)
        else:
            yield path


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--shrink"]
    root = arguments[0] if arguments else pathlib.Path(__file__).resolve().parent.parent
    if "--shrink" in sys.argv:
        tidy = Tidy(root)
        tidy.read()
        tidy.shrink()
        return 0
    problems = Tidy(root).run()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
