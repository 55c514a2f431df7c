"""How kernels are compiled: numba is imported here and nowhere else, and only when a search begins."""

from __future__ import annotations

from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """Compiled when first called; kept beside its file, in the user's cache, or nowhere when neither is writable."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)


def inlined(function: Any) -> Any:
    """Compiled into whoever calls it: counting references to its arrays would cost more than what it does."""
    return njit(inline="always")(function)
