"""The sentence of every note: other packages make notes as codes with values, this module makes the words.

Sentences about comparisons start with a capital letter and end with a full stop; those about data are clauses to be
joined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from abcx import formatting
from abcx.notes import Note, Value
from abcx.stats.methods import Method
from abcx.stats.survival import rounded_down

Values = Mapping[str, Value]
Text = str | Callable[[Values], str]
"""A sentence with names of values in braces, or a function of them."""

PERMUTED = "Interval by permutation."


def text(note: Note) -> str:
    """A note in words; one with an unknown code (from a file packed by another version) as its code and values."""
    try:
        template = TEXTS[note.code]
        sentence = template.format_map(note.values) if isinstance(template, str) else template(note.values)
    except (KeyError, ValueError, AssertionError):
        return " ".join([note.code, *(f"{name}={value}" for name, value in note.values.items())])
    more_files = note.values.get("more_files")
    return f"{sentence} (and so of {more_files} more files)" if more_files else sentence


def _number(values: Values, name: str) -> float:
    number = values[name]
    assert isinstance(number, (int, float))
    return number


def _count(values: Values, name: str) -> str:
    return formatting.count(int(_number(values, name)))


def _skewed(subject: str, effect: str) -> Callable[[Values], str]:
    def sentence(values: Values) -> str:
        sizes = f"{_count(values, 'control')} and {_count(values, 'variant')} units"
        skewness = f"{_number(values, 'skewness'):.3g}"
        return f"{PERMUTED} The skewness of {subject} is {skewness} and the arms differ in size ({sizes}), {effect}."

    return sentence


def _skewed_ratio(values: Values) -> str:
    skewness = f"{_number(values, 'skewness'):.3g}"
    why = f"too much for a ratio's t-test with {_count(values, 'units')} units"
    return f"{PERMUTED} The skewness of the values is {skewness}, {why}."


def _not_adjusted(values: Values) -> str:
    several = int(_number(values, "covariates"))
    why = {
        "nothing_varies": "no covariate varies in both arms",
        "few_units": f"an arm has too few units for {formatting.plural(several, 'covariates')}",
        "few_events": "events are few, and the score test of shares has no adjusted form",
        "no_error": "nothing is left to chance within the arms once the covariates are known",
        "impossible_value": "an adjusted value would lie outside the possible ones",
        "no_gain": f"the covariate{'s do' if several > 1 else ' does'} not reduce the variance",
        "denominator": "the adjusted denominator of an arm is not above 0",
    }
    return f"Not adjusted for covariates: {why[str(values['reason'])]}."


def _horizon(values: Values) -> str:
    hours = _number(values, "usable")
    usable = f"{rounded_down(hours / 24)}d" if hours >= 48 else f"{rounded_down(hours)}h"
    return f"Nothing in the {values['arm']} arm was followed up to the horizon: the largest usable horizon is {usable}."


def _few_answers(values: Values) -> str:
    have = "only one answer" if _number(values, "answers") else "no answers"
    return f"An arm has {have}, so nothing is known about the effect on those who answer."


OF_COMPARISONS: dict[str, Text] = {
    "permuted_as_declared": f"{PERMUTED} The spec asks for it.",
    "permuted_skewed": _skewed("the values", "which pushes the t-test to one side"),
    "permuted_skewed_covariate": _skewed("a covariate", "which can push the adjusted t-test to one side"),
    "permuted_skewed_ratio": _skewed_ratio,
    "not_adjusted": _not_adjusted,
    "too_many_to_relabel": "Too many units to relabel with covariates: the interval does not adjust for them.",
    "strata_merged": "{strata} strata with few units in an arm were taken together.",
    "response_bias": "The arms may differ in who answers, and the bounds of the effect do not confirm what the answers "
    "show: no claim is made.",
    "unbounded": "There are too few values to bound the difference on both sides.",
    "no_units": "An arm has no units.",
    "one_unit": "An arm has only one unit, so the spread between units is unknown and nothing can be tested.",
    "no_answers": "An arm has no answers.",
    "one_answer": "An arm has only one answer, so the spread between answers is unknown and nothing can be tested.",
    "no_values": "The {arm} arm has no values.",
    "same_value": "All units of both arms have the same value: there is no difference to test.",
    "same_values": "All values of both arms are the same: there is no difference to test.",
    "same_answers": "All answers of both arms are the same: there is no difference to test.",
    "same_around_quantile": "Around the quantile all values of both arms are the same: there is nothing to test.",
    "same_up_to_rounding": "All units have the same value up to the rounding of numbers of this size: there is no "
    "difference to test.",
    "no_spread": "No unit differs from the others of its arm, so the difference has no measurable error.",
    "no_spread_of_values": "No value differs from the others of its arm, so the difference has no measurable error.",
    "answers_apart": "The answers of the two arms do not overlap: p and the interval are exact bounds from pairs of "
    "units.",
    "too_large": "The values are too large to be compared.",
    "no_ratio": "The denominator of the {arm} arm is not above 0, so its ratio does not exist.",
    "tied_quantile": "Many values are equal around the quantile. It is interpolated between neighboring values by the "
    "shares below and above them (mid-distribution), so it can be 5.4 where all values are whole numbers.",
    "no_lifetimes": "The {arm} arm has no lifetimes to compare.",
    "horizon_not_reached": _horizon,
    "nothing_ended": "Nothing ended before the horizon in either arm: there is no difference to test.",
    "few_lifetimes": "An arm has only {units} units with lifetimes, and these are skewed and the arms uneven: neither "
    "permutation nor the analytic interval is reliable below {fewest} units, so nothing is tested.",
    "bounds_no_spread": "The answers that are compared do not vary, so the bounds have no measurable error.",
    "bounds_few_answers": _few_answers,
    "bounds_unknown_answers": "Only mean and sd of the answers are given, so the effect on those who answer cannot be "
    "bounded.",
    "no_lift_at_zero": "The control value is 0, so there is no relative lift.",
    "no_lift_below_zero": "The control value is negative, so there is no relative lift.",
    "no_lift_near_zero": "The control value is too close to 0 for a relative lift.",
    "no_lift_control_open": "The control mean cannot be told apart from 0, so there is no relative lift.",
    "no_lift_without_events": "There are no events in the control arm, so there is no relative lift.",
    "no_lift_of_negatives": "Values can be below 0, so there is no relative lift.",
    "no_lift_nps": "NPS can be negative, so there is no relative lift.",
    "no_lift_of_scores": "The zero of a scale of answers is arbitrary, so there is no relative lift.",
    "no_lift_interval_all_zero": "Every unit of the variant is 0, so the interval of the lift does not exist.",
    "no_lift_interval_quantile_zero": "The quantile of the variant is 0, so the interval of the lift does not exist.",
    "no_lift_interval_near_zero": "The control value is too close to 0 for an interval of the lift.",
    "no_lift_interval_fine": "The spread of the values is too small beside them for an interval of the lift.",
    "lift_unbounded": "The lift cannot be bounded above: the control value is not distinguishable from 0.",
}
"""Texts of the notes of comparisons, in `notes` or `lift_note`."""


def _empty(values: Values) -> str:
    return f"{values['files']} {'is' if values['count'] == 1 else 'are'} empty"


def _numbers(values: Values) -> str:
    names = {",": "commas", ".": "dots", " ": "spaces", "'": "apostrophes"}
    parts = ["a decimal comma"] if values["decimal"] == "," else []
    parts += [f"{names[str(values['thousands'])]} between thousands"] if values["thousands"] else []
    parts += [f"a currency ({values['currency']})"] if values["currency"] else []
    parts += ["percent (5% is 0.05)"] if values["percent"] else []
    parts += ["brackets for minus"] if values["brackets"] else []
    how = ", ".join(parts) or "signs or digits of other scripts"
    return f"'{values['column']}' of {values['file']} is read as numbers with {how}"


def _keys(treatment: str) -> Callable[[Values], str]:
    names = {
        "unit": ("id", "ids"),
        "id": ("id of an event", "ids of events"),
        "event": ("name of an event", "names of events"),
        "arm": ("label of an arm", "labels of arms"),
        "ticket": ("id of a ticket", "ids of tickets"),
    }

    def text(values: Values) -> str:
        several = values["count"] != 1
        what = names[str(values["role"])][several]
        of = f"{_count(values, 'count')} {what} of {values['file']} ('{values['column']}')"
        return f"{of} {'were' if several else 'was'} {treatment}"

    return text


def _hour(change: str) -> Callable[[Values], str]:
    def text(values: Values) -> str:
        several = values["count"] != 1
        what = f"{_count(values, 'count')} time{'s' if several else ''} in '{values['column']}' of {values['file']}"
        hour = f"between {values['since']} and {values['until']}, an hour that the clocks of {values['zone']} {change}"
        return f"{what} lie{'' if several else 's'} {hour}"

    return text


def _coarse(values: Values) -> str:
    precision = {"day": "dates", "hour": "whole hours", "minute": "whole minutes"}[str(values["unit"])]
    text = f"the times of {values['file']} are {precision}: they are compared by {values['unit']}"
    if not values.get("of_exposure"):
        return text
    rows = formatting.plural(int(_number(values, "of_exposure")), "rows")
    return f"{text} ({rows} of the {values['unit']} of exposure count as after it)"


def _another_zone(values: Values) -> str:
    rows = formatting.plural(int(_number(values, "before")), "rows")
    earlier = f"{_count(values, 'two_before')} and {_count(values, 'three_before')}"
    return (
        f"{rows} of {values['file']} lie on the day before the exposure of their unit, {earlier} on the two days "
        "before that: are the dates of another timezone?"
    )


def _outcomes_end(values: Values) -> str:
    days = formatting.plural(int(_number(values, "days")), "days")
    return (
        f"{values['file']} ends on {values['day']}, {days} before the last exposure: later rows of all files are left "
        "out, because the outcomes of later units are not known"
    )


def _unused(values: Values) -> str:
    rows = formatting.plural(int(_number(values, "count")), "rows")
    arms = ": they only name the arms of their units" if values["arms"] else ""
    return f"{rows} hold{'s' if values['count'] == 1 else ''} events that no metric uses{arms}"


def _rows_that(predicate: str) -> Callable[[Values], str]:
    return lambda values: f"{formatting.plural(int(_number(values, 'count')), 'rows')} {predicate}"


def _shared(values: Values) -> str:
    ids = formatting.plural(int(_number(values, "count")), "ids")
    return f"{ids} of events belong to several units: an id counts once for each unit"


OF_DATA: dict[str, Text] = {
    "delimiter": "{file} is read with the delimiter {delimiter}",
    "header_line": "the header of {file} is line {line}: what stands above it is skipped",
    "zone_of_header": "the times of {file} are in {zone}, as its header says",
    "int96": "{columns} of {file}: times of the type INT96 are read as UTC, as Spark writes them; `timezone` says "
    "otherwise",
    "empty_files": _empty,
    "no_rows": "{file} has a header and no rows",
    "json_lines": "{file} is read as JSON lines",
    "line_ends": "the lines of {file} end in different ways (LF, CRLF): all are read as line ends",
    "encoding": "{file} is read as {encoding}, by its byte order mark",
    "durations": "'{column}' of {file} is read as durations, in hours",
    "numbers": _numbers,
    "times_since_1970": "the times of {file} are read as {unit} since 1970",
    "times_dmy": "the times of {file} are read as day/month/year",
    "times_mdy": "the times of {file} are read as month/day/year",
    "times_named": "the times of {file} are read with the month's name, or AM and PM",
    "keys_formula": _keys('written as formulas (="..."): read as their text'),
    "keys_quoted": _keys("in quotes: read without them"),
    "keys_hidden": _keys("with spaces or characters that do not show: read without them"),
    "keys_composed": _keys("with accents written apart from their letters: read as one letter (Unicode NFC)"),
    "no_timezone": "the times of {file} have no timezone: they are read as {zone}",
    "skipped_hour": _hour("skip: are they of another zone?"),
    "repeated_hour": _hour("show twice: read as the later one"),
    "coarse_times": _coarse,
    "another_zone": _another_zone,
    "outcomes_end": _outcomes_end,
    "unused_events": _unused,
    "unfit_events": _rows_that("of events do not fit the `where` of their source"),
    "shared_ids": _shared,
}
"""Texts of the notes about files and their rows, in `data.notes`."""

_METHODS = {
    Method.SCORE: (
        "shares by the constrained score test{}",
        "Miettinen and Nurminen 1985; the ratio as Koopman 1984",
    ),
    Method.BINOMIAL: (
        "shares with few events by the binomial distribution of the same score statistic at the shares most likely "
        "under the hypothesis{}",
        "a plug-in, not the largest p over all shares: Storer and Kim 1990",
    ),
    Method.WELCH: ("means by Welch's t over units, the lift by inverting the same statistic{}", "Fieller 1954"),
    Method.RATIO: ("ratios by Welch's t over linearized units{}, the lift likewise", "Deng, Knoblich, Lu 2018"),
    Method.NPS: ("Net Promoter Scores by Welch's t over answers", ""),
    Method.ADJUSTED_NPS: (
        "Net Promoter Scores of fewer than 500 answers by the adjusted Wald estimate{}",
        "Rocks 2016",
    ),
    Method.WELCH_ADJUSTED: (
        "covariates by one slope pooled within the arms{}, then Welch's t",
        "CUPED, Deng et al. 2013",
    ),
    Method.PERMUTATION: (
        "skewed or unbalanced metrics by permutation of the studentized statistic{}",
        "Janssen 1997",
    ),
    Method.PERMUTATION_TAIL: (
        "permutation with a fitted tail where fewer than 20 relabelings are beyond: approximate",
        "",
    ),
    Method.PERMUTATION_ADJUSTED: (
        "adjusted metrics, skewed or unbalanced, by permutation with the slopes refitted",
        "",
    ),
    Method.PERMUTATION_TAIL_ADJUSTED: ("adjusted permutation with a fitted tail likewise: approximate", ""),
    Method.RMST: ("times by the restricted mean under the Kaplan-Meier curve, its error summed over units", ""),
    Method.CHURN: (
        "churn by Kaplan-Meier, compared as a share of the effective number of units by the score test corrected for "
        "skewness{}",
        "Rothman 1978; Gart and Nam 1988; Laud 2017",
    ),
    Method.QUANTILE: (
        "quantiles by the projected share test on the mid-distribution, events clustered in units",
        "",
    ),
}
"""Every method in words, with the place of its source, and the source."""
_CORRECTIONS = {"holm": "Holm's correction", "bh": "Benjamini-Hochberg with matching intervals (FCR)"}


def _method(values: Values) -> str:
    template, source = _METHODS[Method(str(values["method"]))]
    return template.format(f" ({source})")


def without_source(note: Note) -> str:
    """A note on a method without its source; any other in full."""
    return _METHODS[Method(str(note.values["method"]))][0].format("") if note.code == "method" else text(note)


def _correction(values: Values) -> str:
    each = " by variant" if values["by_variant"] else ""
    families = values["families"]
    assert isinstance(families, tuple)
    return f"{_CORRECTIONS[str(values['rule'])]} over {' and over '.join(f'{role} metrics{each}' for role in families)}"


def _top_units(values: Values) -> str:
    by = f" by {values['metric']}" if values["metric"] else ""
    return f"without the top 0.1% of units ({_count(values, 'removed')} of {_count(values, 'units')}{by})"


def _changed(template: Text) -> Callable[[Values], str]:
    """The text of a change; "and without covariates" is added where the note says so."""

    def text(values: Values) -> str:
        change = template.format_map(values) if isinstance(template, str) else template(values)
        return f"{change} and without covariates" if values.get("covariates") else change

    return text


def _claim(values: Values) -> str:
    return f"the margin of {values['margin_of']}" if values["margin_of"] else "minimum_effect"


OF_ANALYSIS: dict[str, Text] = {
    "method": _method,
    "correction": _correction,
    "exploratory_segments": "effects by segment are exploratory: nobody planned their size",
    "only_counts": "only counts were given: what happened to the data before they were counted is not checked",
    "no_correction": "no correction for several comparisons: more of them are significant by chance",
    "size_declared": "plan.units",
    "size_of_baseline": lambda values: f"plan.baseline and {_claim(values)}",
    "size_as_observed": lambda values: f"{_claim(values)} and the control as observed",
    "without_cap": _changed("without the cap"),
    "without_covariates": "without covariates",
    "without_top_units": _changed(_top_units),
    "interval": "with {by} intervals",
    "half_windows": _changed("with windows half as long"),
    "typical_window": _changed("with the window that half of the {unit} had ({length})"),
    "without_first_day": _changed("without the day of exposure"),
}
"""Methods, limits, sources of sizes, and what another analysis changed."""
TEXTS: dict[str, Text] = {**OF_COMPARISONS, **OF_DATA, **OF_ANALYSIS}
