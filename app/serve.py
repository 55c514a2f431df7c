"""Starts the app, and beside it the work that the first visitor would otherwise wait for: imports and the first map.

    python -m app.serve SERVING [SCRIPT]

`SERVING` is a `geo_cluster.serving.Serving` as JSON. Nothing that declares a component is imported here: one that is
declared before the server runs is not served.
"""

from __future__ import annotations

import errno
import gc
import socket
import sys
import threading
import time
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.middleware import Middleware
from streamlit import config
from streamlit.web import bootstrap
from streamlit.web.server.starlette import App

from app import ending, streamlit_patches
from app.web import guard
from app.web.impatient import Impatient
from geo_cluster import serving, toml
from geo_cluster.box.limits import limits
from geo_cluster.errors import Fault, GeoClusterError, InputError, Place, refuse_if
from geo_cluster.serving import Serving
from geo_cluster.workspace import database, sessions

_NOT_LISTENING = {
    errno.EADDRINUSE: "app.port_in_use",
    errno.EACCES: "app.port_not_allowed",
    errno.EADDRNOTAVAIL: "app.address_not_here",
}
_FIRST_PAGE_S = 10  # until the first page is there, and matching may be made ready
_MESSAGE_BYTES = 25 * 2**20  # what a browser may say at once; Streamlit takes no more of it
_GOODBYE_S = 3  # for answers that are on their way when the app is stopped


def _options(asked: Serving) -> dict[str, Any]:
    """How Streamlit is to be; nothing in a `config.toml` or the environment goes before it."""
    page = toml.table("style")["page"]
    return {
        "server.port": asked.port,
        "server.address": asked.address,
        "server.baseUrlPath": asked.prefix,
        "server.headless": True,
        "server.maxUploadSize": limits().megabytes,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.scriptHealthCheckEnabled": False,
        "server.trustedUserHeaders": {},
        "server.fileWatcherType": "none",  # it looks at the files of all modules after each answer
        "client.allowedOrigins": [],
        "client.toolbarMode": "minimal",
        "client.disableDataExport": True,  # a table's own CSV and copies would have formulas as they came
        "client.showErrorDetails": "none",
        "browser.gatherUsageStats": False,
        "runner.postScriptGC": False,  # it looks at all objects after each answer; python does when it pays
        "runner.fastReruns": False,  # else a second script of the same visit begins before the first ends
        "global.developmentMode": False,
        "global.maxCachedMessageAge": 50,  # runs that may end before a request that waits; else "MISS"
        "theme.base": "light",
        "theme.primaryColor": page["accent"],
        "theme.textColor": page["ink"],
        "theme.backgroundColor": page["paper"],
    }


def _doors(options: dict[str, Any]) -> serving.Doors:
    """Who is let in. Secrets that only Streamlit would read are refused: nobody is to believe that they hold."""
    bootstrap.load_config_options(options)
    ours = {file.absolute() for file in serving.secret_files()}
    others = [Path(file).absolute() for file in config.get_option("secrets.files")]
    refuse_if(
        [
            Fault("app.secrets_elsewhere", file, file=str(serving.secret_files()[-1]))
            for file in others
            if file not in ours and file.exists()
        ]
    )
    config.set_option("secrets.files", [])  # Streamlit is given what was checked, and reads nothing by itself
    return serving.doors(serving.secret_files())


def _listening(asked: Serving) -> socket.socket:
    """A socket at the address and port; refused in words where they can't be had."""
    listening = socket.socket(socket.AF_INET6 if ":" in asked.address else socket.AF_INET)
    try:
        if sys.platform != "win32":  # there it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((asked.address, asked.port))
    except OSError as problem:
        code = _NOT_LISTENING.get(problem.errno or 0)
        place = Place(f"{asked.address}:{asked.port}")
        fault = Fault(code, place) if code else Fault("app.cannot_listen", place, reason=problem.strerror or "")
        raise InputError(fault) from None
    listening.listen(2048)
    return listening


def _server(asked: Serving, script: Path) -> tuple[uvicorn.Server, socket.socket]:
    doors = _doors(_options(asked))
    listening = _listening(asked)
    asked = asked.model_copy(update={"port": listening.getsockname()[1]})
    config.set_option("server.port", asked.port)
    auth: dict[str, Any] | None = None if doors.auth is None else dict(doors.auth)
    if auth is not None:  # now: a workspace that is gone when the first visitor comes is not to be made anew
        sessions.has_ended(database.default_address(), "")
        config.set_option(
            "server.cookieSecret", auth["cookie_secret"]
        )  # on the way to the provider, other processes too
    Impatient.proxies = asked.proxies
    guarded = Middleware(guard.Guard, serving=asked, auth=auth)
    app = App(script, secrets=None if auth is None else {"auth": auth}, middleware=[guarded])
    settings = uvicorn.Config(
        app,
        http=Impatient,
        h11_max_incomplete_event_size=Impatient.most_head,
        ws="websockets-sansio",
        ws_max_size=_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        limit_concurrency=Impatient.most,
        forwarded_allow_ips=list(asked.proxies),
        ssl_certfile=config.get_option("server.sslCertFile"),
        ssl_keyfile=config.get_option("server.sslKeyFile"),
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=_GOODBYE_S,
    )
    print(f"\n  网址 / URL: {asked.url}\n", flush=True)
    if not asked.headless:
        threading.Thread(target=webbrowser.open, args=[asked.url], daemon=True).start()
    return uvicorn.Server(settings), listening


def _warm() -> None:
    """Import and compute, with the collector of garbage at rest; what is there by then is never looked through again.

    Streamlit collects after every run of a page: 0.15 s for the libraries alone, twice what drawing a page takes.
    """
    try:
        from app import cached
        from geo_cluster.world.layers import Layers

        with suppress(GeoClusterError):  # it is told on the page
            cached.kept_in()  # now, for a workspace that is gone when the first visitor comes is not to be made anew
        cached.overview_payload(Layers(), "zh")
    finally:
        gc.freeze()
        gc.enable()
    time.sleep(_FIRST_PAGE_S)
    from geo_cluster.box import process
    from geo_cluster.compiling import warm

    process.make_ready()
    warm()


def _more_files() -> None:
    """Have room for as many connections as we take; a shell gives 1024 files, which they share with all else."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most if most > 0 else 8192, most))


def main(asked: str, script: str = str(Path(__file__).with_name("main.py"))) -> None:
    """Serve until somebody stops it."""
    gc.disable()
    _more_files()
    try:
        streamlit_patches.install()
        guard.install()
        server, listening = _server(Serving.model_validate_json(asked), Path(script))
    except GeoClusterError as refusal:
        for fault in refusal.faults:
            print(f"✗ {fault}", file=sys.stderr)
        sys.exit(2)
    threading.Thread(target=_warm, daemon=True).start()
    with ending.at_once():
        server.run(sockets=[listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
