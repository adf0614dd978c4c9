"""The accuracy of matching in sentences: what it is, and how far it is proved."""

from collections.abc import Iterator

from hub.accuracy import Accuracy
from hub.web.console.formats import Formats
from tracking_core.calibration import FEWEST, Word

MANY_UNKNOWN = 0.15  # of the calls; more are worth a word


def answer(f: Formats, made: Accuracy) -> str:
    """Return how many calls got a visitor, and the right one."""
    expected = f.number(round(made.expected))
    return f.words.count("accuracy.named", made.calls, named=f.number(made.named), expected=expected)


def notes(f: Formats, made: Accuracy) -> Iterator[str]:
    """Yield what the check found, and what it means."""
    check, t = made.check, f.words
    if not check.tested:
        yield t("accuracy.unchecked")
        return
    counted = {"right": check.right, "wrong": check.wrong, "unknown": check.unknown}
    figures = {name: f.number(n) for name, n in counted.items()}
    yield t.count("accuracy.checked", check.tested, witnesses=witnesses(f, made), **figures)
    if check.share is None:
        yield t("accuracy.too_few", fewest=FEWEST)
    else:
        least, share, most = (f.percent(one, 1) for one in check.share)
        yield t("accuracy.share", least=least, share=share, most=most)


def to_do(f: Formats, made: Accuracy) -> Iterator[str]:
    """Yield what a reader may want to change."""
    if any(one.word is Word.TOO_SURE for one in made.bands):
        yield f.words("accuracy.do.too_sure")
    if made.calls >= FEWEST and made.unknown > MANY_UNKNOWN * made.calls:
        yield f.words("accuracy.do.unknown", share=f.percent(made.unknown / made.calls))


def band(f: Formats, low: float, high: float | None) -> str:
    """Return the name of a band of confidence; the lowest one is told by where it ends."""
    if not low:
        return f.words("accuracy.band_low", high=f.percent(high))
    return f.words("accuracy.band_from", low=f.percent(low))


def witnesses(f: Formats, made: Accuracy) -> str:
    """Return by what the callers of the checked calls are known."""
    told = (f.words.count(f"accuracy.witness.{name}", n) for name, n in sorted(made.check.witnesses.items()))
    return ", ".join(told)
