"""Serves the page with every outward door of the framework shut."""

import os
from importlib.resources import files

import gradio as gr
from gradio.themes import Default, Font

from agent.paths import home

_FONTS = ("system-ui", "Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC")
_CODE_FONTS = ("ui-monospace", "Consolas", "Noto Sans Mono")


def launch(page: gr.Blocks, *, host: str, port: int | None) -> str:
    """Start serving in the background and return the address.

    Args:
        page: from ``build_page``.
        host: address to listen on.
        port: ``None`` for a free one.
    """
    temporary = home() / "gradio"
    temporary.mkdir(exist_ok=True, mode=0o700)
    os.environ["GRADIO_TEMP_DIR"] = str(temporary)
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        css=files("agent.ui").joinpath("style.css").read_text(encoding="utf-8"),
        theme=_theme(),
        quiet=True,
        share=False,
        show_error=False,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        max_file_size="64kb",  # the page takes no files
        strict_cors=True,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        prevent_thread_lock=True,
    )
    return address


def _theme() -> Default:
    """Fonts of the machine only: the framework's own are fetched from outside or served as files."""
    return Default(
        primary_hue="blue",
        font=[*(Font(name) for name in _FONTS), Font("sans-serif")],
        font_mono=[*(Font(name) for name in _CODE_FONTS), Font("monospace")],
    )
