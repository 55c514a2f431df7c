"""What the app itself refuses: by code, place and values, each readable in both languages."""

import errno
import socket
import ssl
from types import SimpleNamespace

import httpx
import pytest

from app import serve, signin
from app.jobs import Jobs
from geo_cluster.errors import DataError, InputError
from geo_cluster.serving import Serving
from geo_cluster.world import catalog

URL = "https://id.example/.well-known/openid-configuration"


def raising(problem, cause=None):
    def get(*_, **__):
        raise problem from cause

    return get


def answering(status, **body):
    return lambda url, **_: httpx.Response(status, request=httpx.Request("GET", url), **body)


@pytest.mark.parametrize(
    ("get", "code", "values"),
    [
        (answering(404), "app.provider_status", {"status": 404}),
        (answering(200, text="<html>"), "app.no_provider", {}),
        (answering(200, json=["no", "provider"]), "app.no_provider", {}),
        (raising(httpx.ConnectError("gone")), "app.provider_silent", {"reason": "gone"}),
        (
            raising(httpx.ConnectError("ssl"), ssl.SSLCertVerificationError()),
            "app.provider_not_trusted",
            {"reason": "ssl"},
        ),
    ],
)
def test_an_identity_provider_that_is_none(monkeypatch, get, code, values):
    monkeypatch.setattr(httpx, "get", get)
    with pytest.raises(DataError) as refused:
        signin._check_answer(URL)
    (fault,) = refused.value.faults
    assert (fault.code, fault.values) == (code, values)
    assert fault.place.words("zh") == f"secrets.toml，[auth]，{URL}"


def test_a_port_that_another_program_has():
    with socket.socket() as other:
        other.bind(("localhost", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError) as refused:
            serve._listening(Serving(port=port, headless=True))
    (fault,) = refused.value.faults
    assert (fault.code, fault.place.name) == ("app.port_in_use", f"localhost:{port}")


@pytest.mark.parametrize("code", [*serve._NOT_LISTENING, errno.EINVAL])
def test_an_address_that_can_not_be_had(monkeypatch, code):
    def bind(_):
        raise OSError(code, "for this reason")

    monkeypatch.setattr(socket, "socket", lambda *_: SimpleNamespace(bind=bind, setsockopt=lambda *_: None))
    with pytest.raises(InputError) as refused:
        serve._listening(Serving(port=80, headless=True))
    (fault,) = refused.value.faults
    assert fault.code == serve._NOT_LISTENING.get(code, "app.cannot_listen")
    assert "for this reason" not in fault.words("zh").what


def test_a_run_that_fails_for_a_reason_of_our_own():
    def run(*_, **__):
        raise ZeroDivisionError

    job = Jobs(run).start(catalog.scenario())
    assert job.wait(60)
    (fault,) = job.refusal.faults
    assert (fault.code, fault.place.words("zh")) == ("app.run_failed", "测算")
