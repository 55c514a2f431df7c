"""选址: everything that was set for one project as a short text in the address, and back."""

from __future__ import annotations

import base64
import binascii
import json
import math
import zlib
from typing import Any

from geo_cluster.errors import Fault, InputError
from geo_cluster.world import catalog, portfolio

PARAMETER = "case"
MOST = 6000
"""Characters of a link; what a form holds with all of its weights takes less than a tenth of it."""
UNPACKED = 40_000
LONGEST = 500
"""Characters of one field."""
METHODS = ("sliders", "swing", "ahp")
"""Ways to try weights."""
SCALES: dict[str, list[float]] = {
    "sliders": [at / 10 for at in range(501)],
    "swing": list(range(101)),
    "ahp": [*range(1, 10), *(-at for at in range(2, 10))],
}
"""What a judgement may be, by way."""
FIELDS = ("name", "segment", "output_100m_yuan", *portfolio.STATED, "power_year", "year", "notes")
"""Fields beside the needs (`fields`)."""


def fields() -> tuple[str, ...]:
    """Keys of what the form asks, needs and the longest trip among them."""
    return (*FIELDS, *(kind.asked.column for kind in catalog.resources().values()), "max_minutes")


def packed(case: dict[str, Any]) -> str:
    """A case as text for an address; '' where nothing is set.

    Parameters
    ----------
    case : dict
        `fields` (key -> text), `weights` (criterion -> weight), `sites` (ids side by side), `part` (the open tab),
        `trial` ([method, {judgement: value}]: weights that were tried and not kept), `ground` (stamp of the data).
        Only what differs from an empty form; all may be missing.
    """
    kept = {key: value for key, value in case.items() if value}
    if not kept.keys() - {"ground"}:
        return ""
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpacked(text: str) -> dict[str, Any]:
    """The case of a link.

    Raises
    ------
    InputError
        It was cut, changed on the way, or holds what the page doesn't know.
    """
    try:
        case = _read(text)
        _check(case)
    except (ValueError, TypeError, AttributeError, binascii.Error, zlib.error, RecursionError):
        raise InputError(Fault("app.odd_link", PARAMETER)) from None
    return case


def _read(text: str) -> Any:
    if len(text) > MOST:
        raise ValueError
    engine = zlib.decompressobj()
    content = engine.decompress(
        base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True), UNPACKED
    )
    if not engine.eof or engine.unused_data:
        raise ValueError
    return json.loads(content)


def _check(case: Any) -> None:
    """Raise where a part of a case is no such thing; what is typed in the fields is judged by the form."""
    known = {"fields", "weights", "sites", "part", "trial", "ground"}
    if not isinstance(case, dict) or not case.keys() <= known:
        raise ValueError
    typed = case.get("fields", {})
    fine = set(typed) <= set(fields()) and all(_is_text(one) for one in typed.values())
    fine = fine and typed.get("segment", next(iter(catalog.segments()))) in catalog.segments()
    fine = fine and 0.1 <= _number(typed.get("output_100m_yuan", "1")) <= 1000
    weights = case.get("weights", {})
    fine = fine and set(weights) <= set(catalog.criteria()) and all(_number(one) >= 0 for one in weights.values())
    sites = case.get("sites", [])
    fine = fine and isinstance(sites, list) and len(sites) <= 8 and all(_is_text(one) for one in sites)
    fine = fine and _is_text(case.get("part", "")) and _is_text(case.get("ground", ""))
    method, moved = case.get("trial", [METHODS[0], {}])
    fine = fine and method in METHODS
    fine = fine and all(_is_text(key) and one in SCALES[method] for key, one in moved.items())
    if not fine:
        raise ValueError


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _number(value: Any) -> float:
    """A finite number, or text of one."""
    found = float(value)
    if isinstance(value, bool) or not math.isfinite(found):
        raise ValueError
    return found
