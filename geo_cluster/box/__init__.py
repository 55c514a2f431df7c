"""The box: files that somebody brings are opened in a process of their own, which can do nothing but read them.

::

    limits.py   how large a file may be and what reading it may take: `tables/limits.toml`, raised by the owner
    door.py     this side: hands a file in, takes out tables and shapes, or the fault in words
    formats.py  which kinds of vector files there are, told by what is in them
    pixels.py   the same for rasters: what a GeoTIFF says of itself, its pixels some rows at a time
    foreign.py  kinds that can't be read, and how to save them so that they can
    process.py  begins the process, waits for its answer as long as it may take, ends it
    wire.py     how answers come out: JSON and bare arrays, nothing that could run
    ---- below this line is what runs inside
    inside.py   what the process does: import, lock itself in, read, answer
    lock.py     no network, no other file, no other program; memory, time and open files limited
    tables.py   texts and workbooks -> sheets of text, by open_xml.py, open_document.py, marked.py (HTML, XML of 2003)
    cells.py    what a cell shows
    datasets.py what of a file or an archive is opened, each with what belongs to it
    looks.py    is it what it says, and does nothing in it run or reach elsewhere
    texts.py    encodings that are stated wrongly or not at all
    kml.py      KML -> folders of placemarks
    drawing.py  DXF: layers, closed lines (outlines.py), labels
    rasters.py  GeoTIFFs and COGs, by GDAL with no other driver -> bare pixels
    shapes.py   all of these and GDAL -> arrays of coordinates

What is inside trusts no file, and what is outside trusts no answer: geometry comes out as flat arrays, text as JSON.
"""
