"""Briefing packs in the background: each made once for a study, a language and what is asked for, and kept."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from app.background import Task
from geo_cluster.export import pack
from geo_cluster.export.pack import Files, Order

KEPT = 4
"""Packs that are kept: some 20 MB each."""


SCREEN = 1600
"""Pixels across a map sheet that is presented."""


class Shelf(NamedTuple):
    """A pack that is made: its files by path, then as HTML slides and paper drawn small and slides to present.

    `pictures` are the map sheets, small.
    """

    files: Files
    slides: str
    deck: str
    paper: str
    pictures: dict[str, str]


@dataclass(eq=False)
class Packing(Task):
    """A pack on its way; stopped, it ends at the next format with nothing.

    Attributes
    ----------
    done : list of str
        Formats that are done, as they came.
    shelf : Shelf
        Once done.
    """

    done: list[str] = field(default_factory=list)
    shelf: Shelf | None = None

    def run(self, order: Callable[[], Order]) -> None:
        """Make it; what it is made of may take a while too."""
        with self.under_way("a pack"):
            self._make(order())

    def _make(self, order: Order) -> None:
        from geo_cluster.export import thumbnails
        from geo_cluster.export.deck import deck
        from geo_cluster.export.outline import outline
        from geo_cluster.export.sketch import sketch

        files = Files()
        with contextlib.closing(pack.made(order)) as made:
            for form, its in made:
                files |= its
                self.done.append(form)
                if self.stopped:
                    return
        files = pack.in_order(files)
        pictures = {path: thumbnails.smaller(one.content) for path, one in files.items() if path.endswith(".png")}
        told = outline(order.study, language=order.language, **order.said)
        drawn = sketch(order.study, order.language)
        small = {one.form.removesuffix("_map"): pictures[path] for path, one in files.items() if path in pictures}
        strip = thumbnails.slides(told, drawn, label=pack.name_of("slides", order.language), sheets=small)
        page = thumbnails.paper(told, label=pack.name_of("paper", order.language), language=order.language)
        sheets = {one.form.removesuffix("_map"): one.content for path, one in files.items() if path.endswith(".png")}
        screens = {name: thumbnails.smaller(picture, SCREEN) for name, picture in sheets.items()}
        self.shelf = Shelf(files, strip, deck(told, screens, language=order.language), page, pictures)


class Packings:
    """The packs of this server by what they are made of; one is made at a time."""

    def __init__(self) -> None:
        self._packs = dict[str, Packing]()
        self._lock, self._slot = threading.Lock(), threading.Semaphore(1)

    def find(self, key: str) -> Packing | None:
        """The pack of this key, if it was ever asked for and is still kept."""
        with self._lock:
            return self._packs.get(key)

    def start(self, key: str, order: Callable[[], Order], at_end: Callable[[], None]) -> Packing:
        """The pack of this key; it is begun if there is none.

        Parameters
        ----------
        key : str
            Names what it is made of.
        order : callable
            Gives what it is made of, in the background.
        at_end : callable
            Called when it has ended, however it did.
        """
        with self._lock:
            found = self._packs.get(key)
            if found is not None and not (found.ended and found.shelf is None):
                return found
            found = self._packs[key] = Packing()
            for old in [one for one, packing in self._packs.items() if packing.ended][:-KEPT]:
                del self._packs[old]
        threading.Thread(target=self._work, args=[found, order, at_end], daemon=True, name=f"pack-{key}").start()
        return found

    def _work(self, packing: Packing, order: Callable[[], Order], at_end: Callable[[], None]) -> None:
        with self._slot:
            packing.run(order)
        at_end()
