"""Where names stand on a sheet: beside what they name, off each other and off the marks, the important ones first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geo_cluster.export.map_frame import Frame
from geo_cluster.export.map_page import POINT_MM, Page

LEADING = 1.22
"""Line spacing of names in two or three lines."""
AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))


@dataclass
class Name:
    """A name that wants a place.

    Attributes
    ----------
    lines : list of str
    x, y : float
        What it names, mm.
    away : float
        Radius of the mark that it stands beside, mm; 0 puts it in the middle of an area.
    size : float
        Points.
    must : bool
        It is drawn further off with a leader rather than left out.
    told : bool
        The sheet says how many of these found no room.
    look : dict
        As for `Page.text`; `under` holds (lines, look) set below the name, smaller.
    rank : float
        The lower, the sooner.
    """

    lines: list[str]
    x: float
    y: float
    away: float
    size: float
    rank: float
    must: bool = False
    told: bool = False
    look: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Names:
    """Collects names and what they must not cover, then sets them."""

    def __init__(self, page: Page, frame: Frame) -> None:
        self.page, self.frame = page, frame
        self.wanted: list[Name] = []
        self.taken: list[tuple[float, float, float, float]] = []
        self.soft: list[Any] = []
        self.left_out = 0

    def want(self, name: Name) -> None:
        """Ask for a place."""
        if self.frame.has(name.x, name.y, inner=0.5):
            self.wanted.append(name)

    def keep_off(self, x: float, y: float, half: float) -> None:
        """Nothing may stand on a mark at `x`, `y` that is `half` mm from its middle to its edge."""
        self.taken.append((x - half, y - half, x + half, y + half))

    def keep_off_box(self, box: Any) -> None:
        """Nothing may stand on this rectangle."""
        self.taken.append(box.bounds)

    def rather_off(self, lines: Any) -> None:
        """Names had rather not lie across these lines."""
        self.soft.extend(part for part in shapely.get_parts(lines) if not part.is_empty)

    def set(self) -> None:
        """Set every name that finds a place."""
        tree = shapely.STRtree(self.soft) if self.soft else None
        for name in sorted(self.wanted, key=lambda one: one.rank):
            found = self._place(name, tree)
            if found is None:
                self.left_out += name.told
            else:
                self._draw(name, found)

    def _size(self, name: Name) -> tuple[float, float]:
        size = name.size * self.page.text_scale * POINT_MM
        wide = max(self.page.wide(line, name.size) for line in name.lines)
        wide = max([wide, *(self.page.wide(line, name.size * 0.82) for line in name.notes)])
        return wide + 0.5, size * LEADING * (len(name.lines) + 0.84 * len(name.notes))

    def _place(self, name: Name, tree: Any) -> tuple[float, float, float, float] | None:
        wide, high = self._size(name)
        west, south, east, north = self.frame.rect.bounds
        boxes = np.array(self.taken) if self.taken else np.empty((0, 4))
        best: tuple[float, tuple[float, float, float, float]] | None = None
        for cost, left, low in self._spots(name, wide, high):
            box = (left, low, left + wide, low + high)
            if box[0] < west + 0.6 or box[1] < south + 0.6 or box[2] > east - 0.6 or box[3] > north - 0.6:
                continue
            meets = (boxes[:, 0] < box[2]) & (boxes[:, 2] > box[0]) & (boxes[:, 1] < box[3]) & (boxes[:, 3] > box[1])
            if meets.any():
                continue
            crossed = len(tree.query(shapely.box(*box), predicate="intersects")) if tree is not None else 0
            across = self._leads_across(name, box, boxes)
            cost += 1.1 * min(crossed, 4) + 4 * across
            if best is None or cost < best[0]:
                best = cost, box
            if best[0] <= cost and not crossed and not across:
                break
        return best[1] if best else None

    def _leads_across(self, name: Name, box: tuple[float, float, float, float], boxes: np.ndarray) -> int:
        """How many names and marks the leader to a box would cross; its own mark not counted."""
        leader = _leader(name, box)
        if leader is None or not len(boxes):
            return 0
        others = boxes[
            ~((boxes[:, 0] <= name.x) & (boxes[:, 2] >= name.x) & (boxes[:, 1] <= name.y) & (boxes[:, 3] >= name.y))
        ]
        return int(shapely.intersects(shapely.box(*others.T), shapely.LineString(leader)).sum())

    def _spots(self, name: Name, wide: float, high: float) -> list[tuple[float, float, float]]:
        """Lower left corners to try with what each costs, the best first."""
        if not name.away:
            middle = (name.x - wide / 2, name.y - high / 2)
            shifts = [(0.0, 0.0)] + [(dx * step, dy * step) for step in (2.5, 5, 8) for dx, dy in AROUND]
            return [(abs(dx) + abs(dy), middle[0] + dx, middle[1] + dy) for dx, dy in shifts]
        found = []
        for ring, far in enumerate((0.7, 3.0, 6.5, 11.0, 16.0, 22.0, 28.0) if name.must else (0.5, 2.0)):
            off = name.away + far
            for order, (right, up) in enumerate(AROUND):
                slant = 0.75 if right and up else 1.0
                left = name.x + (off * slant if right > 0 else -off * slant - wide if right < 0 else -wide / 2)
                low = name.y + (off * slant if up > 0 else -off * slant - high if up < 0 else -high / 2)
                found.append((ring * 3 + order * 0.25, left, low))
        return sorted(found)

    def _draw(self, name: Name, box: tuple[float, float, float, float]) -> None:
        self.taken.append(box)
        z, leader = self.frame.z, _leader(name, box)
        if leader is not None:
            self.page.line(leader, color="#ffffff", weight=1.5, z=z + 29, alpha=0.85)
            self.page.line(leader, color=name.look.get("color", self.page.ink), weight=0.45, z=z + 29.1)
        beside = (name.away and name.x < box[0]) or (name.away and name.x > box[2])
        ha = "center" if not beside else "left" if name.x < box[0] else "right"
        x = {"center": (box[0] + box[2]) / 2, "left": box[0] + 0.2, "right": box[2] - 0.2}[ha]
        step = name.size * self.page.text_scale * POINT_MM * LEADING
        y = box[3]
        for line in name.lines:
            self.page.text(x, y - step * 0.80, line, name.size, ha=ha, va="baseline", **{"z": z + 50, **name.look})
            y -= step
        for line in name.notes:
            look = {"z": z + 50, **name.look, "bold": False}
            self.page.text(x, y - step * 0.70, line, name.size * 0.82, ha=ha, va="baseline", **look)
            y -= step * 0.84


def _leader(name: Name, box: tuple[float, float, float, float]) -> list[tuple[float, float]] | None:
    """From the edge of a mark to a name that stands further off; None where none is needed."""
    at = np.array([name.x, name.y])
    near = np.clip(at, box[:2], box[2:])
    far = float(np.hypot(*(near - at)))
    if not name.away or far - name.away <= 2.2:
        return None
    start = at + (near - at) * (name.away / far)
    return [(float(start[0]), float(start[1])), (float(near[0]), float(near[1]))]
