"""The page, in Gradio: conversation left, article right. The only place that imports Gradio, and only when called."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui import render, talk
from ui.talk import Exchange

if TYPE_CHECKING:
    from fastapi import FastAPI

LONGEST_INPUT = 10_000  # characters the box takes: more than is answered, and as JSON less than the door's limit
CONCURRENT, WAITING = 8, 64  # questions; Gradio's own limit of one makes two readers wait for each other
_HEAD = '<link rel="stylesheet" href="/page.css"><script src="/page.js" defer></script>'
# Values are shown by Gradio's Markdown, which sanitises them and never evaluates them; gr.HTML evaluates.
# No LaTeX: articles write "$$".
_INERT: dict[str, Any] = {"latex_delimiters": [], "sanitize_html": True}


def application(folder: Path, port: int) -> "FastAPI":
    """The web application of the window: Gradio's, and beside it the style and the script of the page."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before the import, which reports home otherwise
    import gradio
    from fastapi import FastAPI
    from fastapi.responses import FileResponse
    from gradio.themes import Base

    here = Path(__file__).parent
    app = FastAPI(openapi_url=None)
    for name in ("page.css", "page.js"):
        app.add_api_route(f"/{name}", lambda name=name: FileResponse(here / name), response_model=None)
    # System fonts only: a named web font would be fetched from outside.
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    return gradio.mount_gradio_app(
        app,
        _Page(gradio, folder).blocks,
        path="/",
        server_name="127.0.0.1",
        server_port=port,
        footer_links=[],
        run_history=False,  # Gradio would keep every question in the browser's storage
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        theme=Base(font=fonts, font_mono=["ui-monospace", "Menlo", "monospace"]),
        head=_HEAD,
    )


class _Page:
    """The components of the page and what happens when they are used.

    No component starts with a word of an article: what it starts with stands in a script of the page (see ui.door).
    """

    def __init__(self, gr: Any, folder: Path) -> None:
        self.gr, self.folder = gr, folder
        with gr.Blocks(title="Pincite", analytics_enabled=False, fill_width=True, fill_height=True) as self.blocks:
            self.conversation = gr.State(())
            self.top = gr.Markdown(elem_id="top", **_INERT)
            with gr.Row(elem_id="desk", equal_height=True):
                with gr.Column(elem_id="talk"):
                    self._talk()
                with gr.Column(elem_id="beside"):
                    self.article = gr.Markdown(elem_id="article", **_INERT)
            self.link = gr.Textbox(elem_id="link", visible="hidden", label="Link")
            self._connect()
        self.blocks.queue(default_concurrency_limit=CONCURRENT, max_size=WAITING)

    def _talk(self) -> None:
        gr = self.gr
        self.chat = gr.Chatbot(
            elem_id="chat",
            label="Conversation",
            show_label=False,
            container=False,
            height=None,
            autoscroll=False,  # a new question is brought to the top instead, so that its answer is read from the start
            buttons=[],
            allow_tags=False,
            feedback_options=None,
            layout="panel",
            placeholder=render.invitation(),
            **_INERT,
        )
        with gr.Row(elem_id="ask"):
            self.question = gr.Textbox(
                elem_id="question",
                label="Question",
                show_label=False,
                container=False,
                placeholder="Ask the articles …",
                max_lines=6,
                max_length=LONGEST_INPUT,
                autofocus=True,
                scale=1,
            )
            self.send = gr.Button("Ask", variant="primary", elem_id="send", scale=0, min_width=72)
            self.stop = gr.Button("Stop", elem_id="stop", scale=0, min_width=72, visible=False)
            self.clear = gr.Button("New", elem_id="clear", scale=0, min_width=72)

    def _connect(self) -> None:
        from gradio import SelectData

        def ask_example(conversation: tuple[Exchange, ...], chosen: SelectData) -> Iterator[tuple[Any, ...]]:
            yield from self.ask(chosen.value["text"], conversation)  # Gradio finds the event by its annotation

        shown = [self.chat, self.conversation, self.send, self.stop, self.clear, self.question]
        private: dict[str, Any] = {"api_visibility": "private"}
        self.question.submit(self.ask, [self.question, self.conversation], shown, **private)
        self.send.click(self.ask, [self.question, self.conversation], shown, **private)
        self.chat.example_select(ask_example, [self.conversation], shown, **private)
        private["show_progress"] = "hidden"
        self.stop.click(talk.stop, [self.conversation], None, **private)
        self.clear.click(lambda: (*self._shown(()), ""), None, shown, **private)
        self.blocks.load(self.front, None, [self.top, self.article, self.chat], **private)
        self.link.change(self.follow, [self.link, self.conversation], self.article, **private)

    def ask(self, question: str, conversation: tuple[Exchange, ...]) -> Iterator[tuple[Any, ...]]:
        """Yields the page as the answer grows; never raises, because a page whose function raised is left disabled."""
        box: Any = ""  # emptied once: the next question may be typed while this one is answered
        for now in talk.exchange(self.folder, question or "", conversation):
            yield (*self._shown((*conversation, now)), box)
            box = self.gr.skip()

    def front(self) -> tuple[Any, ...]:
        """What a page that is loaded shows at first."""
        top, articles, examples = talk.front(self.folder)
        return top, articles, self.gr.update(examples=[{"text": text} for text in examples])

    def follow(self, link: str, conversation: tuple[Exchange, ...]) -> str:
        """The page's script writes `cite-0-1~7` into the hidden box: the link, and a count that makes it a change."""
        return talk.follow(self.folder, link.partition("~")[0], conversation)

    def _shown(self, conversation: tuple[Exchange, ...]) -> tuple[Any, ...]:
        busy = bool(conversation) and not conversation[-1].done
        return (
            talk.messages(conversation),
            conversation,
            self.gr.update(visible=not busy),
            self.gr.update(visible=busy),
            self.gr.update(interactive=not busy),
        )
