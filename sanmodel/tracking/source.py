"""The code that a state was made by: what git says of the work tree."""

import subprocess
from pathlib import Path

COMMIT_TAG = "mlflow.source.git.commit"
DIRTY_TAG = "san.git_dirty"
"""Tag of a run or version: "true" if no commit holds the code and settings that made it."""

CODE = ("sanmodel", "flows")
"""Folders in which a file that git does not know is a change, too."""


def source_tags(root: Path) -> dict[str, str]:
    """Return the commit of the work tree and whether it was changed since; nothing without git.

    ``dvc.lock`` does not count as a change: every run and version keeps its own.
    """
    commit = git(root, "rev-parse", "HEAD")
    if not commit:
        return {}
    changes = git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")
    # A new module registers itself, whether git knows it or not.
    new = git(root, "status", "--porcelain", "--untracked-files=all", "--", *CODE)
    return {COMMIT_TAG: commit, DIRTY_TAG: str(bool(changes or new)).lower()}


def git(root: Path, *arguments: str) -> str:
    """Return what git prints; nothing without git or outside a repository."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
