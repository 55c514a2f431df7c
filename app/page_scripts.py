"""Scripts of our own inside the page. A browser runs these and no others there: it is told their hashes (`app.web`)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from streamlit import file_util

from app.texts import frame, text
from geo_cluster.domain import Language

LANG: dict[Language, str] = {"zh": "zh-CN", "en": "en"}
"""What a page says of its language."""
REMEMBER = "{sessionStorage.setItem('way', location.href)}"
GO_ON = """{
const [page, view] = (sessionStorage.getItem('way') ?? '').split('#'), here = location.href.split('#')[0];
sessionStorage.removeItem('way');
if (page && (page !== here || (view && view !== location.hash.slice(1)))) {
  location.replace(view ? page + '#' + view : page);
  if (page === here) location.reload();
}
}"""
"""Signing in ends on the first page: the browser's tab remembers which link a visitor came by."""

_WORDS, _PRESENT = (
    Path(__file__).with_name("assets").joinpath(name).read_text(encoding="utf-8").strip()
    for name in ("page.js", "present.js")
)


def own_words(language: Language) -> str:
    """Tells the browser the page's language, and gives Streamlit's own words in it."""
    words = ", ".join(json.dumps(one, ensure_ascii=False) for one in (language, frame.PAIRS, frame.PHRASES))
    return f"{_WORDS}({words});"


def present(language: Language) -> str:
    """Shows the slides of the page one at a time."""
    return f"{_PRESENT}({json.dumps(text('brief.present_is', language), ensure_ascii=False)});"


def every() -> list[str]:
    """All that may stand inside a page, Streamlit's own among them."""
    page = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    theirs = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    ours = (made(language) for language in get_args(Language) for made in (own_words, present))
    return [*theirs, REMEMBER, GO_ON, *ours]
