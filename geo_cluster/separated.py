"""CSV files as spreadsheets write them, cell by cell: nothing is guessed, shifted or left out."""

from __future__ import annotations

import csv
import io

import pandas as pd

from geo_cluster.errors import Fault, place, refuse_if


def read(content: bytes, *, where: str) -> pd.DataFrame:
    """Read a CSV in UTF-8 or GB 18030 as text; the first row with a cell is the headings.

    Returns
    -------
    DataFrame
        Every row below the headings, blank ones too: the n-th is row n + 2 of a file that begins with its headings.

    Raises
    ------
    InputError
        Naming each row with more cells than headings; which heading such a cell is under, nobody can tell.
    ValueError, csv.Error
        It is no text, or has no headings.
    """
    lines = csv.reader(io.StringIO(_text(content), newline=""), strict=True)  # a quote left open is no end of the file
    rows = [[cell.strip() for cell in row] for row in lines]
    top = next((number for number, row in enumerate(rows) if any(row)), None)
    if top is None:
        msg = "no headings"
        raise ValueError(msg)
    width = max(number for number, heading in enumerate(rows[top], start=1) if heading)
    refuse_if(
        [
            Fault(place(where, number), "has more cells than headings", "add a heading or remove them")
            for number, row in enumerate(rows, start=1)
            if number > top + 1 and any(row[width:])
        ]
    )
    return pd.DataFrame([(row + [""] * width)[:width] for row in rows[top + 1 :]], columns=rows[top][:width], dtype=str)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # spreadsheets on Chinese Windows save CSV as GB 18030
        return content.decode("gb18030")
