"""Small source trees for the tests of the scripts."""

import contextlib
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))


@contextlib.contextmanager
def tree(files):
    """A temporary folder with `files`: relative path -> text."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        yield pathlib.Path(folder)


def run(script, folder):
    """(exit status, lines printed) of a script of this project on a tree."""
    done = subprocess.run([sys.executable, str(ROOT / "scripts" / script), str(folder)],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()
