"""What is measured: one file per metric type. A new type is one file and one line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from abcx.metrics.conversion import Conversion
from abcx.metrics.mean import Mean
from abcx.metrics.ratio import Ratio

MetricSpec = Annotated[Conversion | Mean | Ratio, Field(discriminator="type")]
METRIC_TYPES = {"conversion": Conversion, "mean": Mean, "ratio": Ratio}
