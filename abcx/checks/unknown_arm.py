"""**Unknown arm**: do rows name an arm that this experiment does not have?

Looks at: rows whose arm is none of the declared labels, or that fit none of the declared rules. They are left out and
counted. Warns when there are any.

Why it matters: a label that is spelled differently (`Variant_B` for `variant_b`) silently loses a part of one arm, and
the loss need not be random. Rows of another experiment, or of an arm that was stopped, are harmless.

What to do now: compare the values in the arm column with `arms:` and add the missing spelling to `labels:`. Where rows
contradict themselves (the group says one thing and the page shown another) and a rule leaves them out, as it should,
note how many they are and ask why they exist.
"""

from __future__ import annotations

from abcx import wording
from abcx.checks.context import CheckContext
from abcx.results import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Rows that fit no arm."""
    rows, labels = context.observed.unknown_arm, context.observed.unknown_labels
    if rows is None:
        return CheckResult("unknown_arm", "skipped", "counts do not tell", help="needs one row per unit, not counts")
    details = {"rows": rows, "labels": list(labels)}
    if not rows:
        return CheckResult("unknown_arm", "pass", "every row fits an arm", None, details)
    named = f": {wording.joined([repr(label) for label in labels[:5]])}" if labels else ""
    more = f" and {len(labels) - 5} more" if len(labels) > 5 else ""
    fit = "fits" if rows == 1 else "fit"
    message = f"{wording.plural(rows, 'rows')} {fit} no arm and count for nothing{named}{more}"
    ruled = any(arm.where for arm in context.experiment.arms.values())
    help = "add the spelling to the `labels:` of its arm, unless these rows belong to no arm"
    if ruled:
        help = "check that the rules (`where:`) of the arms are meant to leave these rows out"
    return CheckResult("unknown_arm", "warn", message, None, details, help)
