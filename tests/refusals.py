"""What a refusal says, by code, place and values, in place of whole sentences."""

from contextlib import contextmanager

import pytest

from geo_cluster.errors import GeoClusterError


@contextmanager
def refused(*codes, error=GeoClusterError, **values):
    """Expect an error of one of the codes, whose faults hold such values; both sentences can be made."""
    with pytest.raises(error) as refusal:
        yield refusal
    faults = refusal.value.faults
    assert {fault.code for fault in faults} <= set(codes), faults
    for fault in faults:
        assert values.items() <= fault.values.items(), fault
        assert all(part.strip() for language in ("zh", "en") for part in fault.words(language))
