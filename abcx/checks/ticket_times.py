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

from abcx.checks.context import CheckContext
from abcx.checks.words import capital, listed, sentences, share_text
from abcx.results.readout import CheckResult

MAX_SHARE = 0.01
"""The largest share of an arm's tickets, or of its ends, that is left out without a warning."""
_CLOCKS = "clocks that differ make the other times wrong, too"
_NAMES = "if the two files name tickets differently, solved tickets look open"


def check(context: CheckContext) -> CheckResult:
    """Tickets that end before they start, and ends without a start."""
    tickets_of_metric = {
        name: context.data(name).tickets for name in context.experiment.metrics if context.data(name).tickets
    }
    if not tickets_of_metric:
        help = "needs a metric of tickets (resolution_time)"
        return CheckResult("ticket_times", "skipped", "There are no tickets.", help=help)
    details = {
        name: {
            arm: {"end_before_start": tickets.ends_before_start, "end_without_start": tickets.ends_without_start}
            for arm, tickets in arms.items()
        }
        for name, arms in tickets_of_metric.items()
    }
    clauses, cures, few = [], [], []
    for name, arms in tickets_of_metric.items():
        early = {arm: (tickets.ends_before_start, tickets.tickets) for arm, tickets in arms.items()}
        lone = {arm: (tickets.ends_without_start, tickets.ends) for arm, tickets in arms.items()}
        for counts, noun, what, effect, cure in (
            (
                early,
                "tickets",
                "end before they start",
                _CLOCKS,
                "compare the timezones of starts and ends (`timezone:`)",
            ),
            (lone, "ticket ends", "have no start", _NAMES, "compare the names of tickets in starts and ends"),
        ):
            odd, total = (sum(pair[i] for pair in counts.values()) for i in (0, 1))
            title = context.title(name)
            if _exceeds_limit(counts):
                clauses += [f"{_by_arm(counts, noun)} {what}, and {title} leaves them out", effect]
                cures.append(cure)
            elif odd:
                few.append(f"{odd:,} of {total:,} {noun} {what}, and {title} leaves them out")
    if clauses:
        help = capital(" and ".join(dict.fromkeys(cures)))
        message = sentences(*dict.fromkeys(clauses))
        return CheckResult("ticket_times", "warn", message, None, {"metrics": details}, help)
    message = sentences(*few) or "Every ticket starts before it ends."
    return CheckResult("ticket_times", "pass", message, None, {"metrics": details})


def _exceeds_limit(counts: Mapping[str, tuple[int, int]]) -> bool:
    return any(odd > MAX_SHARE * total for odd, total in counts.values())


def _by_arm(counts: Mapping[str, tuple[int, int]], noun: str) -> str:
    odd_arms = [(arm, odd, total) for arm, (odd, total) in counts.items() if odd]
    return listed(
        [
            f"{odd:,} of {total:,} {'' if i else noun + ' '}in {arm} ({share_text(odd / total, MAX_SHARE)})"
            for i, (arm, odd, total) in enumerate(odd_arms)
        ]
    )
