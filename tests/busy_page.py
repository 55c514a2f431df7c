"""A visit to a page in Streamlit's runtime, without a server, in which something is asked for at the worst moment.

    python -m tests.busy_page FOLDER SCENARIO [WITHOUT …]

`WITHOUT` names the patches of `app.streamlit_patches` that are left out. Prints as JSON what the browser was told, or
what the page noted, from that moment on. A page stops at `gate.stop()` until it is let go, or for good if it is ended.
"""

import asyncio
import json
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

from streamlit import config
from streamlit.components.lib.local_component_registry import LocalComponentRegistry
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from app import streamlit_patches

WITH_A_PART = """
import gate
import streamlit as st
run = st.session_state["run"] = st.session_state.get("run", 0) + 1
st.text(f"first {run}")
@st.fragment
def part():
    st.text(f"part {run}")
part()
st.text(f"last {run}")
if run == 2:
    gate.stop()
"""
A_CHANGE = """
import gate
import streamlit as st
from app.streamlit_patches import undisturbed
run = st.session_state["run"] = st.session_state.get("run", 0) + 1
with undisturbed():
    gate.noted.append(f"saved {run}")
    gate.stop()
    st.session_state["remembered"] = run
    gate.noted.append(f"remembered {run}")
st.text("last")
"""
A_CALLBACK = """
import gate
import streamlit as st
def changed():
    gate.noted.append("saved")
    gate.stop()
    st.session_state["remembered"] = True
    gate.noted.append("remembered")
st.checkbox("tick", on_change=changed)
st.text("last")
"""
TWO_PAGES = """
import gate
import streamlit as st
def left():
    @st.fragment
    def part():
        st.text("part of the page that is left")
    part()
def there():
    st.text("there")
    gate.stop()
pages = [st.Page(left, title="left", default=True), st.Page(there, title="there", url_path="there")]
gate.pages = {page.title: page._script_hash for page in pages}
st.navigation(pages).run()
"""
PAGES = {"ended": WITH_A_PART, "running": WITH_A_PART, "change": A_CHANGE, "callback": A_CALLBACK, "left": TWO_PAGES}


ENDS = {
    ForwardMsg.FINISHED_SUCCESSFULLY: "page done",
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY: "part done",
    ForwardMsg.FINISHED_EARLY_FOR_RERUN: "broken off",
}


class Gate(SimpleNamespace):
    """Where the page and the test wait for each other; imported by the page as `gate`."""

    def __init__(self):
        super().__init__(noted=[], pages={}, is_there=threading.Event(), may_go=threading.Event())

    def stop(self):
        """On the page: wait until the test lets go."""
        self.is_there.set()
        assert self.may_go.wait(60)


class Browser:
    """What is told, in order."""

    client_context = None

    def __init__(self):
        self.told, self.part, self.widget, self.news = [], "", "", asyncio.Event()

    def write_forward_msg(self, message):
        match message.WhichOneof("type"):
            case "script_finished":
                self.told.append(ENDS[message.script_finished])
            case "delta":
                self.part = message.delta.fragment_id or self.part
                element = message.delta.new_element
                self.widget = element.checkbox.id or self.widget
                place = message.delta.WhichOneof("type") == "add_block"
                self.told.append("place" if place else element.text.body or element.WhichOneof("type"))
        self.news.set()

    async def until(self, *done):
        """Wait until all of it was told, in any order, as often as it stands there."""
        while any(self.told.count(one) < done.count(one) for one in done):
            await self.news.wait()
            self.news.clear()


async def main(folder, scenario, *without):
    config.set_option("runner.fastReruns", False)
    streamlit_patches.install(without=without)
    gate = sys.modules["gate"] = Gate()
    page = Path(folder) / "page.py"
    page.write_text(PAGES[scenario])
    runtime = Runtime(
        RuntimeConfig(
            script_path=str(page),
            component_registry=LocalComponentRegistry(),
            media_file_storage=MemoryMediaFileStorage("/media"),
            uploaded_file_manager=MemoryUploadedFileManager("/upload"),
        )
    )
    await runtime.start()
    browser = Browser()
    visit = runtime.connect_session(client=browser, user_info={})
    session = runtime._session_mgr.get_session_info(visit).session

    def ask(*, part="", page="", ticked=None):
        message = BackMsg()
        message.rerun_script.fragment_id = part
        message.rerun_script.page_script_hash = page
        if ticked is not None:
            message.rerun_script.widget_states.widgets.add(id=browser.widget, bool_value=ticked)
        runtime.handle_backmsg(visit, message)

    def wait_at_the_gate():  # the event loop sleeps meanwhile: the machine is busy
        assert gate.is_there.wait(60)

    ask()
    if scenario == "change":
        wait_at_the_gate()
        ask()
        gate.may_go.set()
        await browser.until("broken off", "page done")
        print(json.dumps(gate.noted))
    else:
        await browser.until("page done")
        browser.told.clear()
    match scenario:
        case "callback":
            ask(ticked=True)
            wait_at_the_gate()
            ask(ticked=True)
            gate.may_go.set()
            await browser.until("broken off", "page done")
            print(json.dumps(gate.noted))
        case "ended":
            gate.may_go.set()
            ask()
            session._scriptrunner._script_thread.join()
            ask(part=browser.part)
            await browser.until("part done")
            print(json.dumps(browser.told))
        case "running":
            ask()
            wait_at_the_gate()
            ask(part=browser.part)
            gate.may_go.set()
            session._scriptrunner._script_thread.join()
            await browser.until("part done")
            print(json.dumps(browser.told))
        case "left":
            ask(page=gate.pages["there"])
            wait_at_the_gate()
            ask(page=gate.pages["left"], part=browser.part)
            gate.may_go.set()
            session._scriptrunner._script_thread.join()
            await browser.until("page done")
            print(json.dumps([*browser.told, session._client_state.page_script_hash == gate.pages["there"]]))
    sys.stdout.flush()
    runtime.stop()
    await runtime.stopped


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
