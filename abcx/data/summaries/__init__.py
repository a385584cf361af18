"""Turns units into summaries by arm: moments, samples, groups, categories, times to an event, quantiles, covariates."""
