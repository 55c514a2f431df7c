"""What a call is refused for, by code, place and values: sentences may be worded anew."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from geo_cluster.errors import Fault, GeoClusterError


def faults_of(call: Callable[..., Any], *args: Any, **options: Any) -> list[Fault]:
    """Every fault that the call is refused for."""
    with pytest.raises(GeoClusterError) as refusal:
        call(*args, **options)
    return refusal.value.faults


def refused(call: Callable[..., Any], *args: Any, **options: Any) -> list[tuple[str, str]]:
    """Code and place of every fault that the call is refused for."""
    return [(fault.code, fault.where) for fault in faults_of(call, *args, **options)]


@contextmanager
def refusal_of(*codes: str, error: type[GeoClusterError] = GeoClusterError, **values: object) -> Iterator[Any]:
    """Expect an error of one of the codes, whose faults hold such values; both sentences can be made."""
    with pytest.raises(error) as refusal:
        yield refusal
    faults = refusal.value.faults
    assert {fault.code for fault in faults} <= set(codes), faults
    for fault in faults:
        assert values.items() <= fault.values.items(), fault
        assert all(part.strip() for language in ("zh", "en") for part in fault.words(language))
