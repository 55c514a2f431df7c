"""Text without differences that mean nothing: width, case, spaces, traditional characters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TRADITIONAL = str.maketrans(
    "編號稱細環節產值億萬畝電壓變經緯區縣園積單價數據預計劃總資額稅業備註說項時間開負運餘實圖狀態類擬報裝級設廠淨內門長車"
    "儀顯體頃佔機關應訊測達導衛醫療纖銲鍵稅蓋發屬從齡層個處門東廣場線還這為與並權標準網絡傳術轉進術製採輸鋼鐵鋁銅錫華貨"
    "點側證詢實無對專聯絡務農無無",
    "编号称细环节产值亿万亩电压变经纬区县园积单价数据预计划总资额税业备注说项时间开负运余实图状态类拟报装级设厂净内门长车"
    "仪显体顷占机关应讯测达导卫医疗纤焊键税盖发属从龄层个处门东广场线还这为与并权标准网络传术转进术制采输钢铁铝铜锡华货"
    "点侧证询实无对专联络务农无无",
)
"""Traditional characters of the headings and words that are read here, and the simplified ones."""

_UNSEEN = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xAD))
"""Characters that take no room, which come along when a cell is copied from a page."""

_TIMES = str.maketrans("╳✕✖∗", "××××")

_HEAD_MARKS = re.compile(r"[\s_*：:。.#]+")


def plain(text: object) -> str:
    """Full-width letters, digits and punctuation as half-width ones (NFKC), trimmed.

    >>> plain(" ３０－３５ ")
    '30-35'
    """
    return unicodedata.normalize("NFKC", str(text).translate(_UNSEEN)).strip()


def fold(text: object) -> str:
    """Half-width, in simplified characters, with single spaces.

    >>> fold("年產值 （億元）")
    '年产值 (亿元)'
    """
    return " ".join(plain(text).translate(_TRADITIONAL | _TIMES).split())


@lru_cache(maxsize=20_000)
def head(text: str) -> str:
    """A heading to be compared: folded, small letters, without spaces, underscores and marks.

    >>> head("Output_100M yuan *")
    'output100myuan'
    """
    return _HEAD_MARKS.sub("", fold(text).lower())
