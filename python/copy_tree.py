"""Keep a copy of a package's files up to date: what changed is copied, what is gone is removed.

usage: copy_tree.py SOURCE TARGET STAMP
"""

import os
import shutil
import sys

SUFFIXES = (".py", ".pyi", "py.typed")


def files_of(root: str) -> set[str]:
    """The package's files below a folder, as relative paths."""
    found = set()
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.endswith(".p")]
        found.update(os.path.relpath(os.path.join(folder, name), root) for name in names if name.endswith(SUFFIXES))
    return found


def is_current(source: str, target: str) -> bool:
    """Whether the copy is as new and as large as the file."""
    try:
        old, new = os.stat(target), os.stat(source)
    except FileNotFoundError:
        return False
    return old.st_mtime_ns == new.st_mtime_ns and old.st_size == new.st_size


def main(source: str, target: str, stamp: str) -> None:
    wanted = files_of(source)
    for path in files_of(target) - wanted:
        os.remove(os.path.join(target, path))
    for path in wanted:
        origin, copy = os.path.join(source, path), os.path.join(target, path)
        if not is_current(origin, copy):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy2(origin, copy)
    with open(stamp, "w", encoding="ascii"):
        pass


main(*sys.argv[1:])
