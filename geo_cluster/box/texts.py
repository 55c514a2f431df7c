"""Text of files whose encoding is not what they say: UTF-8 where it is, else GB 18030."""

from __future__ import annotations

import re
from collections.abc import Sequence

from geo_cluster.errors import Fault, InputError

CODES = ("utf-8", "gb18030")
_DECLARED = re.compile(rb"^(\s*<\?xml[^>]*?)\s+encoding\s*=\s*[\"'][^\"']*[\"']", re.DOTALL)


def as_utf8(content: bytes, name: str) -> bytes:
    """A whole file of text in UTF-8 without a mark, whatever it came in; what XML says of its encoding is taken out."""
    codes = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for code in codes:
        try:
            text = content.decode(code)
        except UnicodeDecodeError:
            continue
        return _DECLARED.sub(rb"\1", text.encode())
    raise InputError(Fault("box.not_text", name))


def spelt(raw: Sequence[bytes], stated: str = "") -> tuple[list[str], list[bool]]:
    """Texts of a table whose encoding may be stated wrongly, and which of them were cut within a letter.

    Parameters
    ----------
    raw : sequence of bytes
        As they stand in the file.
    stated : str
        What the file says its encoding is, e.g. that of a `.cpg`.

    Returns
    -------
    texts : list of str
        All in the same encoding: UTF-8 where that reads all of them, else GB 18030; '�' where neither does.
    cut : list of bool
        Whether the end of a letter is missing, as a field of fixed width leaves it.

    Examples
    --------
    >>> spelt(["净地".encode("gbk"), "已供".encode("gbk")], "OEM")
    (['净地', '已供'], [False, False])
    """
    if all(one.isascii() for one in raw):
        return [one.decode("ascii") for one in raw], [False] * len(raw)
    ways = [found for code in CODES if (found := _read(raw, code)) is not None]
    if len(ways) == 2 and not _is_common(ways[0][0]) and _is_common(ways[1][0]):
        ways = ways[1:]  # two letters of GBK that happen to be one of UTF-8
    if ways:
        return ways[0]
    if stated:
        try:
            return [one.decode(stated) for one in raw], [False] * len(raw)
        except (LookupError, UnicodeDecodeError):
            pass
    return [one.decode("gb18030", "replace") for one in raw], [False] * len(raw)


def _read(raw: Sequence[bytes], code: str) -> tuple[list[str], list[bool]] | None:
    texts, cut = [], []
    for one in raw:
        try:
            text, short = one.decode(code), False
        except UnicodeDecodeError as problem:
            if "unexpected end" not in problem.reason and "incomplete" not in problem.reason:
                return None
            text, short = one[: problem.start].decode(code), True
        texts.append(text)
        cut.append(short)
    return texts, cut


def _is_common(texts: Sequence[str]) -> bool:
    """Whether all letters are among those that Chinese is written with (GB 2312)."""
    try:
        "".join(texts).encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
