"""XML as it is written here: attributes and text of any sort, without what no XML may hold."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from xml.etree.ElementTree import Element

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def clean(text: object) -> str:
    """A text that XML can hold: what it can't is U+FFFD."""
    return _NO_XML.sub("\ufffd", str(text))


def add(parent: Element, tag: str, text: object = "", **attributes: object) -> Element:
    """Add an element to another.

    Parameters
    ----------
    parent : Element
    tag : str
    text : object
        What stands in it.
    **attributes
        Their names without `_` at the end, as in ``class_``.
    """
    given = {key.rstrip("_"): clean(value) for key, value in attributes.items()}
    element = ElementTree.SubElement(parent, tag, given)
    element.text = clean(text) if text != "" else None
    return element


def written(root: Element, *, heading: str = "") -> str:
    """The document as text, indented; `heading` stands before it."""
    ElementTree.indent(root, " ")
    return heading + ElementTree.tostring(root, encoding="unicode")
