"""How many files each visitor may have on the server, and how large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from streamlit import runtime
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.web.requests import Receive, Scope, Send, values_of

FILES, FILES_BYTES = 100, 500 * 2**20
"""How many files a visitor may have on the server at once, and how large they may be together."""
EVERYBODY_BYTES = 4 * FILES_BYTES
"""How large all files of all visitors may be together."""


class Uploads:
    """What is on the server, or on its way there, of each visitor: a person, or a browser where nobody signs in."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}  # session -> visitor
        self.coming: dict[object, tuple[str, int]] = {}  # request -> visitor, bytes

    def _held(self) -> Iterator[tuple[str, int]]:
        """Visitor and bytes of each file."""
        yield from self.coming.values()
        for session, files in list(_storage().items()):
            for file in list(files.values()):
                yield self.of.get(session, ""), len(file.data)

    def _room(self, visitor: str) -> int:
        """How many bytes the visitor may still send; none once they have too many files."""
        held = list(self._held())
        own = [size for whose, size in held if whose == visitor]
        most = min(FILES_BYTES - sum(own), EVERYBODY_BYTES - sum(size for _, size in held))
        return max(most, 0) if len(own) < FILES else -1

    async def take(self, visitor: str, session: str, app: Any, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a file in, or say why not."""
        self.of = {one: whose for one, whose in self.of.items() if one in _storage()} | {session: visitor}
        room = self._room(visitor)
        length = values_of(scope, b"content-length")
        size = int(length[0]) if length and length[0].isdecimal() else 0
        if room < 0:
            await PlainTextResponse("too many files: reload the page to start anew\n", 429)(scope, receive, send)
            return
        if not room or size > room:
            await PlainTextResponse("too large, with the files that are here\n", 413)(scope, receive, send)
            return
        with self._coming(visitor, size) as count:
            began = False

            async def bounded() -> MutableMapping[str, Any]:
                message: MutableMapping[str, Any] = await receive()
                if count(len(message.get("body", b""))) > room:
                    return {"type": "http.disconnect"}
                return message

            async def answer(message: MutableMapping[str, Any]) -> None:
                nonlocal began
                began = True
                await send(message)

            try:
                await app(scope, bounded, answer)
            except ClientDisconnect:
                if began or count(0) <= room:
                    raise
                await PlainTextResponse("too large, with the files that are here\n", 413)(scope, receive, send)

    @contextmanager
    def _coming(self, visitor: str, size: int) -> Iterator[Callable[[int], int]]:
        """A file on its way; what is yielded counts what has come."""
        request, come = object(), 0
        self.coming[request] = visitor, size

        def count(more: int) -> int:
            nonlocal come
            come += more
            self.coming[request] = visitor, max(size, come)
            return come

        try:
            yield count
        finally:
            del self.coming[request]


def let_go(files: Iterable[Any]) -> None:
    """Drop files of this visit that were taken in elsewhere: they count no more, and take no memory."""
    context, manager = get_script_run_ctx(), Runtime.instance().uploaded_file_mgr if runtime.exists() else None
    if context is not None and isinstance(manager, MemoryUploadedFileManager):
        for one in files:
            manager.remove_file(context.session_id, one.file_id)


def _storage() -> Mapping[str, Mapping[str, Any]]:
    manager = Runtime.instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return manager.file_storage
