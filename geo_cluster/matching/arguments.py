"""Reading what people and tables give: as numbers where it is, by name and remedy where it isn't."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo_cluster.errors import Fault

_MOST = 10**9  # of anything counted
_LONGEST = 60  # of what is shown of an entry that is no number


def numbers(given: Any) -> NDArray[Any]:
    """As floats; text, complex numbers and rows of different lengths stay as they are, to be refused by name."""
    try:
        if not np.iscomplexobj(given) and np.asarray(given).dtype.kind not in "mM":  # dates would become days
            return np.asarray(given, dtype=float)
    except (TypeError, ValueError, OverflowError):
        pass
    return as_given(given)


def as_given(given: Any) -> NDArray[Any]:
    """As numpy reads it; where it can't, an array of objects."""
    try:
        return np.asarray(given)
    except ValueError:
        kept = np.empty(len(given), dtype=object)
        kept[:] = list(given)
        return kept


def rounded(value: float, up: bool = False) -> str:
    """Six digits that people can act on: of what can be had never more, of what is lacking never less."""
    if not np.isfinite(value) or value == 0:
        return f"{value:g}"
    step = 10.0 ** (np.floor(np.log10(abs(value))) - 5)
    whole = value / step
    return f"{(np.ceil(whole - 1e-6) if up else np.floor(whole + 1e-6)) * step:g}"


def number_faults(given: NDArray[Any], where: str, name: str = "") -> list[Fault]:
    """What `numbers` couldn't read: the first entry that is no number."""
    if given.dtype == float:
        return []
    remedy = "Write plain numbers only."
    for at, one in np.ndenumerate(given):
        if np.ndim(one) if isinstance(one, np.ndarray) else isinstance(one, list | tuple):
            return [Fault(where, f"{name} has rows of different lengths".strip(), "Give rows of equal length.")]
        try:
            float(str(one) if isinstance(one, np.complexfloating) else one)  # numpy would drop the imaginary part
        except (TypeError, ValueError, OverflowError):
            told = f"{name}{list(map(int, at)) if at else ''} is {_shown(one)}, not a number"
            return [Fault(where, told.strip(), remedy)]
    return [Fault(where, f"{name} holds no numbers".strip(), remedy)]


def amount_faults(**given: Any) -> list[Fault]:
    """What isn't one number of zero or more: limits, gaps, prices."""
    faults = []
    for where, value in given.items():
        wrong = number_faults(numbers(value), where) or np.shape(value)
        if wrong or not numbers(value) >= 0:
            faults.append(Fault(where, f"is {_shown(value)}", "Give one number, zero or more."))
    return faults


def several(given: Any) -> tuple[Any, ...]:
    """A sequence as it is, one thing as a sequence of itself, None as none."""
    if given is None:
        return ()
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def whole_numbers(given: Any) -> NDArray[Any]:
    """Numbers of pools as integers; what isn't whole, or true and false, stays as it is, to be refused by name."""
    pool = as_given(given)
    if pool.dtype.kind not in "iuf":
        return pool
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(pool).all() and np.all(pool == np.floor(pool))
    return pool.astype(np.intp) if whole else pool


def count_faults(**given: Any) -> list[Fault]:
    """What isn't one whole number of one or more: how many projects or sites there are."""
    return [
        Fault(where, f"is {_shown(value)}", "Give one whole number, 1 or more.")
        for where, value in given.items()
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or not 1 <= value < _MOST
    ]


def _shown(value: Any) -> str:
    """The beginning of an entry that can't be used."""
    told = repr(value.item() if isinstance(value, np.generic) else value)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"
