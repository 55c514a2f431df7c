"""DXF: its texts whatever they were written in, its layers as layers, labels as names of the outlines around them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from geo_cluster.box.outlines import chained, closed

CONFIG = {"DXF_ENCODING": "UTF-8", "DXF_MERGE_BLOCK_GEOMETRIES": "FALSE", "OGR_ARC_STEPSIZE": "1"}
"""Texts come in UTF-8 from here; the parts of a block one by one; arcs as corners each degree (0.005 % of a circle)."""

_UNICODE, _MULTIBYTE = re.compile(r"\\U\+([0-9A-Fa-f]{4})"), re.compile(r"\\M\+5([0-9A-Fa-f]{4})")
_CLOSED_KINDS = re.compile(
    rb"\n\s*0\s*\n(ACAD_PROXY_ENTITY|REGION|3DSOLID|BODY|TCH_\w+|WIPEOUT|IMAGE|MPOLYGON|MLINE|MESH|\w*SURFACE"
    rb"|\w*UNDERLAY|OLE2FRAME)\s*\n"
)
_PARTS = re.compile(
    rb"(?<=\n)[ \t]*0[ \t]*\n(BLOCK|ENDBLK|INSERT)[ \t]*\n((?:[ \t]*(?!0[ \t]*\n)\d+[ \t]*\n[^\n]*\n)*)"
)
_ENTITY = re.compile(rb"(?<=\n)[ \t]*0[ \t]*\n[A-Z]")
_COMMON = rb"(?:\s*(?:5|330|360|102|100|67|410|8|6|62|48|370|420|440|430|390)\s*\n[^\n]*\n)*?"
_UNSEEN = re.compile(rb"\n\s*0\s*\n[A-Z][A-Z0-9_]*\s*\n" + _COMMON + rb"\s*60\s*\n\s*1\s*\n")
_ELSEWHERE = re.compile(rb"\n\s*0\s*\nBLOCK\s*\n(?:\s*(?!70\b)\d+\s*\n[^\n]*\n)*?\s*70\s*\n\s*(\d+)\s*\n")
XREF, FROZEN = 4 | 8, 1
"""Flags of a block that stands in another drawing, and of a layer that is not drawn."""
_FORMAT = re.compile(r"\\[A-Za-z][^;\\{}]*;|[{}]|%%[uUoO]")
_BREAK = re.compile(r"\\P|\n")


def as_drawing(content: bytes) -> bytes:
    """A drawing with its texts in UTF-8: from 2007 on they are, earlier ones are in the code page of their machine."""
    if content.startswith(b"AutoCAD Binary DXF"):
        return content
    for code in ("utf-8-sig", "gb18030", "cp1252"):
        try:
            text = content.decode(code)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = content.decode("gb18030", "replace")
    if "\\U+" in text:
        text = _UNICODE.sub(lambda found: chr(int(found[1], 16)), text)
    if "\\M+5" in text:
        text = _MULTIBYTE.sub(lambda found: bytes.fromhex(found[1]).decode("gb18030", "replace"), text)
    return text.encode("utf-8", "replace")


def unread(content: bytes) -> int:
    """How many things a drawing holds whose shapes only its own program knows: proxies, regions, bodies."""
    return len(_CLOSED_KINDS.findall(content.replace(b"\r\n", b"\n")))


def expanded(content: bytes) -> int:
    """How many shapes the blocks of a drawing become where they stand, in rows and columns and within each other."""
    content = content.replace(b"\r\n", b"\n")
    uses: dict[bytes, list[tuple[bytes, int]]] = {b"": []}
    own: dict[bytes, int] = {}
    block, start = b"", 0
    for part in _PARTS.finditer(content):
        said = [line.strip() for line in part[2].split(b"\n")]
        by = dict(zip(said[0::2], said[1::2], strict=False))
        if part[1] == b"INSERT":
            times = max(_number(by.get(b"70", b"1")), 1) * max(_number(by.get(b"71", b"1")), 1)
            uses[block].append((by.get(b"2", b""), times))
        elif part[1] == b"BLOCK":
            block, start = by.get(b"2", b""), part.end()
            uses.setdefault(block, [])
        else:
            own[block] = len(_ENTITY.findall(content, start, part.start()))
            block = b""
    sizes: dict[bytes, int] = {}

    def size(name: bytes, around: frozenset[bytes]) -> int:
        if name in around or name not in uses:
            return 0  # within itself, which no program draws
        if name not in sizes:
            inner = sum(times * size(one, around | {name}) for one, times in uses[name])
            sizes[name] = own.get(name, 0) + inner
        return sizes[name]

    return sum(times * size(one, frozenset()) for one, times in uses[b""])


def elsewhere(content: bytes) -> int:
    """How many blocks of a drawing stand in other drawings (external references), which did not come along."""
    return sum(int(flags) & XREF != 0 for flags in _ELSEWHERE.findall(content.replace(b"\r\n", b"\n")))


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() else 0


def _layer_table(content: bytes) -> Iterator[dict[bytes, bytes]]:
    """What a drawing says of each of its layers, by group code."""
    start = content.find(b"\nTABLES\n")
    said = [line.strip() for line in content[start + 8 : content.find(b"ENDSEC", start)].split(b"\n")]
    pairs = list(zip(said[0::2], said[1::2], strict=False))
    begins = [k for k, (code, _) in enumerate(pairs) if code == b"0"] + [len(pairs)]
    for k, end in pairwise(begins):
        if pairs[k][1] == b"LAYER":
            yield dict(pairs[k:end])


def hidden(content: bytes, rows: Mapping[str, int]) -> int:
    """How many things of a drawing are not seen: by themselves, or with their layer (which has `rows`)."""
    content = content.replace(b"\r\n", b"\n")
    count = len(_UNSEEN.findall(content))
    for by in _layer_table(content):
        if by.get(b"62", b"").startswith(b"-") or _number(by.get(b"70", b"0")) & FROZEN:
            count += rows.get(by.get(b"2", b"").decode("utf-8", "replace"), 0)
    return count


def layers(
    columns: dict[str, list[Any]], shapes: Any
) -> tuple[dict[str, tuple[dict[str, list[Any]], Any]], Counter[str]]:
    """Shapes of a drawing by layer, each with `Layer` and `name` (the text inside it); what lies on sheets stays out.

    Lines that close, alone or together, are outlines; how many is counted.

    Parameters
    ----------
    columns : mapping of list
        As GDAL names them: `Layer`, `PaperSpace`, `Text` and others.
    shapes : (n,) array of geometry
    """
    left_out: Counter[str] = Counter()
    names = np.array([str(one or "0") for one in columns.get("Layer", ["0"] * len(shapes))], dtype=object)
    paper = np.array([one == 1 for one in columns.get("PaperSpace", [0] * len(shapes))], dtype=bool)
    texts = np.array([spoken(one) for one in columns.get("Text", [""] * len(shapes))], dtype=object)
    left_out["paper"] = int(paper.sum())
    names, texts, shapes = names[~paper], texts[~paper], shapes[~paper]
    shapes, made = closed(shapes)
    joined, of, used = chained(shapes, names, grid=_grid(shapes))
    left_out["closed"] = int(made.sum())
    left_out["joined"] = len(joined)
    names = np.concatenate([names[~used], of])
    texts = np.concatenate([texts[~used], np.full(len(of), "", dtype=object)])
    shapes = np.concatenate([shapes[~used], joined])
    is_text = (texts != "") & (shapely.get_type_id(shapes) == 0)
    labels = _labels(shapes, texts, is_text)
    out = {}
    for layer in dict.fromkeys(names[~is_text]):
        mine = (names == layer) & ~is_text
        out[str(layer)] = ({"Layer": names[mine].tolist(), "name": labels[mine].tolist()}, shapes[mine])
    for layer in dict.fromkeys(names[is_text]):
        if layer not in out:
            mine = (names == layer) & is_text
            out[str(layer)] = ({"Layer": names[mine].tolist(), "name": texts[mine].tolist()}, shapes[mine])
    return out, left_out


def _grid(shapes: Any) -> float:
    """A millimetre, in metres or in degrees."""
    bounds = shapely.total_bounds(shapes) if len(shapes) else np.zeros(4)
    return 1e-8 if np.nanmax(np.abs(bounds), initial=0.0) <= 400 else 1e-3


def spoken(text: Any) -> str:
    r"""A text without the marks that say how it is drawn.

    >>> spoken(r"{\fSimSun|b0;地块1\P6公顷}")
    '地块1 6公顷'
    """
    return _BREAK.sub(" ", _FORMAT.sub("", str(text or ""))).strip() if text else ""


def _labels(shapes: Any, texts: Any, is_text: Any) -> Any:
    """For each outline the one text that lies in it and in no smaller outline; '' where there is none or several."""
    out = np.full(len(shapes), "", dtype=object)
    areas = np.flatnonzero(np.isin(shapely.get_type_id(shapes), (3, 6)))
    points = np.flatnonzero(is_text)
    if not len(areas) or not len(points):
        return out
    tree = shapely.STRtree(shapes[areas])
    which, inside = tree.query(shapes[points], predicate="within")
    size = shapely.area(shapes[areas])
    order = np.argsort(size[inside], kind="stable")
    owner: dict[int, int] = {}
    for k in order:
        owner.setdefault(int(which[k]), int(inside[k]))
    said: dict[int, list[str]] = {}
    for point, area in owner.items():
        said.setdefault(area, []).append(str(texts[points[point]]))
    for area, words in said.items():
        if len(words) == 1:
            out[areas[area]] = words[0]
    return out
