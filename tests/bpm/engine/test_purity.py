"""The engine stands alone: the standard library, lxml and itself."""

import ast
import sys
from pathlib import Path

import bpm.engine

FOLDER = Path(bpm.engine.__file__).parent


def imported(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module


def test_the_engine_imports_nothing_of_the_product():
    names = {name for file in FOLDER.glob("*.py") for name in imported(file)}
    foreign = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not name.startswith("bpm.engine")} == {"lxml"}


def test_the_engine_evaluates_no_code():
    calls = {"eval", "exec", "compile", "__import__", "getattr"}
    used = {
        (file.name, node.func.id)
        for file in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls
    }
    assert used == {("evaluating.py", "getattr"), ("model.py", "getattr"), ("state.py", "getattr")}
