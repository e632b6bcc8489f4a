"""Snakemake that asks SLURM about its jobs every second.

The plugin lets ten seconds more pass after each answer that no job has ended, of which no setting
keeps it. Jobs of a tiny study would wait most of their time to be asked for.
"""

import asyncio

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor


async def sleep(_: Executor) -> None:
    await asyncio.sleep(1)


if __name__ == "__main__":
    Executor.sleep = sleep
    main()
