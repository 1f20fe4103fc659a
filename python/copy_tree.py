"""Keep a copy of a package's files up to date: what changed is copied and compiled, what is gone is removed.

usage: copy_tree.py SOURCE TARGET STAMP
"""

import importlib.util
import os
import py_compile
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


def remove(path: str) -> None:
    """Remove a copy and what was compiled of it."""
    for gone in (path, importlib.util.cache_from_source(path)) if path.endswith(".py") else (path,):
        if os.path.exists(gone):
            os.remove(gone)


def main(source: str, target: str, stamp: str) -> None:
    wanted = files_of(source)
    for path in files_of(target) - wanted:
        remove(os.path.join(target, path))
    for path in wanted:
        origin, copy = os.path.join(source, path), os.path.join(target, path)
        if not is_current(origin, copy):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            remove(copy)
            shutil.copy2(origin, copy)
        if path.endswith(".py") and not os.path.exists(importlib.util.cache_from_source(copy)):
            py_compile.compile(copy, quiet=2)
    with open(stamp, "w", encoding="ascii"):
        pass


main(*sys.argv[1:])
