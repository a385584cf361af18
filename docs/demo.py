"""Writes the readout that README.md shows, by running the command named in its comment. Run: python docs/demo.py."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from abcx.commands.analyze import render
from abcx.commands.options import DataOptions, RunOptions
from abcx.commands.running import run_all

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(?<=<!-- demo: )(abcx analyze (\S+)) -->\n```text\n.*?```", re.DOTALL)


def page(text: str) -> str:
    """The README with the output of its command."""
    return BLOCK.sub(lambda match: f"{match[1]} -->\n```text\n{_output(match[1])}```", text)


def _output(command: str) -> str:
    results, code = run_all(shlex.split(command)[2:], DataOptions(), RunOptions(quiet=True))
    assert code == 0, command
    return str(render(results, "terminal", RunOptions(), output="README.md"))


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(page(readme.read_text(encoding="utf-8")), encoding="utf-8")
