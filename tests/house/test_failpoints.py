"""The list of failpoints and their places in the code are one thing, told in docs/reliability.md."""

import ast
from collections import Counter

from hub.failpoints import POINTS
from tests.house.source import ROOT, files, tree


def reached() -> Counter[object]:
    """Count the places in the hub that reach each name."""
    return Counter(
        node.args[0].value if isinstance(node.args[0], ast.Constant) else shown
        for path in files("hub")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and (shown := ast.unparse(node.func)) == "failpoints.reach"
    )


def test_each_failpoint_stands_at_exactly_one_place() -> None:
    assert reached() == Counter(POINTS)


def test_each_failpoint_is_named_in_the_documentation() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert [point for point in POINTS if f"`{point}`" not in text] == []


def test_nothing_in_the_hub_arms_one() -> None:
    armed = [
        path.name
        for path in files("hub")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("failpoints.arm")
    ]
    assert armed == []
