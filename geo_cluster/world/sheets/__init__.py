"""Tables as people write them: sheets found and headed, units and cells read, or refused in words.

::

    words.py    text without differences that mean nothing: width, case, spaces, traditional characters
    units.py    units of `tables/units.toml`: which kind, how large
    cells.py    one cell: an amount or range with its unit, a year, a day, ratings, voltages, degrees
    calls.py    what a heading means: which declared column, in which unit
    layout.py   a sheet -> its headings and rows, without titles, notes and totals
    table.py    a file -> one table, the best of its sheets, and what is to be told of it
    columns.py  a table -> the text of its cells under our columns, in our units; every doubt a fault

Nothing is guessed: what may mean two things is a fault that says both.
"""
