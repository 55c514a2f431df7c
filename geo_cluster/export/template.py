"""A house's own template, .pptx or .docx: a file of this machine, or what somebody uploaded."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

from geo_cluster.box.door import MB, check_size
from geo_cluster.box.limits import limits
from geo_cluster.errors import Fault, InputError


class Template(NamedTuple):
    """A template by its name and content."""

    name: str
    content: bytes


House = Path | Template | None
"""A template, or none: the plain one."""


def source(template: House, kind: str) -> io.BytesIO | None:
    """What a library opens of a template, None for none.

    Parameters
    ----------
    template : Path or Template, optional
    kind : {".pptx", ".docx"}

    Raises
    ------
    InputError
        The file is missing, too large, unpacks to too much, or is of another kind.
    """
    if template is None:
        return None
    if isinstance(template, Path) and not template.is_file():
        raise InputError(Fault("export.template_missing", template))
    content = template.read_bytes() if isinstance(template, Path) else template.content
    check_size(content, template.name)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(one.file_size for one in packed.infolist())
    except zipfile.BadZipFile:
        raise InputError(Fault("export.no_template", named(template), kind=kind)) from None
    limits().refuse(template.name, "unpacked_megabytes", size / MB, "box.unpacks_too_large")
    return io.BytesIO(content)


def named(template: House) -> Path | str:
    """Where a fault of a template is."""
    return template.name if isinstance(template, Template) else template or ""
