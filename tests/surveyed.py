"""Files of parcels read as the importer reads them, and what came of it."""

from geo_cluster.imports.check import check_file


def read(region, content, name, kind="parcels", **more):
    return check_file(content, name, kind=kind, region=region, **more)


def hectares(checked):
    """Land on offer of H05; the faults where there are any."""
    assert checked.faults == (), [str(one) for one in checked.faults]
    return next(one.likely for one in checked.known if (one.subject, one.attribute) == ("H05", "available_land_ha"))


def codes(checked):
    return [fault.code for fault in checked.faults]


def told(checked):
    return "\n".join(note.zh for note in checked.notes)
