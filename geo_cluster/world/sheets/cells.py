"""What one cell says: an amount or a range with its unit, a year, a day, ratings of transformers, voltages, degrees.

A reading is what was found, or the fault that it has, for whoever knows its place.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from geo_cluster.errors import Fault, Place
from geo_cluster.world.sheets import units
from geo_cluster.world.sheets.words import fold

EMPTY = frozenset(
    {
        "无",
        "暂无",
        "没有",
        "待定",
        "未定",
        "未知",
        "不详",
        "待补充",
        "待填",
        "待报",
        "待核",
        "空",
        "无数据",
        "n/a",
        "na",
        "n.a.",
        "nan",
    }
    | {"none", "null", "nil", "tbd", "#", "?", "、", "//", "\\\\"}
)
"""What people write into a cell that says nothing."""

_ABOUT = re.compile(
    r"^(?:约为?|近|大约|大概|近似|≈|~|预计|拟|估计?|暂定|about|approx\.?|ca\.?)+|(?:左右|上下|\(约\)|\(暂定\)|\(估\))+$"
)
_OPEN = re.compile(
    r"不低于|不少于|不小于|不超过|不高于|不大于|至少|至多|最多|最少|以上|以下|以内|以外|超过?|低于|高于|少于|多于|大于|小于|[<>≤≥]|(?<=[\d十百千万亿])[余多]|几|数十|若干|\+$"
)
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d{1,3}(?!\d))?"
_BETWEEN = r"(?:[-–—−]{1,2}|~|～|至|到|to)"
_UNIT = r"[^\d\-–—−~～至到±,;]*?"
_SPAN = re.compile(rf"^([+\-−]?{_NUMBER})\s*({_UNIT})(?:\s*{_BETWEEN}\s*({_NUMBER})\s*({_UNIT}))?$")
_PLUS_MINUS = re.compile(rf"^({_NUMBER})\s*±\s*({_NUMBER})\s*({_UNIT})$")
_TIMES = re.compile(rf"^({_NUMBER})\s*({_UNIT})\s*[x×*]\s*({_NUMBER})\s*({_UNIT})$")
_COMMAS = re.compile(r"^\d+(?:[,、]\s*\d+)+(?:\.\d+)?")
_DATE = re.compile(r"^(?:19|20)\d\d[-/]\d{1,2}[-/]\d{1,2}(?: \d|$)")
_NUMERALS = re.compile(r"[零〇一二两三四五六七八九十百千万亿点半]+")
_DIGITS = {one: k for k, one in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_STEPS = {"十": 10, "百": 100, "千": 1000}
_FORMAL = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千")
"""Numerals as they stand on contracts."""

_WIDEST = 100
"""A range whose ends lie further apart than so many times is most likely of two units where one has none: 6-8000万."""


LONGEST = 200
"""Characters of a cell that is read as anything but text; a longer one is none, and would take long to look through."""

NOWHERE = Place("")
"""Where a fault is until whoever reads the table says so."""


@dataclass(frozen=True)
class Amount:
    """A number, or a range with its middle, as it stands in a cell; the unit is '' where none is written.

    `aside` is what stands in brackets behind it and isn't read; `about` whether it says that it is only about so much.
    """

    low: float
    high: float
    low_unit: str = ""
    high_unit: str = ""
    about: bool = False
    aside: str = ""


def is_empty(text: str) -> bool:
    """Whether a cell says nothing: blank, 无, /, 待定 and the like."""
    folded = fold(text).lower()
    return not folded or folded in EMPTY or not folded.strip("-—_/\\.…·~ ")


@lru_cache(maxsize=50_000)
def amount(text: str) -> Amount | Fault:
    """Read a number or a range in a cell that isn't empty.

    >>> amount("约30亩")
    Amount(low=30.0, high=30.0, low_unit='亩', high_unit='亩', about=True, aside='')
    >>> amount("30~35"), amount("三十亩").low, amount("1,200").low, amount("1,2").code
    (Amount(low=30.0, high=35.0, low_unit='', high_unit='', about=False, aside=''), 30.0, 1200.0, 'sheets.ambiguous')
    """
    if _unlike_number(text):
        return Fault("sheets.not_a_number", NOWHERE, value=text)
    said = re.sub("m2(?!\\d)", "㎡", fold(text).lower())  # its digit is no number
    if _DATE.match(said):
        return Fault("sheets.date_for_number", NOWHERE, value=text)
    said, aside = _bracket(said)
    bare = _ABOUT.sub("", said).strip()
    about, said = bare != said, bare.removeprefix("¥").removeprefix("￥").removeprefix("rmb").strip().rstrip("。.")
    if re.search(r"[$€£]", said):
        return Fault("sheets.unknown_currency", NOWHERE, value=text)
    if _OPEN.search(re.sub(r"e\+\d", "", said)):
        return Fault("sheets.open_ended", NOWHERE, value=text)
    said = _in_digits(said)
    read = _times(said) or _plus_minus(said) or _span(said)
    if read is None:
        if _COMMAS.match(said) or re.match(r"^\d+(?:\.\d+)?/\d", said):
            return Fault("sheets.ambiguous", NOWHERE, value=text)
        return Fault("sheets.not_a_number", NOWHERE, value=text)
    if isinstance(read, Fault):
        return read
    low, high, low_unit, high_unit = read
    if aside and units.kind_of(aside) and not high_unit:
        low_unit, high_unit, aside = aside, aside, ""
    if aside and re.search(r"\d", aside) and not _is_same(high, high_unit, aside):
        return Fault("sheets.ambiguous", NOWHERE, value=text)
    if re.match("[百千万亿]", high_unit) and said.count(high_unit) == 1 and 0 < low < high / _WIDEST:
        return Fault("sheets.wide_range", NOWHERE, value=text)
    if not abs(low) < 1e300 or not abs(high) < 1e300:
        return Fault("sheets.not_a_number", NOWHERE, value=text)
    return Amount(low, high, low_unit, high_unit, about, aside)


def _unlike_number(text: str) -> bool:
    """Whether it is long, or has digits such as ① or ½, which are no digits of a number; of m² they are."""
    return len(text) > LONGEST or any(
        unicodedata.category(one) == "No" and not (one in "²³" and before.lower() in ("m", "米", "ｍ"))
        for before, one in zip(" " + text, text, strict=False)
    )


def _bracket(said: str) -> tuple[str, str]:
    """The text before a bracket at its end, and what is in it."""
    found = re.match(
        r"^([^()\[\]]*\d[^()\[\]]*|[^()\[\]]*[一二三四五六七八九十百千][^()\[\]]*)[(\[]([^()\[\]]*)[)\]]$", said
    )
    return (found[1].strip(), found[2].strip()) if found else (said, "")


def _is_same(value: float, unit: str, aside: str) -> bool:
    """Whether a bracket says the same in another unit: 2公顷(合30亩)."""
    found = _SPAN.match(aside.lstrip("合即约折"))
    if not found or found[3] or not unit:
        return False
    times = units.factor(unit, found[2].strip())
    return times is not None and abs(_number(found[1]) * times - value) <= 0.01 * abs(value)


Read = tuple[float, float, str, str]


def _span(said: str) -> Read | None:
    found = _SPAN.match(said)
    if not found:
        return None
    first, unit, second, other = found.groups()
    if second is None:
        value = _number(first)
        return value, value, unit.strip(), unit.strip()
    if first[0] in "+-−":
        return None
    return _number(first), _number(second), unit.strip() or other.strip(), other.strip() or unit.strip()


def _plus_minus(said: str) -> Read | None:
    found = _PLUS_MINUS.match(said)
    if not found:
        return None
    middle, more = _number(found[1]), _number(found[2])
    return middle - more, middle + more, found[3].strip(), found[3].strip()


def _times(said: str) -> Read | Fault | None:
    """A product such as 2×1250kVA: so many of a rating."""
    found = _TIMES.match(said)
    if not found:
        return None
    both = _count_and_rating(_number(found[1]), _number(found[3]))
    if both is None:
        return Fault("sheets.which_is_the_count", NOWHERE, value=said)
    unit = (found[4] or found[2]).strip()
    if found[2].strip() in ("台", "组") or found[4].strip() in ("台", "组"):
        unit = next((one.strip() for one in (found[2], found[4]) if one.strip() not in ("", "台", "组")), "")
    return both[0] * both[1], both[0] * both[1], unit, unit


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def _in_digits(said: str) -> str:
    """Chinese numerals as digits; a text that has digits already is left alone, for 百 and 万 are in units too.

    >>> _in_digits("三十至三十五亩"), _in_digits("一百零五"), _in_digits("三万平方米"), _in_digits("3万亩")
    ('30至35亩', '105', '3万平方米', '3万亩')
    """
    if re.search(r"\d", said):
        return said
    said = said.translate(_FORMAL)

    def digits(found: re.Match[str]) -> str:
        whole = found[0]
        inner = re.search("[万亿](?=[零〇一二两三四五六七八九十])", whole)
        if inner:
            value = _numeral(whole)
            return whole if value is None else f"{value:.12g}"
        for run in (whole, whole.rstrip("百千万亿"), whole.rstrip("万亿")):
            value = _numeral(run) if run == whole or run.endswith(tuple(_DIGITS) + tuple(_STEPS)) else None
            if value is not None and not (run == whole and re.search("[万亿]$", run)):
                return f"{value:.12g}{whole[len(run) :]}"
        return whole

    return _NUMERALS.sub(digits, said)


def _numeral(text: str) -> float | None:
    """The value of a Chinese numeral; None when it is none."""
    if text == "半":
        return 0.5
    whole, point, rest = text.partition("点")
    if point:
        value, decimals = _numeral(whole), [_DIGITS.get(one) for one in rest]
        if value is None or not decimals or None in decimals:
            return None
        return float(f"{value:.0f}.{''.join(map(str, decimals))}")
    for mark, step in (("亿", 1e8), ("万", 1e4)):
        if mark in whole:
            above, _, below = whole.partition(mark)
            high, low = _numeral(above), _numeral(below.removeprefix("零")) if below else 0.0
            return None if high is None or low is None else high * step + low
    if whole and all(one in _DIGITS for one in whole):
        return float("".join(str(_DIGITS[one]) for one in whole)) if len(whole) != 1 or whole else None
    total, digit, last = 0.0, None, 10_000
    for k, one in enumerate(whole):
        if one in _DIGITS:
            if digit is not None and digit != 0:
                return None
            digit = _DIGITS[one]
        elif one in _STEPS and _STEPS[one] < last:
            if digit is None and not (one == "十" and k == 0):
                return None
            total, last, digit = total + (1 if digit is None else digit) * _STEPS[one], _STEPS[one], None
        else:
            return None
    return total + (digit or 0) if whole else None


def _count_and_rating(first: float, second: float) -> tuple[int, float] | None:
    """Which of two factors is a count of transformers: the whole number up to 4, else the one up to 9 beside a larger.

    >>> _count_and_rating(2, 63), _count_and_rating(63, 2), _count_and_rating(5, 63), _count_and_rating(63, 50)
    ((2, 63), (2, 63), (5, 63), None)
    """
    for most, least in ((4, 4), (9, 9)):
        for count, rating in ((first, second), (second, first)):
            if count == int(count) and 1 <= count <= most and rating > least:
                return int(count), rating
    if first == int(first) and 1 <= first <= 4 and 0 < second <= 4:
        return int(first), second
    return None


_LEAST_MVA, _MOST_MVA = 0.03, 1500.0
"""No transformer of a grid is smaller or larger: a larger number is mostly one of kVA."""


def ratings(text: str, own: str = "MVA", said: str = "") -> str | Fault:
    """Ratings of transformers in a `text`, written as `2x63+50` in `own`; `said` is the unit of the heading.

    >>> ratings("2×63MVA"), ratings("63x2"), ratings("2台50000kVA"), ratings("0x63").code
    ('2x63', '2x63', '2x50', 'sheets.no_transformers')
    """
    if _unlike_number(text):
        return Fault("sheets.unreadable_ratings", NOWHERE, value=text)
    whole, aside = _bracket(fold(text).lower())
    if re.search(r"\d", aside):
        return Fault("sheets.unreadable_ratings", NOWHERE, value=text)
    whole = re.sub(r"^(?:共|约)", "", whole.strip("() "))
    if "/" in whole and re.search(r"[x×*台]", whole):  # 2×63/3×63 may be what there is and what is planned
        return Fault("sheets.unreadable_ratings", NOWHERE, value=text)
    whole += aside if units.size("capacity", aside) else ""
    parts = [part for part in re.split(r"[+＋;、/]|(?<=\d),(?!\d{3}(?:\D|$))|,(?=\D)", whole) if part.strip()]
    out, last = [], said
    read = []
    for part in reversed(parts):  # 2×63+50MVA: the unit at the end is of all
        one = _rating(part.strip())
        if isinstance(one, Fault):
            return one
        count, rating, unit = one
        last = unit or last
        times = units.factor(own, last) if last else 1.0
        if times is None:
            return Fault("sheets.unknown_unit", NOWHERE, value=text, unit=last, known=units.known(own))
        if not _LEAST_MVA <= rating * times <= _MOST_MVA:
            return Fault("sheets.unusual_rating", NOWHERE, value=text, rating=rating * times)
        read.append((count, rating * times))
    for count, rating in reversed(read):
        out.append(f"{count}x{rating:.9g}" if count > 1 else f"{rating:.9g}")
    return "+".join(out) if out else Fault("sheets.unreadable_ratings", NOWHERE, value=text)


def _rating(part: str) -> tuple[int, float, str] | Fault:
    """Count, rating and unit of one kind of transformer."""
    found = re.match(rf"^({_NUMBER})\s*([^\dx×*]*?)\s*[x×*]\s*({_NUMBER})\s*([^\d]*)$", part)
    counted = re.match(rf"^(\d{{1,2}}|[一二两三四])\s*台\s*({_NUMBER})\s*([^\d]*)$", part)
    alone = re.match(rf"^({_NUMBER})\s*([^\d]*)$", part)
    if counted:
        count, rating, unit = float(_in_digits(counted[1])), _number(counted[2]), counted[3].strip()
        return (
            (int(count), rating, unit)
            if count >= 1 and rating > 0
            else Fault("sheets.no_transformers", NOWHERE, value=part)
        )
    if found:
        first, second = _number(found[1]), _number(found[3])
        if first == 0 or second == 0:
            return Fault("sheets.no_transformers", NOWHERE, value=part)
        words = found[2].strip(), found[4].strip()
        unit = next((one for one in words if one and one not in ("台", "组")), "")
        if words[0] in ("台", "组") or words[1] in ("台", "组"):
            count, rating = (first, second) if words[0] in ("台", "组") else (second, first)
            both = (int(count), rating) if count == int(count) and count < 100 else None
        elif words[0] and not words[1]:  # 63MVA×2
            both = (int(second), first) if second == int(second) and second < 10 else None
        elif units.size("capacity", unit) is not None and units.size("capacity", unit) != 1:
            small = min(first, second)
            both = (int(small), max(first, second)) if small == int(small) and small < 10 else None
        else:
            both = _count_and_rating(first, second)
        return (*both, unit) if both else Fault("sheets.which_is_the_count", NOWHERE, value=part)
    if alone and _number(alone[1]) > 0 and alone[2].strip() not in ("台", "组"):
        return 1, _number(alone[1]), alone[2].strip()
    if alone:
        return Fault("sheets.no_transformers", NOWHERE, value=part)
    return Fault("sheets.unreadable_ratings", NOWHERE, value=part)


KNOWN_KV = (1000, 800, 750, 500, 400, 330, 220, 110, 66, 35, 20, 10.5, 10, 6.3, 6, 0.4, 0.38)
"""Levels of Chinese grids, kV (GB/T 156), with those that secondary sides are marked with."""


def voltages(text: str, said: str = "") -> str | Fault:
    """Voltages in kV, written as `110/10`; `said` is the unit of the heading.

    >>> voltages("110千伏/10kV"), voltages("220/110/35 kV"), voltages("111").code
    ('110/10', '220/110/35', 'sheets.unknown_level')
    """
    if len(text) > LONGEST:
        return Fault("sheets.unreadable_voltage", NOWHERE, value=text)
    folded = re.sub(
        r"(?:交流|直流|电压|等级|级|变电站|变|站|ac|dc|±)", "", fold(text).lower().replace("(", "").replace(")", "")
    )
    parts = [part.strip() for part in re.split(r"[/、,;\\和-]", folded) if part.strip()]
    out = []
    for part in parts:
        found = re.fullmatch(rf"({_NUMBER})\s*(\D*)", part)
        times = units.size("voltage", found[2] or said or "kV") if found else None
        if not found or times is None:
            return Fault("sheets.unreadable_voltage", NOWHERE, value=text)
        level = float(f"{_number(found[1]) * times:.6g}")
        if level not in KNOWN_KV:
            return Fault("sheets.unknown_level", NOWHERE, value=text, known=[f"{one:g}" for one in KNOWN_KV])
        out.append(f"{level:g}")
    return "/".join(out) if out else Fault("sheets.unreadable_voltage", NOWHERE, value=text)


_DAY = re.compile(
    r"^((?:19|20)\d\d|2100)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?"
    r"(?:[ t]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)?$"
)
_AROUND = re.compile(r"^(?:预计|计划|约|拟于?|争取)+|(?:投产|投运|建成|达产|前后|左右)+$")
_PARTS = (
    (r"(?:年底|年末|年内|年四季度|年第四季度|年4季度|q4|年q4|年下半年|下半年|h2|年12月底?)$", 12),
    (r"(?:年三季度|年第三季度|年3季度|q3|年q3)$", 9),
    (r"(?:年年?中|年上半年|上半年|h1|年二季度|年第二季度|年2季度|q2|年q2)$", 6),
    (r"(?:年一季度|年第一季度|年1季度|q1|年q1)$", 3),
    (r"(?:年年?初)$", 1),
)


def day(text: str) -> str | None:
    """A year, month or day as `2026`, `2026-06` or `2026-06-15`; None when it is none of them.

    Of a part of a year its last month counts.

    >>> day("2026年6月"), day("2028年底"), day("2018.0"), day("2026-13"), day("2027Q3")
    ('2026-06', '2028-12', '2018', None, '2027-09')
    """
    if len(text) > LONGEST:
        return None
    said = _AROUND.sub("", fold(text).lower())
    squeezed = said.replace(" ", "") if not _DAY.match(said) else said
    found = re.fullmatch(r"((?:19|20)\d\d|2100)(?:\.0+)?(?:年度?)?", squeezed)
    if found:
        return found[1]
    if re.fullmatch(r"20\d{4}(?:\d\d)?", squeezed):  # 202706, 20270630
        squeezed = "-".join(filter(None, (squeezed[:4], squeezed[4:6], squeezed[6:])))
    whole = _DAY.match(squeezed)
    month = re.fullmatch(r"((?:19|20)\d\d|2100)[-/.年](\d{1,2})(?:月(?:份|底|末|初|中旬|上旬|下旬)?)?", squeezed)
    dated = whole or month
    parts = [int(one) for one in dated.groups() if one] if dated else []
    if not parts:
        year = re.match(r"^((?:19|20)\d\d|2100)-?", squeezed)
        rest = squeezed[year.end() :] if year else ""
        last = next((number for pattern, number in _PARTS if re.fullmatch(pattern, rest)), 0)
        return f"{year[1]}-{last:02d}" if year and last else None
    try:
        datetime.date(*[*parts, 1, 1][:3])
    except ValueError:
        return None
    return "-".join([f"{parts[0]}", *(f"{part:02d}" for part in parts[1:])])


def year(text: str) -> str | Fault:
    """The year of a date from 2000 to 2100.

    >>> year("2027年6月"), year("2028年底"), year("2026.5").code, year("2029-2031").code
    ('2027', '2028', 'sheets.not_a_year', 'sheets.not_a_year')
    """
    said = fold(text)
    found = None if re.fullmatch(r"\d{4}\.\d", said) and not said.endswith(".0") else day(said)
    return found[:4] if found and "2000" <= found[:4] <= "2100" else Fault("sheets.not_a_year", NOWHERE, value=text)


_DEGREES = re.compile(
    r"^(?:[ensw]|东经|北纬|西经|南纬|e|n)?\s*(-?\d{1,3}(?:\.\d+)?)\s*(?:°|度|d|º|˚|:)\s*"
    r"(?:(\d{1,2}(?:\.\d+)?)\s*(?:'|′|分|m|:|’|‘)\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:\"|″|''|′′|秒|s|”|“|’’)?)?)?\s*([ensw])?$"
)


def degrees(text: str) -> str | Fault:
    """Degrees as a number; degrees, minutes and seconds as 115°01′48″, 115:01:48 or 东经115度1分48秒.

    >>> degrees("115°01′48″"), degrees("30.12N"), degrees("115.03"), degrees("115°75′").code
    ('115.03', '30.12', '115.03', 'sheets.not_degrees')
    """
    if len(text) > LONGEST:
        return Fault("sheets.not_degrees", NOWHERE, value=text)
    said = fold(text).lower()
    if re.fullmatch(r"\d{1,3} \d{1,2} \d{1,2}(?:\.\d+)?", said):
        said = said.replace(" ", ":")
    said = said.replace(" ", "") if not re.search(r"\d \d", said) else said
    plain = re.fullmatch(r"(?:[en]|东经|北纬)?(-?\d+(?:\.\d+)?)(?:°|度)?(?:[en])?", said)
    if plain:
        return plain[1]
    found = _DEGREES.match(said)
    if not found:
        return Fault("sheets.not_degrees", NOWHERE, value=text)
    whole, minutes, seconds = (float(one or 0) for one in found.groups()[:3])
    south_or_west = said[0] in "sw西南" or (found[4] or "") in ("s", "w")
    if minutes >= 60 or seconds >= 60 or south_or_west or (found[2] and whole != int(whole)):
        return Fault("sheets.not_degrees", NOWHERE, value=text)
    return f"{whole + minutes / 60 + seconds / 3600:.9g}"
