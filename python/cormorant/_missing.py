"""Names that programs know from SQLAlchemy and that are not here yet: asking for one says so."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_IMPORT_FROM = 109  # dis.opmap["IMPORT_FROM"] of CPython 3.11, checked by name when another interpreter runs


def _opcode() -> int:
    if sys.version_info[:2] == (3, 11):
        return _IMPORT_FROM
    import opcode

    return opcode.opmap["IMPORT_FROM"]


def getattr_of(module: str) -> Callable[..., NoReturn]:
    """A ``__getattr__`` for a module of the package.

    ``import`` turns an AttributeError into an ImportError of its own words; so where the name is asked for by
    ``from ... import ...`` an ImportError with ours is raised.

    :param module: the module's name.
    """

    def missing(name: str, depth: int = 1) -> NoReturn:
        text = f"{module} has no {name!r} (yet): see the list of what is there in Cormorant's README"
        frame = sys._getframe(depth)
        code = frame.f_code.co_code
        if not name.startswith("__") and frame.f_lasti >= 0 and code[frame.f_lasti] == _opcode():
            raise ImportError(text, name=module)
        raise AttributeError(text, name=name, obj=sys.modules.get(module))

    return missing
