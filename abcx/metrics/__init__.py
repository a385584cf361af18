"""What is measured: one file per metric type. A new type is one file and two lines here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from abcx.metrics.ces import Ces
from abcx.metrics.churn import Churn
from abcx.metrics.conversion import Conversion
from abcx.metrics.csat import Csat
from abcx.metrics.mean import Mean
from abcx.metrics.nps import Nps
from abcx.metrics.quantile import Quantile
from abcx.metrics.ratio import Ratio
from abcx.metrics.resolution_time import ResolutionTime
from abcx.metrics.retention import Retention

MetricSpec = Annotated[
    Conversion | Mean | Ratio | Quantile | Nps | Csat | Ces | Retention | Churn | ResolutionTime,
    Field(discriminator="type"),
]
METRIC_TYPES = {
    "conversion": Conversion,
    "mean": Mean,
    "ratio": Ratio,
    "quantile": Quantile,
    "nps": Nps,
    "csat": Csat,
    "ces": Ces,
    "retention": Retention,
    "churn": Churn,
    "resolution_time": ResolutionTime,
}
