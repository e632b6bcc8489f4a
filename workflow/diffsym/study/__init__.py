"""What a configuration asks for: where every result lies, and which job needs which.

Nothing here imports Snakemake, a numerical library or a file of results, so that planning is fast
and its tests take milliseconds.
"""

from diffsym.study.layout import Layout
from diffsym.study.plan import Plan

__all__ = ["Layout", "Plan"]
