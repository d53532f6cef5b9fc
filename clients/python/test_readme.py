"""The README's own blocks, run as they stand against the server under test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from server import Server, report

README = Path(__file__).parents[2] / "README.md"
ADDRESS = "127.0.0.1:8080"
SECONDS_TO_RUN = 120
# A block that is run: the comment that marks it, then the fence with its language.
BLOCK = re.compile(r"^<!-- run: (curl|python) -->\n```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LANGUAGES = {"curl": "sh", "python": "python"}
# What a block says that it prints; `…` stands for what differs from run to run.
FACT = re.compile(r"^ *# -> (.+)$", re.MULTILINE)


def blocks(kind: str) -> list[str]:
    """The text of the blocks of a kind, in order."""
    found = BLOCK.findall(README.read_text(encoding="utf-8"))
    return [text for mark, language, text in found if mark == kind and language == LANGUAGES[kind]]


def run(command: list[str], block: str, server: Server, folder: Path) -> str:
    """What a block prints, with the server under test in place of the README's."""
    assert ADDRESS in block, "the block does not call the server"
    script = folder / "block"
    script.write_text(block.replace(ADDRESS, server.address), encoding="utf-8")
    ended = subprocess.run([*command, str(script)], capture_output=True, text=True, timeout=SECONDS_TO_RUN)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def check_facts(block: str, printed: str) -> None:
    """What a block says that it prints, it prints, in that order, and nothing else."""
    facts = FACT.findall(block)
    assert facts, "the block does not say what it prints"
    lines = printed.splitlines()
    assert len(lines) == len(facts), printed
    for line, fact in zip(lines, facts, strict=True):
        pattern = ".+".join(re.escape(part) for part in fact.split("…"))
        assert re.fullmatch(pattern, line), f"the README says {fact!r}, printed was {line!r}"


def report_curl() -> None:
    """Notes the version of curl, as `report` does for packages."""
    asked = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True)
    path = os.environ.get("COLLOQUY_REPORT")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"curl {asked.stdout.split()[1]}\n")


def test_no_block_goes_untested() -> None:
    """A block that could be run is run, but for the two commands that start from a fresh machine."""
    text = README.read_text(encoding="utf-8")
    fences = re.findall(r"^```(?:sh|python)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    tested = [*blocks("curl"), *blocks("python")]
    untested = [fence for fence in fences if fence not in tested]
    assert untested == ["cargo run --release\n", "cargo xtask test\n"]


def test_curl(server: Server, tmp_path: Path) -> None:
    """The life of a session in curl prints what the README says."""
    (block,) = blocks("curl")
    check_facts(block, run(["sh", "-e"], block, server, tmp_path))
    report_curl()


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python(number: int, server: Server, tmp_path: Path) -> None:
    """Each Python block is a program of its own, and prints what the README says."""
    block = blocks("python")[number]
    # The clients announce their own renamings; none of it is about this server.
    check_facts(block, run([sys.executable, "-W", "ignore"], block, server, tmp_path))
    report("google-adk" if "google.adk" in block else "google-cloud-aiplatform")
