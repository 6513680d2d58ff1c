"""Statistical process control: the arithmetic behind the charts, without Django.

`xmr` is the XmR chart with the rules of Making Data Count, `shewhart` run charts and all other control charts,
`funnel` one period of many organisations. Their results share the shape `Chart`.
"""

from measurement.spc.control_charts import ChartType, ShewhartChart, ShewhartPart, shewhart
from measurement.spc.making_data_count import (
    FIRM_LIMITS_FROM,
    HIGH,
    LOW,
    NEAR_SCALE,
    NO_LIMITS,
    RULE_SET,
    RUN_LENGTH,
    SCREEN_SCALE,
    SHORTEST_BASELINE,
    XMR_SCALE,
    Assurance,
    Direction,
    Label,
    Limits,
    Part,
    PointType,
    Variation,
    XmrChart,
    assurance,
    xmr,
    xmr_limits,
)
from measurement.spc.runs import RunsAnalysis, crossings_limit, longest_run_limit, runs_analysis
from measurement.spc.series import Chart, SettledRebases, settled_rebases

__all__ = [
    "FIRM_LIMITS_FROM",
    "HIGH",
    "LOW",
    "NEAR_SCALE",
    "NO_LIMITS",
    "RULE_SET",
    "RUN_LENGTH",
    "SCREEN_SCALE",
    "SHORTEST_BASELINE",
    "XMR_SCALE",
    "Assurance",
    "Chart",
    "ChartType",
    "Direction",
    "Label",
    "Limits",
    "Part",
    "PointType",
    "RunsAnalysis",
    "SettledRebases",
    "ShewhartChart",
    "ShewhartPart",
    "Variation",
    "XmrChart",
    "assurance",
    "crossings_limit",
    "longest_run_limit",
    "runs_analysis",
    "settled_rebases",
    "shewhart",
    "xmr",
    "xmr_limits",
]
