"""Reading arguments: as numbers where they are numbers, refused by name and remedy where they aren't."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo_cluster.errors import Fault, Place

_MOST = 10**9  # of anything counted
_LONGEST = 60  # of what is shown of an entry that is no number


def numbers(argument: Any) -> NDArray[Any]:
    """As floats; text, complex numbers and rows of different lengths stay as they are, to be refused by name."""
    try:
        if not np.iscomplexobj(argument) and np.asarray(argument).dtype.kind not in "mM":  # dates would become days
            return np.asarray(argument, dtype=float)
    except (TypeError, ValueError, OverflowError):
        pass
    return as_array(argument)


def as_array(argument: Any) -> NDArray[Any]:
    """As numpy reads it; where it can't, an array of objects."""
    try:
        return np.asarray(argument)
    except ValueError:
        kept = np.empty(len(argument), dtype=object)
        kept[:] = list(argument)
        return kept


def integers(argument: Any) -> NDArray[Any]:
    """Numbers of pools as integers; fractions, or true and false, stay as they are, to be refused by name."""
    array = as_array(argument)
    if array.dtype.kind not in "iuf":
        return array
    with np.errstate(invalid="ignore"):
        integral = np.isfinite(array).all() and np.all(array == np.floor(array))
    return array.astype(np.intp) if integral else array


def several(argument: Any) -> tuple[Any, ...]:
    """A sequence as it is, one thing as a sequence of itself, None as none."""
    if argument is None:
        return ()
    return tuple(argument) if isinstance(argument, Iterable) and not isinstance(argument, str) else (argument,)


def rounded(value: float, up: bool = False) -> str:
    """Six digits that people can act on: of what can be had never more, of what is lacking never less.

    >>> rounded(2 / 3), rounded(2 / 3, up=True)
    ('0.666666', '0.666667')
    """
    if not np.isfinite(value) or value == 0:
        return f"{value:g}"
    step = 10.0 ** (np.floor(np.log10(abs(value))) - 5)
    steps = value / step
    return f"{(np.ceil(steps - 1e-6) if up else np.floor(steps + 1e-6)) * step:g}"


def shown(value: Any) -> str:
    """The beginning of an entry that can't be used."""
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def number_faults(array: NDArray[Any], place: Place | str, part: str = "") -> list[Fault]:
    """What `numbers` couldn't read: the first entry that is no number.

    Parameters
    ----------
    array : array
        As `numbers` gave it back.
    place : Place or str
        Whose argument it is.
    part : str
        Field of it, where it has several.
    """
    if array.dtype == float:
        return []
    place = Place(place) if isinstance(place, str) else place
    place = replace(place, key=part) if part else place
    for at, one in np.ndenumerate(array):
        if np.ndim(one) if isinstance(one, np.ndarray) else isinstance(one, list | tuple):
            return [Fault("matching.uneven_rows", place)]
        try:
            float(str(one) if isinstance(one, np.complexfloating) else one)  # numpy would drop the imaginary part
        except (TypeError, ValueError, OverflowError):
            if not at:
                return [Fault("matching.not_a_number", place, value=shown(one))]
            return [Fault("matching.not_a_number_at", place, at=str(list(map(int, at))), value=shown(one))]
    return [Fault("matching.no_numbers", place)]


def amount_faults(**amounts: Any) -> list[Fault]:
    """What isn't one number of zero or more: limits, gaps, prices."""
    faults = []
    for name, value in amounts.items():
        wrong = isinstance(value, str | bytes) or number_faults(numbers(value), name) or np.shape(value)
        if wrong or not numbers(value) >= 0:
            faults.append(Fault("matching.not_an_amount", name, value=shown(value)))
    return faults


def count_faults(**counts: Any) -> list[Fault]:
    """What isn't one whole number of one or more: how many projects or sites there are."""
    return [
        Fault("matching.not_a_count", name, value=shown(value))
        for name, value in counts.items()
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or not 1 <= value < _MOST
    ]


def integer_faults(*, least: int, **values: Any) -> list[Fault]:
    """What isn't one whole number of `least` or more: seeds, counts of draws and plans."""
    return [
        Fault("matching.not_an_integer", name, value=shown(value), least=least)
        for name, value in values.items()
        if not isinstance(value, int | np.integer) or value < least
    ]
