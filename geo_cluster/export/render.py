"""Pages and drawings from the templates beside this file; whatever is filled in is escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **values: object) -> Markup:
    """Fill in a template; what comes out may be filled into another as it is.

    Parameters
    ----------
    template : str
        Its file name.
    **values
        What it names; each is escaped unless it is `Markup`.
    """
    return Markup(_TEMPLATES.get_template(template).render(values))
