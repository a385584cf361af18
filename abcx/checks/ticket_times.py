"""**Ticket times**: does every ticket start before it ends?

Looks at: tickets of resolution times whose only ends are before their start, and ends after exposure whose ticket has
no start. Both are left out, and the report counts them by arm. Warns above 1% in any arm.

Why it matters: a ticket without a usable end would count as still open, and so as one of the slowest. Where the clocks
of two systems differ, that turns the fastest tickets into the slowest. Ends without a start show that the two files
name tickets differently: then all of them look open.

What to do now: compare the times of both files: is one in another timezone (`timezone: ...` on its source), or rounded
to the minute or the day? Compare the names of tickets letter by letter (`#1001` is not `1001`). Tickets that were
opened before the export begins are harmless, if they are equally common in all arms.
"""

from __future__ import annotations

from collections.abc import Mapping

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import share_text
from abcx.results.readout import CheckResult

MAX_SHARE = 0.01
"""The largest share of an arm's tickets, or of its ends, that is left out without a warning."""


def check(context: CheckContext) -> CheckResult:
    """Tickets that end before they start, and ends without a start."""
    tickets_of_metric = {
        name: context.data(name).tickets for name in context.experiment.metrics if context.data(name).tickets
    }
    if not tickets_of_metric:
        help = "needs a metric of tickets (resolution_time)"
        return CheckResult("ticket_times", "skipped", "there are no tickets", help=help)
    details = {
        name: {
            arm: {"end_before_start": tickets.ends_before_start, "end_without_start": tickets.ends_without_start}
            for arm, tickets in arms.items()
        }
        for name, arms in tickets_of_metric.items()
    }
    clauses, questions, few = [], [], []
    for name, arms in tickets_of_metric.items():
        early = {arm: (tickets.ends_before_start, tickets.tickets) for arm, tickets in arms.items()}
        lone = {arm: (tickets.ends_without_start, tickets.ends) for arm, tickets in arms.items()}
        for counts, noun, what, cure in (
            (
                early,
                "tickets",
                "end before they start",
                "are the clocks of starts and ends in one timezone (`timezone:`)",
            ),
            (lone, "ends", "have no start", "are tickets named alike in starts and ends, and were all starts exported"),
        ):
            odd, total = (sum(pair[i] for pair in counts.values()) for i in (0, 1))
            if _exceeds_limit(counts):
                clauses.append(f"{name}: {noun} that {what} are left out: {_by_arm(counts)}")
                questions.append(cure)
            elif odd:
                few.append(f"{name}: {odd:,} of {total:,} {noun} {what}, left out")
    if clauses:
        help = f"{' and '.join(dict.fromkeys(questions))}?"
        return CheckResult("ticket_times", "warn", "; ".join(clauses), None, {"metrics": details}, help)
    message = "; ".join(few) or "every ticket starts before it ends"
    return CheckResult("ticket_times", "pass", message, None, {"metrics": details})


def _exceeds_limit(counts: Mapping[str, tuple[int, int]]) -> bool:
    return any(odd > MAX_SHARE * total for odd, total in counts.values())


def _by_arm(counts: Mapping[str, tuple[int, int]]) -> str:
    return formatting.joined(
        [
            f"{arm} {odd:,} of {total:,} ({share_text(odd / total, MAX_SHARE)})"
            for arm, (odd, total) in counts.items()
            if odd
        ]
    )
