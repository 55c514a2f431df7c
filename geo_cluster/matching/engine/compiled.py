"""How kernels are compiled and kept: numba is imported here and nowhere else, and only when a search begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numba import config, njit
from numba.core import caching


def compiled(function: Any) -> Any:
    """Compiled when first called; kept where whoever comes later finds it."""
    made: Any = njit(nogil=True)(function)
    made._cache = _Kept(function)  # what `njit(cache=True)` sets; it knows one folder, and only where it may write
    return made


def inlined(function: Any) -> Any:
    """Compiled into whoever calls it: counting references to its arrays would cost more than what it does."""
    return njit(inline="always")(function)


class _Kept(caching._Cache):
    """Compiled code in any of three folders: where NUMBA_CACHE_DIR says, beside the source, the user's own.

    All are looked into, so that what the installer compiled serves a user who may not write there; the first that can
    be written to takes what is new. Where none can, each process compiles for itself.
    """

    def __init__(self, function: Any) -> None:
        file = function.__code__.co_filename
        apart = caching._CacheLocator.get_suitable_cache_subpath(file)
        own = Path(caching.AppDirs(appname="numba", appauthor=False).user_cache_dir)
        folders = [Path(file).parent / "__pycache__", *([own / apart] if own.is_absolute() else [])]
        if told := getattr(config, "CACHE_DIR", ""):
            folders.insert(0, Path(told) / apart)
        self.places = [_in_folder(str(folder))(function) for folder in folders]

    @property
    def cache_path(self) -> str:
        return str(self.places[0].cache_path)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What is kept for a signature; None where nothing is, or nothing that can be read."""
        for place in self.places:
            try:
                found = place.load_overload(sig, target_context)
            except Exception:  # a file cut short or of another version: an unpickler raises anything
                continue
            if found is not None:
                return found
        return None

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Keep it in the first folder that takes it."""
        for place in self.places:
            try:
                return place.save_overload(sig, cres)
            except OSError:
                continue
        return None

    def enable(self) -> None:
        """Part of numba's interface."""

    disable = enable

    def flush(self) -> None:
        """Part of numba's interface."""


def _in_folder(folder: str) -> type[caching.FunctionCache]:
    """A cache in this folder, whether or not it can be written to."""

    class Locator(caching._SourceFileBackedLocatorMixin, caching._CacheLocator):
        def __init__(self, function: Any, file: str) -> None:
            self._py_file, self._lineno = file, function.__code__.co_firstlineno

        def get_cache_path(self) -> str:
            return folder

        @classmethod
        def from_function(cls, function: Any, file: str) -> Any:
            return cls(function, file)

    class Form(caching.CompileResultCacheImpl):
        _locator_classes = [Locator]  # noqa: RUF012 - numba's name and form

    class Cache(caching.FunctionCache):
        _impl_class = Form

    return Cache
