"""Tiles of surfaces, drawn as a map asks for them: for the visitor whose page shows the surface, as long as it does."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable
from typing import Any

PATH = re.compile(r"surface/([0-9a-f]{24})/(\d{1,2})/(\d{1,7})/(\d{1,7})\.png")
"""Key of a surface, zoom, column and row."""
AT_ONCE = 3
"""So many tiles are drawn at the same time."""


class Pyramid:
    """A surface whose tiles can be asked for while somebody holds on to this object.

    Parameters
    ----------
    key : str
        24 hexadecimal digits.
    draw : callable
        PNG of zoom, column and row.
    held : object
        What the surface's files stay for.
    """

    def __init__(self, key: str, draw: Callable[[int, int, int], bytes], held: Any) -> None:
        self.key, self.draw, self.held = key, draw, held
        _pyramids[key] = self

    @property
    def address(self) -> str:
        """What goes before zoom, column and row, and is ticketed."""
        return f"surface/{self.key}"


_pyramids: weakref.WeakValueDictionary[str, Pyramid] = weakref.WeakValueDictionary()


def pyramid(key: str) -> Pyramid | None:
    """The surface of this key, if it is still shown."""
    return _pyramids.get(key)


def drawn(key: str, zoom: int, column: int, row: int) -> bytes | None:
    """A tile; None where there is no such surface or no such tile."""
    found = _pyramids.get(key)
    if found is None or zoom > 22 or max(column, row) >= 2**zoom:
        return None
    return found.draw(zoom, column, row)
