"""Words of customer-experience teams that are not metric types, and the building blocks that measure them."""

from __future__ import annotations

VOCABULARY = {
    "upsell": "'upsell' has two definitions, choose one: the share of units that took the offer (type: conversion, "
    "event: upsell), or its share of revenue (type: ratio, numerator: {event: upsell, value: amount}, denominator: "
    "{event: purchase, value: amount})",
    "repurchase": "units that bought twice: type: conversion, event: purchase, at_least: 2; of buyers only: type: "
    "ratio, numerator: {event: purchase, count: units, at_least: 2}, denominator: {event: purchase, count: units}",
    "revenue": "revenue per unit: type: mean, event: purchase, value: amount",
    "order_value": "type: ratio, numerator: {event: purchase, value: amount}, denominator: {event: purchase}",
    "average_ticket": "type: ratio, numerator: {event: purchase, value: amount}, denominator: {event: purchase}",
    "customer_value": "value over a fixed horizon: type: mean, event: purchase, value: amount, window: 90d",
    "click_through": "units that clicked: type: conversion, event: click; clicks per view: type: ratio",
    "engagement": "units that engaged: type: conversion; how much: type: mean or type: ratio",
    "cost_per_retained_customer": "type: ratio, numerator: {event: cost, value: amount}, denominator: {event: renewal, "
    "count: units}; where cost is booked per arm it can only be described: role: descriptive",
    "shares": "type: mean, event: share",
    "comments": "type: mean, event: comment",
    "satisfaction": "type: csat (share of the top answers), or type: ces for effort",
    "count": "type: mean with an event and no value counts events per unit",
    "rate": "units that did it: type: conversion; events per event: type: ratio",
    "median": "type: quantile, q: 0.5",
    "survival": "type: churn, with a horizon",
}
"""What to write in place of each, in one line."""

_SAME = {
    "aov": "order_value",
    "average_order_value": "order_value",
    "ctr": "click_through",
    "clickthrough": "click_through",
    "clv": "customer_value",
    "ltv": "customer_value",
    "lifetime_value": "customer_value",
    "revenue_per_visitor": "revenue",
    "sum": "revenue",
    "proportion": "rate",
    "binomial": "rate",
    "percentile": "median",
}


def advice(word: str) -> str | None:
    """How to measure what a word means; None where it is not known."""
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    return VOCABULARY.get(_SAME.get(plain, plain))
