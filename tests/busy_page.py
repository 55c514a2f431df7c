"""A page with a part of its own in its midst, in Streamlit's runtime without a server, on a busy machine.

    python -m tests.busy_page FOLDER ENDED MENDED

The part is asked for while the event loop sleeps, so that what the page drew is still on its way: after its script has
ended, or while it runs. Prints as JSON what the browser was told of the page's second run.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from streamlit import config
from streamlit.components.lib.local_component_registry import LocalComponentRegistry
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from app import streamlit_patches

PAGE = """
import time
import streamlit as st
run = st.session_state["run"] = st.session_state.get("run", 0) + 1
st.text(f"first {run}")
@st.fragment
def part():
    st.text(f"part {run}")
part()
st.text(f"last {run}")
time.sleep(0.5)
"""


class Browser:
    """What is told, in order."""

    client_context = None

    def __init__(self):
        self.told, self.part = [], ""

    def write_forward_msg(self, message):
        match message.WhichOneof("type"):
            case "script_finished":
                whole_page = message.script_finished == message.FINISHED_SUCCESSFULLY
                self.told.append("page done" if whole_page else "part done")
            case "delta":
                self.part = message.delta.fragment_id or self.part
                place = message.delta.WhichOneof("type") == "add_block"
                self.told.append("place" if place else message.delta.new_element.text.body)

    async def until(self, done):
        while done not in self.told:
            await asyncio.sleep(0.05)


async def main(folder, ended, mended):
    config.set_option("runner.fastReruns", False)
    if mended:
        streamlit_patches.install()
    page = Path(folder) / "page.py"
    page.write_text(PAGE)
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

    def ask(part=""):
        message = BackMsg()
        message.rerun_script.fragment_id = part
        runtime.handle_backmsg(visit, message)

    ask()
    await browser.until("page done")
    browser.told.clear()
    ask()
    time.sleep(2 if ended else 0.2)
    ask(browser.part)
    time.sleep(2)
    await browser.until("part done")
    print(json.dumps(browser.told))
    runtime.stop()
    await runtime.stopped


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
