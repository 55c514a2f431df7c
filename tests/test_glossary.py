"""Every text of the product keeps to the glossary: no word that it avoids, one Chinese term for one English term."""

import ast
import re
import tomllib
from functools import cache

import pytest

from app.texts import TEXTS, frame
from geo_cluster import toml
from geo_cluster.export import phone_list, told, workbook
from geo_cluster.maps.words import WORDS
from geo_cluster.world import catalog, portfolio
from scripts import make_docs

ROOT = toml.PACKAGE.parent
TERMS = catalog.glossary()
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CODE = re.compile(r"`[^`]*`|```.*?```|\]\([^)]*\)", re.DOTALL)
"""What isn't prose in a page: code and addresses."""


def in_table(found, path=""):
    """(place, zh, en) of everything that a declared table says to people, in one language or both."""
    if isinstance(found, dict):
        zh, en = found.get("zh", ""), found.get("en", "")
        if isinstance(zh, str) and isinstance(en, str) and (zh or en):
            yield path, zh, en
        for key, value in found.items():
            base, _, language = key.rpartition("_")
            if isinstance(value, str) and base and language == "zh":
                yield f"{path}.{base}", value, str(found.get(f"{base}_en", ""))
            if isinstance(value, str) and CHINESE.search(value) and language not in ("zh", "en", "source"):
                yield f"{path}.{key}", value, ""
            if not (key == "avoid" or path.startswith("imports.former")):
                yield from in_table(value, f"{path}.{key}")
    elif isinstance(found, list):
        for at, value in enumerate(found):
            yield from in_table(value, f"{path}[{at}]")


def tables():
    for path in sorted((toml.PACKAGE / "tables").rglob("*.toml")):
        yield from in_table(tomllib.loads(path.read_text(encoding="utf-8")), path.stem)


@cache
def pairs():
    return tuple(_pairs())


def _pairs():
    """(place, zh, en) of every text that is there in both languages."""
    yield from ((key, zh, en) for key, (zh, en) in TEXTS.items())
    yield from (("frame", zh, en) for zh, en in (*frame.PAIRS, *frame.PHRASES))
    yield from ((f"map.{key}", text, WORDS["en"][key]) for key, text in WORDS["zh"].items())
    yield from ((f"sheet.{key}", text, told.WORDS["en"][key]) for key, text in told.WORDS["zh"].items())
    yield from ((f"workbook.{key}", zh, en) for key, (zh, en) in (workbook.HEADINGS | workbook.SHEETS).items())
    yield from ((f"phone_list.{key}", zh, en) for key, (zh, en) in phone_list.HEADINGS.items())
    yield from tables()


READERS = {"calls.py", "words.py"}
"""Modules of `world/sheets` with words that others write, to be read: they say nothing."""


def literals():
    """(place, text) of the Chinese that modules say, without their docstrings."""
    for folder in ("app", "geo_cluster"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.parent.name == "sheets" and path.name in READERS:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                text = getattr(node, "value", None) if isinstance(node, ast.Constant) and id(node) not in docs else None
                if isinstance(text, str) and CHINESE.search(text):
                    yield f"{path.name}:{node.lineno}", text


def pages(*patterns):
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            yield from ((path.name, line) for line in CODE.sub("", path.read_text(encoding="utf-8")).splitlines())


def chinese():
    yield from ((place, zh) for place, zh, _ in pairs())
    yield from literals()
    yield from pages("README.zh-CN.md", "docs/*.zh-CN.md", "deploy/offline/*.txt")
    yield from (("portfolio", heading) for heading in portfolio.columns().values())


def english():
    yield from ((place, en) for place, _, en in pairs())
    yield from pages("README.md", "docs/operations.md", "docs/methods/*.md", "deploy/offline/INSTALL.txt")


def uses(text, term, language):
    """The words to be avoided that a text has, outside the phrases in which they may stand."""
    if text.strip() == term[language]:
        return []
    for phrase in term.but:
        text = text.replace(phrase, "")
    if language == "zh":
        return [word for word in term.avoid.zh if word in text]
    return [word for word in term.avoid.en if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)]


def found(texts, language):
    texts, terms = list(texts), [one for one in TERMS.values() if getattr(one.avoid, language)]
    return [(place, word, text) for place, text in texts for term in terms for word in uses(text, term, language)]


@pytest.mark.slow
def test_no_chinese_text_has_a_word_that_the_glossary_avoids():
    assert found(chinese(), "zh") == []


def test_no_english_text_has_a_word_that_the_glossary_avoids():
    assert found(english(), "en") == []


@pytest.mark.parametrize(
    "text", ["按环节估算", "扣除约束后的净地", "车程 234 分钟", "220千伏以上", "吨标煤", "产业链环节", "放得下的情形"]
)
def test_a_word_to_be_avoided_is_found(text):
    assert found([("here", text)], "zh")


@pytest.mark.parametrize("text", ["细分环节", "净地", "净地/毛地分列", "220千伏及以上", "永久基本农田"])
def test_a_word_in_its_place_is_let_be(text):
    assert found([("here", text)], "zh") == []


@pytest.mark.parametrize("key", [key for key, term in TERMS.items() if term.paired])
def test_one_english_term_has_one_chinese_term(key):
    term = TERMS[key]
    says = re.compile(rf"\b{re.escape(term.en)}s?\b", re.IGNORECASE)
    odd = [(place, zh, en) for place, zh, en in pairs() if zh and says.search(en) and term.zh not in zh]
    assert odd == []


def test_terms_are_told_apart():
    for language in ("zh", "en"):
        assert len({(one[language], one.group) for one in TERMS.values()}) == len(TERMS), language
    assert 60 <= len(TERMS) <= 90
    avoided = {word for one in TERMS.values() for word in one.avoid.zh} - {"净地"}
    assert avoided.isdisjoint(one.zh for one in TERMS.values())


def test_chinese_has_full_width_marks_and_english_none():
    half = re.compile(r"[\u4e00-\u9fff][,;:?!]|[,;:?!][\u4e00-\u9fff]")
    texts = [
        *((place, zh) for place, zh, _ in pairs()),
        *pages("*.zh-CN.md", "docs/*.zh-CN.md", "deploy/offline/*.txt"),
    ]
    odd = [(place, zh) for place, zh in texts if half.search(zh.replace("西,南,东,北", ""))]
    assert odd == []
    odd = [(place, en) for place, _, en in pairs() if re.search(r"[，。；：？！（）]", en)]
    assert odd == []


def test_the_page_of_the_glossary_names_every_term():
    page = make_docs.glossary()
    assert [one.zh for one in TERMS.values() if f"| {one.zh} | {one.en} |" not in page] == []
    assert make_docs.GROUPS.keys() == {one.group for one in TERMS.values()}
