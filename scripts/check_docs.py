#!/usr/bin/env python3
"""Checks that what the documents name exists.

    scripts/check_docs.py [ROOT]

Relative links and their anchors, files and ./dev verbs named in code spans, the form of
CHANGELOG.md, the numbering of docs/adr, YAML and JSON that parses. Prints file:line, what is wrong
and what to do; status 1 if anything is.
"""

import json
import pathlib
import re
import sys

import yaml

SKIPPED = {"build", "target", "node_modules", ".git", "corpus", "golden", "dist"}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
CODE = re.compile(r"`([^`]+)`")
PATH = re.compile(
    r"^(?:\./)?((?:src|sdk|bench|tests|cmake|scripts|docs|api|deploy|console|\.ci)/[\w./-]+"
    r"|(?:CMakeLists\.txt|CMakePresets\.json|README\.md|CONTRIBUTING\.md|CHANGELOG\.md))$")
BADGE = re.compile(r"shields\.io|badge\.svg|badgen\.net|/badges?/")
SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
ADR_NAME = re.compile(r"^(\d{4})-[a-z0-9-]+\.md$")
ADR_STATUS = re.compile(r"^Status: (proposed|accepted|superseded by \[)", re.MULTILINE)


def anchor(heading):
    """The anchor that a heading gets on the usual code hosts."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


class Checker:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.problems = []
        dev = self.root / "dev"
        self.verbs = set(re.findall(r"^verb_(\w+)\(\)", dev.read_text(), re.MULTILINE)
                         if dev.exists() else [])

    def complain(self, path, line, what):
        self.problems.append(f"{path.relative_to(self.root)}:{line}: {what}")

    def prose(self, path):
        """(line number, text) outside of fenced blocks."""
        fenced = False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            elif not fenced:
                yield number, line

    def anchors(self, path):
        return {anchor(line.lstrip("#")) for _, line in self.prose(path) if line.startswith("#")}

    def check_link(self, path, number, target):
        if BADGE.search(target):
            self.complain(path, number, "no badges: say it in words")
        if "://" in target or target.startswith("mailto:"):
            return
        name, _, part = target.partition("#")
        if name.startswith("/"):
            self.complain(path, number, f"{name}: links are relative to the file they stand in")
            return
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            self.complain(path, number, f"the link {target} leads nowhere: correct or remove it")
        elif part and file.suffix == ".md" and part not in self.anchors(file):
            self.complain(path, number, f"{name or 'this file'} has no heading for #{part}")

    def check_code(self, path, number, code):
        match = PATH.match(code.split(":")[0])
        pattern = "NNN" in code or "..." in code
        if match and not pattern and not (self.root / match[1]).exists():
            self.complain(path, number, f"{match[1]} does not exist: correct or remove the name")
        for verb in re.findall(r"\./dev ([a-z]\w*)", code):
            if verb not in self.verbs:
                self.complain(path, number, f"./dev has no verb {verb}: see ./dev help")

    def check_markdown(self, path):
        for number, line in self.prose(path):
            for target in LINK.findall(line):
                self.check_link(path, number, target)
            for code in CODE.findall(line):
                self.check_code(path, number, code)

    def check_changelog(self):
        path = self.root / "CHANGELOG.md"
        if not path.exists():
            return
        seen = []
        for number, line in self.prose(path):
            if line.startswith("## "):
                title = line[3:].strip()
                if title != "Unreleased" and not re.match(
                        r"^\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}$", title):
                    self.complain(path, number, "a release is: ## 1.2.3 - 2026-01-31 (or "
                                                "## Unreleased)")
                if title == "Unreleased" and seen:
                    self.complain(path, number, "Unreleased comes first")
                release = tuple(int(part) for part in re.findall(r"\d+", title)[:3])
                if release and any(other and other <= release for other in seen):
                    self.complain(path, number, "releases go from newest to oldest")
                seen.append(release)
            elif line.startswith("### ") and line[4:].strip() not in SECTIONS:
                self.complain(path, number, f"sections are: {', '.join(sorted(SECTIONS))}")
        if not seen:
            self.complain(path, 1, "there is no ## Unreleased section")

    def check_adr(self):
        folder = self.root / "docs/adr"
        index = folder / "README.md"
        index_text = index.read_text() if index.exists() else ""
        records = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
        for expected, path in enumerate(records, 1):
            text = path.read_text()
            match = ADR_NAME.match(path.name)
            if not match or int(match[1]) != expected:
                self.complain(path, 1, f"records are numbered without gaps: {expected:04}-name.md")
                continue
            if not text.startswith(f"# {match[1]}. "):
                self.complain(path, 1, f"the title is: # {match[1]}. What was decided")
            if not ADR_STATUS.search(text):
                self.complain(path, 1, "no line Status: proposed, accepted or superseded by [...]")
            if f"({path.name})" not in index_text:
                self.complain(path, 1, "not listed in docs/adr/README.md: add a line there")

    def check_data(self, path):
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            else:
                list(yaml.safe_load_all(path.read_text()))
        except (ValueError, yaml.YAMLError) as error:
            self.complain(path, 1, f"does not parse: {' '.join(str(error).split())}")

    def run(self):
        for path in walk(self.root):
            if path.suffix == ".md":
                self.check_markdown(path)
            elif path.suffix in (".json", ".yaml", ".yml") and "tests" not in path.parts:
                self.check_data(path)
        self.check_changelog()
        self.check_adr()
        return self.problems


def walk(folder):
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in SKIPPED:
                yield from walk(path)
        else:
            yield path


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    problems = Checker(root).run()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
