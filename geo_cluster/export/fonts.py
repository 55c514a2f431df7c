"""The Chinese font that sheets and papers are set in: of a wheel, else of this machine; never boxes for characters.

Noto Sans SC and Noto Serif SC (SIL Open Font License) come with the wheel `pylopdf-fonts-zh-cn` as static fonts of one
face a file, which PDF can embed.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from geo_cluster.errors import Fault, InputError, Place

WHEEL = "pylopdf_fonts_zh_cn"
SANS, SERIF = "NotoSansSC-Regular.otf", "NotoSerifSC-Regular.otf"
SYSTEM = (
    *("NotoSansSC-Regular", "NotoSansCJKsc-Regular", "NotoSansCJK-Regular", "SourceHanSansSC-Regular"),
    *("SourceHanSansCN-Regular", "msyh", "Deng", "simhei", "PingFang", "Hiragino Sans GB", "STHeiti Light"),
    *("wqy-microhei", "wqy-zenhei", "DroidSansFallbackFull", "uming", "simsun"),
)
"""File names of Chinese fonts of Linux, Windows and macOS, the better first."""
NEEDED = "鄂葛黄陂亩"
"""Characters that a font has to have to count as Chinese."""


def chinese() -> Path:
    """The file of a Chinese sans serif.

    Raises
    ------
    InputError
        There is none, neither the wheel's nor on this machine.
    """
    return _of_wheel(SANS) or _of_system()


def serif() -> Path:
    """The file of a Chinese serif, for water and titles; the sans serif where there is none."""
    return _of_wheel(SERIF) or chinese()


def has(path: Path, text: str) -> bool:
    """Whether a font has every character of a text."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(str(path))
    except (OSError, RuntimeError):
        return False
    return all(font.get_char_index(ord(letter)) for letter in text)


def _of_wheel(name: str) -> Path | None:
    found = importlib.util.find_spec(WHEEL)
    paths = [Path(folder) / name for folder in (found.submodule_search_locations or ())] if found else []
    return next((path for path in paths if path.is_file()), None)


@cache
def _of_system() -> Path:
    """The best Chinese font that is installed."""
    from matplotlib.font_manager import findSystemFonts

    rank = {name.lower(): at for at, name in enumerate(SYSTEM)}
    known = sorted((rank[Path(one).stem.lower()], one) for one in findSystemFonts() if Path(one).stem.lower() in rank)
    for _, path in known:
        if has(Path(path), NEEDED):
            return Path(path)
    raise InputError(Fault("export.no_chinese_font", Place("", kind="font"), wheel="pylopdf-fonts-zh-cn"))
