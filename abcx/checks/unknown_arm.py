"""**Unknown arm**: do rows name an arm that this experiment does not have, or none?

Looks at: rows whose arm is none of the declared labels, or that fit none of the declared rules, and exposed units of
which no row names an arm. They are left out and counted. Fails where more than 5 % of the rows have a label that
differs from a declared one by upper and lower case, spaces or punctuation alone; otherwise warns when there are any.
Units of an event file are exposed where the spec names the event of the exposure.

Why it matters: a label that is spelled differently (`Variant_B` for `variant_b`) silently loses a part of one arm, and
the loss need not be random. So does an arm that was not logged. Rows of another experiment, or of an arm that was
stopped, are harmless.

What to do now: compare the values in the arm column with `arms:` and add the missing spelling to `labels:`. Where cells
are empty, ask why the arm of these units was not logged. Where rows contradict themselves (the group says one thing and
the page shown another) and a rule leaves them out, as it should, note how many they are and ask why they exist.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences, share_text
from abcx.results.readout import CheckResult, CheckStatus

FAIL = 0.05


def check(context: CheckContext) -> CheckResult:
    """Rows that fit no arm, and units of which no row names one."""
    observed = context.observed
    rows, unnamed = observed.unknown_arm, observed.no_arm or 0
    if rows is None:
        return CheckResult(
            "unknown_arm", "skipped", "Counts have no rows without an arm.", help="needs one row per unit, not counts"
        )
    details = {
        "rows": rows,
        "labels": list(observed.unknown_labels),
        "units_without": unnamed,
        "near": _misspellings(context),
    }
    if not rows and not unnamed:
        return CheckResult("unknown_arm", "pass", "Every row fits an arm.", None, details)
    share = sum(near.rows for near in observed.misspelled_labels) / observed.arm_rows if observed.arm_rows else 0.0
    status: CheckStatus = "fail" if share > FAIL else "warn"
    messages, helps = [], []
    if rows:
        messages += _unmatched_rows(context, rows, status)
        helps.append(_help(context))
    if unnamed:
        were = "was" if unnamed == 1 else "were"
        messages.append(f"{context.noun(unnamed)} {were} exposed without an arm on record and {were} left out")
        messages.append("if that happens more often in one arm, the arms are no longer alike")
        helps.append("Find out why their arm was not logged, and whether that happens more often in one arm")
    return CheckResult("unknown_arm", status, sentences(*messages), None, details, ". ".join(helps))


def _unmatched_rows(context: CheckContext, rows: int, status: CheckStatus) -> list[str]:
    labels, misspelled, all_rows = (
        context.observed.unknown_labels,
        context.observed.misspelled_labels,
        context.observed.arm_rows,
    )
    others = f" and {len(labels) - 5} more" if len(labels) > 5 else ""
    named = f" ({formatting.joined([repr(label) for label in labels[:5]])}{others})" if labels else ""
    fit, were = ("matches", "was") if rows == 1 else ("match", "were")
    message = f"{formatting.plural(rows, 'rows')} {fit} no arm and {were} left out"
    unit = context.experiment.unit
    if not (misspelled and all_rows):
        return [message + named, f"if they belong to an arm, it lost {unit}"]
    share = share_text(sum(label.rows for label in misspelled) / all_rows, FAIL)
    pairs = formatting.joined([f"{label.written!r} for {label.meant!r}" for label in misspelled[:5]])
    effect = f"that arm lost {unit}, so the arms cannot be compared" if status == "fail" else f"that arm lost {unit}"
    return [f"{share} of the rows that name an arm spell it differently ({pairs})", message, effect]


def _help(context: CheckContext) -> str:
    arms = context.experiment.arms
    if any(arm.where for arm in arms.values()):
        return "Check that the rules (`where:`) of the arms are meant to leave these rows out"
    if misspelled := context.observed.misspelled_labels:
        meant = misspelled[0].meant
        spelled = {name: [str(label) for label in arm.labels or (name,)] for name, arm in arms.items()}
        known = next((labels for labels in spelled.values() if meant in labels), [])
        listed = ", ".join([*known, *(label.written for label in misspelled if label.meant == meant)])
        return f"Add the spelling to its arm: `labels: [{listed}]`"
    return "Add the spelling to the `labels:` of its arm, unless these rows belong to no arm"


def _misspellings(context: CheckContext) -> dict[str, dict[str, object]]:
    return {label.written: {"meant": label.meant, "rows": label.rows} for label in context.observed.misspelled_labels}
