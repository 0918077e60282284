"""Learning curves: a band for a whole mean curve, and tests of two agents that look at every step at once.

A test at each step finds something in 88 % (Welch) or 92 % (Student) of the 5-against-5 splits of one agent's SAC
runs. What is here keeps its level over the whole curve. Curves are (n_runs, n_points), NaN where a run has no
evaluation; two agents given as `ArmCurves` are aligned first, arrays must already share their steps.
"""

from rlaudit.curves.alignment import align
from rlaudit.curves.bands import Band, band, difference_band
from rlaudit.curves.permuted import Cluster, ClusterTest, CurveTest, cluster_test, curve_max_t

__all__ = [
    "Band",
    "Cluster",
    "ClusterTest",
    "CurveTest",
    "align",
    "band",
    "cluster_test",
    "curve_max_t",
    "difference_band",
]
