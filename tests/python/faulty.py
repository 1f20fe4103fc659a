"""The file system that fails: tests/c/faulty_vfs.c in this process, for SQLite files opened with ?vfs=faulty."""

import ctypes
import pathlib
import sys

from support import PEER

KINDS = (
    "read", "short read", "write", "short write", "disk full", "sync", "truncate", "lock", "open", "delete"
)  # fmt: skip
BUILD_TREE = pathlib.Path(__file__).resolve().parents[2] / "build" / "python"


def load():
    """The shim that was built beside the tree under test, registered with SQLite; None where none was built."""
    for tree in (*map(pathlib.Path, sys.path), BUILD_TREE):
        path = tree.resolve().parent / "tests" / "python" / "faulty_vfs.so"
        if tree.name == "python" and path.exists():
            shim = ctypes.CDLL(str(path))
            shim.faulty_vfs_arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_bool]
            shim.faulty_vfs_arm.restype = None
            shim.faulty_vfs_heal.restype = ctypes.c_bool
            shim.faulty_vfs_register()
            return shim
    return None


SHIM = load()


def url_of(path):
    """A database there, on the file system that fails; nobody waits for locks."""
    if PEER:
        return f"sqlite:///file:{path}?vfs=faulty&timeout=0&uri=true"
    return f"sqlite:///{path}?vfs=faulty&timeout=0"


def arm(kind, nth, lasting):
    """The nth operation of the kind, from 0, fails; lasting: and all of that kind that follow."""
    SHIM.faulty_vfs_arm(KINDS.index(kind) + 1, nth, lasting)


def heal():
    """Everything works again; True when something failed meanwhile."""
    return SHIM.faulty_vfs_heal()
