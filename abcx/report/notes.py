"""Notes shown with a metric's numbers: why there is no test, missing values, cap, adjustment, prior."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from abcx import formatting
from abcx.formatting import clean
from abcx.notes import Note, Value
from abcx.report import note_texts, quantities
from abcx.report.fragments import effect, inline, titled
from abcx.results.metric import RESPONSE_BIAS_NOTE, Adjustment, Comparison, MetricResult
from abcx.results.readout import Results

_PERMUTED = ("permuted_as_declared", "permuted_skewed", "permuted_skewed_covariate", "permuted_skewed_ratio")
"""Codes of the notes that say why an interval is by permutation."""
MAX_FILES_SHOWN = 4
"""Maximum number of files named in the terminal."""


def of_metric(results: Results, metric: MetricResult) -> list[str]:
    """Every note of a metric in full."""
    lines = [f"{titled(metric)}: {note}." for note in _of_comparisons(metric, short=False)]
    lines += _chosen_after_exposure(results, metric) + _cap(results, metric) + _adjustment(results, metric)
    return lines + prior(results, metric)


def in_short(results: Results, metrics: Sequence[MetricResult]) -> list[str]:
    """The notes of several metrics, equal notes merged into one line; `permuted` has those on permutation."""
    groups: dict[str, list[str]] = {}
    for metric in metrics:
        for note in _of_comparisons(metric, short=True):
            groups.setdefault(note, []).append(inline(metric))
    lines = [
        f"{_capitalized(formatting.joined(list(dict.fromkeys(names))))}: {note}." for note, names in groups.items()
    ]
    for metric in metrics:
        lines += (
            _chosen_after_exposure(results, metric) + _cap(results, metric) + _adjustment(results, metric, short=True)
        )
    return lines + [line for metric in metrics for line in prior(results, metric, short=True)]


def permuted(results: Results) -> list[str]:
    """A line for each reason for intervals by permutation, with the metrics that it applies to."""
    reasons: dict[str, list[tuple[str, bool]]] = {}
    for metric in results.metrics:
        comparisons = [c for c in metric.comparisons if _is_permuted(c)]
        if not comparisons:
            continue
        name = titled(metric)
        if len(comparisons) < len(metric.comparisons):
            name += f" {formatting.joined([clean(c.arm) for c in comparisons])}"
        forced = all(_has_note(c, "permuted_as_declared") for c in comparisons)
        skewed = "covariates" if all(_has_note(c, "permuted_skewed_covariate") for c in comparisons) else "values"
        why = "the spec asks for it" if forced else f"{skewed} too skewed and arms too uneven for the t-test"
        reasons.setdefault(why, []).append((name, any(c.method.is_approximate for c in comparisons)))
    lines = []
    for why, names in reasons.items():
        rough = [name for name, approximate in names if approximate]
        if rough:
            why += "; approximate" if len(rough) == len(names) else f"; approximate: {', '.join(rough)}"
        lines.append(f"Interval by permutation: {', '.join(name for name, _ in names)} ({why}).")
    return lines


def prior(results: Results, metric: MetricResult, short: bool = False) -> list[str]:
    """A line per comparison with the figures under the declared prior; empty without a prior or without a goal."""
    if metric.goal is None or results.verdict.verdict == "INVALID":
        return []
    lines = []
    for comparison in metric.comparisons:
        if (bayes := comparison.bayes) is None:
            continue
        who = [] if metric.role == "primary" else [inline(metric)]
        who += [clean(comparison.arm)] if len(metric.comparisons) > 1 else []
        sd = f"{formatting.significant(100 * bayes.lift_sd)}%"
        first = metric.role == "primary" or not short
        head = f"With a prior of lifts N(0, {sd})" if first else "Same prior"
        form = quantities.lifts([bayes.lift, *bayes.interval])
        figures = f"lift {form.difference(bayes.lift)} ({form.differences(bayes.interval)})"
        chance = f"{formatting.chance(bayes.chance_to_beat)} chance to beat {clean(comparison.control)}"
        loss = f"expected loss {formatting.small_percent(bayes.expected_loss)}"
        lines.append(f"{', '.join([head, ' '.join(who)] if who else [head])}: {figures}, {chance}, {loss}.")
    return lines


def of_data(notes: Iterable[Note], most: int | None = None) -> list[str]:
    """The notes on the data; files without a timezone share a sentence, at most `most` of them named."""
    first_notes: dict[str, Note] = {}
    files: dict[str, list[str]] = {}
    for note in notes:
        alone = note.code != "no_timezone" or "more_files" in note.values
        key = note_texts.text(note) if alone else f"zone {note.values['zone']}"
        first_notes.setdefault(key, note)
        if not alone:
            files.setdefault(key, []).append(str(note.values["file"]))
    return [
        note_texts.text(replace(note, values=_of_files(note, files.get(key, []), most)))
        for key, note in first_notes.items()
    ]


def _of_files(note: Note, files: Sequence[str], most: int | None) -> Mapping[str, Value]:
    """The values of a note that holds for several files."""
    if len(files) < 2:
        return note.values
    shown = files if most is None or len(files) <= most else files[: most - 1]
    unnamed = [f"{formatting.count(len(files) - len(shown))} more files"] if len(shown) < len(files) else []
    return {**note.values, "file": formatting.joined([*shown, *unnamed])}


def _of_comparisons(metric: MetricResult, short: bool) -> list[str]:
    """Notes of the comparisons and missing values, without full stop."""
    lines = []
    for comparison in metric.comparisons:
        arbitrary = short and metric.unit in ("points", "score")  # the unit itself says that there is no lift
        lift = comparison.lift_note
        texts = (_comparison_notes(comparison, short), note_texts.text(lift) if lift and not arbitrary else "")
        lines += [clean(text).rstrip(".") for text in texts if text]
    missing = [f"{formatting.count(arm.missing)} in {clean(arm.name)}" for arm in metric.arms if arm.missing]
    if missing:
        lines.append(f"no value for {formatting.joined(missing)}")
    late = [f"{formatting.count(arm.not_followed)} in {clean(arm.name)}" for arm in metric.arms if arm.not_followed]
    if late:
        lines.append(f"not followed long enough, left out: {formatting.joined(late)}")
    return list(dict.fromkeys(lines))


def _chosen_after_exposure(results: Results, metric: MetricResult) -> list[str]:
    """The note of a metric whose denominator is chosen after exposure, with the companions to read with it."""
    companions = [inline(companion) for companion in results.metrics if companion.beside == metric.name]
    if not metric.after_exposure or not companions:
        return []
    return [
        f"{titled(metric)}: its denominator is chosen after exposure; read it with {formatting.joined(companions)}."
    ]


def _cap(results: Results, metric: MetricResult) -> list[str]:
    if metric.cap is None:
        return []
    cut = sum(arm.capped for arm in metric.arms)
    at = [clean(metric.cap.text), quantities.form_of(metric).value(metric.cap.value)]
    text = f"{titled(metric)}: {formatting.plural(cut, 'values')} capped at {' = '.join(dict.fromkeys(at))}"
    return [f"{'; '.join([text, *_without('uncapped', results, metric, metric.cap.uncapped)])}."]


def _adjustment(results: Results, metric: MetricResult, short: bool = False) -> list[str]:
    """`Adjusted for X: variance -34%; unadjusted +5.1% (-0.2% to +10.6%), inconclusive.`"""
    adjustment = metric.adjustment
    if adjustment is None:
        return []
    text, title = _known_before(adjustment), "" if metric.role == "primary" else titled(metric)
    adjusted = [c for c in metric.comparisons if c.method.is_adjusted and adjustment.saved.get(c.arm) is not None]
    if not adjusted:
        why = " (too many units or covariates to relabel)" if any(map(_is_permuted, metric.comparisons)) else ""
        if any(_has_note(c, "not_adjusted") for c in metric.comparisons):
            return []  # the note says so, and why
        return [f"{title}: not adjusted for {text}{why}." if title else f"Not adjusted for {text}{why}."]
    likewise = short and title and _same_as_primary(results, adjustment)
    head = f"{title}, adjusted{' likewise' if likewise else f' for {text}'}" if title else f"Adjusted for {text}"
    parts = (
        []
        if adjusted == list(metric.comparisons)
        else [f"only with {formatting.joined([clean(c.arm) for c in adjusted])}"]
    )
    several = len(metric.comparisons) > 1
    saved = [
        f"variance {_variance_change(adjustment.saved[c.arm])}" + (f" with {clean(c.arm)}" if several else "")
        for c in adjusted
    ]
    unadjusted = [c for c in adjustment.unadjusted if c.arm in {comparison.arm for comparison in adjusted}]
    parts += [", ".join(saved), *_without("unadjusted", results, metric, unadjusted)]
    return [f"{head}: {'; '.join(parts)}."]


def _known_before(adjustment: Adjustment) -> str:
    """What a comparison is adjusted for, in words."""
    parts = [f"the metric in the {adjustment.pre_period} before exposure"] if adjustment.pre_period else []
    parts += [formatting.joined(list(adjustment.covariates))] if adjustment.covariates else []
    parts += [f"strata of {formatting.joined(list(adjustment.strata))}"] if adjustment.strata else []
    return clean(formatting.joined(parts))


def _comparison_notes(comparison: Comparison, short: bool) -> str:
    """The comparison's notes in one text; if `short`, without the reason for permutation (see `permuted`) and without
    the note on response bias (see surveys.py)."""
    text = ""
    for note in comparison.notes:
        if note.code in _PERMUTED:
            text += "" if short else f" {note_texts.text(note)}"
        elif note != RESPONSE_BIAS_NOTE or not short:
            text += f" {note_texts.text(note)}"
    return text.strip()


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _has_note(comparison: Comparison, code: str) -> bool:
    return any(note.code == code for note in comparison.notes)


def _is_permuted(comparison: Comparison) -> bool:
    return comparison.method.is_permutation


def _same_as_primary(results: Results, adjustment: Adjustment) -> bool:
    return any(
        m.role == "primary" and m.adjustment and _known_before(m.adjustment) == _known_before(adjustment)
        for m in results.metrics
    )


def _variance_change(saved: float | None) -> str:
    """The change of the variance in words: `-34%`, or `unchanged`."""
    return "unchanged" if not saved or abs(saved) < 0.005 else formatting.percent(-saved, 0, sign=True)


def _without(word: str, results: Results, metric: MetricResult, comparisons: Sequence[Comparison]) -> list[str]:
    """The result of each variant without the cap or the adjustment: `uncapped +5.1% (-0.2% to +10.6%), better`."""
    texts = []
    for comparison in comparisons:
        estimate, interval = effect(metric, comparison, rule=results.monitoring.rule)
        where = f" {clean(comparison.arm)}" if len(metric.comparisons) > 1 else ""
        texts.append(f"{word}{where} {estimate} ({interval}), {comparison.status}")
    return texts
