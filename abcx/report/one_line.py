"""A readout in one line, for a prompt."""

from __future__ import annotations

from abcx.formatting import clean
from abcx.report import fragments
from abcx.results.readout import Results


def render(results: Results) -> str:
    """`Results(kilt-filter: SHIP variant; Orders +26.0% (+4.7% to +51.6%); 4 metrics)`; no effect where INVALID."""
    verdict = results.verdict
    parts = [f"{clean(results.experiment)}: {verdict.verdict} {clean(verdict.arm)}"]
    pairs = [(m, c) for m in fragments.primaries(results) for c in m.comparisons if c.arm == verdict.arm]
    if verdict.verdict != "INVALID":
        rule = results.monitoring.rule
        parts += [f"{fragments.titled(m)} {'{} ({})'.format(*fragments.effect(m, c, rule=rule))}" for m, c in pairs]
    noun = "metric" if len(results) == 1 else "metrics"
    simulated = ", simulated data" if results.setup.simulated else ""
    return f"Results({'; '.join([*parts, f'{len(results)} {noun}{simulated}'])})"
