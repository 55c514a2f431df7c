"""The box: files that somebody brings are opened in a process of their own, which can do nothing but read them.

::

    limits.py   how large a file may be and what reading it may take: `tables/limits.toml`, raised by the owner
    door.py     this side: hands a file in, takes out tables and shapes, or the fault in words
    process.py  begins the process, waits for its answer as long as it may take, ends it
    wire.py     how answers come out: JSON and bare arrays, nothing that could run
    ---- below this line is what runs inside
    inside.py   what the process does: import, lock itself in, read, answer
    lock.py     no network, no other file, no other program; memory, time and open files limited
    tables.py   texts and workbooks -> sheets of text, by open_xml.py, open_document.py, marked.py (HTML, XML of 2003)
    cells.py    what a cell shows
    shapes.py   GeoJSON, GeoPackage, Shapefile, KML, DXF, WKT -> arrays of coordinates

What is inside trusts no file, and what is outside trusts no answer: geometry comes out as flat arrays, text as JSON.
"""
