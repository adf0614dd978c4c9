"""A plain SVG of two panels, one above the other: share right and share wrong by the number of numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

_WIDE, _HIGH, _LEFT, _RIGHT = 760, 250, 60, 190
_TOPS = (40, 340)
_RANGES = ((0.6, 1.0), (0.0, 0.2))
_TITLES = ("Calls matched right, % of all calls", "Calls matched wrong, % of all calls")
_FONT = 'font-family="system-ui, sans-serif"'


@dataclass(frozen=True, slots=True)
class Line:
    """One way to give and match: its shares right and wrong by the number of numbers."""

    name: str
    color: str
    dashed: bool
    points: Mapping[int, tuple[float, float]]


def drawn(lines: Sequence[Line], counts: Sequence[int]) -> str:
    """Return the SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_TOPS[1] + _HIGH + 50}" role="img">',
        "<title>Numbers in the pool against calls matched right and wrong</title>",
        f'<rect width="{_WIDE}" height="{_TOPS[1] + _HIGH + 50}" fill="#fff"/>',
    ]
    for panel in (0, 1):
        parts += _axes(panel, counts)
        ends = _spread([_y(line.points[counts[-1]][panel], panel) for line in lines])
        for line, end in zip(lines, ends, strict=True):
            parts += _line(line, panel, counts, end)
    bottom = _TOPS[1] + _HIGH + 38
    parts.append(_text((_LEFT + _WIDE - _RIGHT) / 2, bottom, "numbers in the pool, 60 visitors an hour", "middle"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(count: int, counts: Sequence[int]) -> float:
    return _LEFT + (_WIDE - _LEFT - _RIGHT) * log(count / counts[0]) / log(counts[-1] / counts[0])


def _y(share: float, panel: int) -> float:
    low, high = _RANGES[panel]
    return _TOPS[panel] + _HIGH * (1 - (share - low) / (high - low))


def _axes(panel: int, counts: Sequence[int]) -> list[str]:
    low, high = _RANGES[panel]
    parts = [_text(_LEFT, _TOPS[panel] - 14, _TITLES[panel], "start", 15)]
    for step in range(5):
        share = low + (high - low) * step / 4
        height = _y(share, panel)
        parts.append(f'<path d="M{_LEFT} {height:.1f}H{_WIDE - _RIGHT}" stroke="#ddd"/>')
        parts.append(_text(_LEFT - 8, height + 4, f"{100 * share:.0f}", "end"))
    return parts + [_text(_x(count, counts), _TOPS[panel] + _HIGH + 18, str(count), "middle") for count in counts]


def _line(line: Line, panel: int, counts: Sequence[int], end: float) -> list[str]:
    low, high = _RANGES[panel]
    inside = [count for count in counts if low <= line.points[count][panel] <= high]
    points = [(_x(count, counts), _y(line.points[count][panel], panel)) for count in inside]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = ' stroke-dasharray="6 5"' if line.dashed else ""
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{line.color}"/>' for x, y in points]
    stroke = f'<polyline points="{path}" fill="none" stroke="{line.color}" stroke-width="2"{dash}/>'
    return [stroke, *dots, _text(_WIDE - _RIGHT + 10, end + 4, line.name, "start", 13, line.color)]


def _spread(heights: Sequence[float], apart: float = 17) -> list[float]:
    """The heights of the names, moved so that none stands on another."""
    told, least = [0.0] * len(heights), float("-inf")
    for place in sorted(range(len(heights)), key=lambda one: heights[one]):
        told[place] = least = max(heights[place], least + apart)
    return told


def _text(x: float, y: float, text: str, anchor: str, size: int = 13, color: str = "#333") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" {_FONT} font-size="{size}" text-anchor="{anchor}" fill="{color}">{text}</text>'
    )
