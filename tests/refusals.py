"""What a call is refused for."""

from collections.abc import Callable
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
