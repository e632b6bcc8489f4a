"""A study: its configuration, where its results lie, and the jobs that it takes.

- `configuration`: what the sections of `diffsym.settings` make together
- `loading`: from a raw mapping to a valid configuration
- `checks`: mistakes that only show when several sections are combined
- `expansion`: sections that stand for several
- `sections`: what sections say of themselves
- `layout`: the only file that knows a path below `results/`
- `plan`: which job needs which files, settings and modules

Nothing here imports Snakemake, a numerical library or a file of results, so that planning is fast
and its tests take milliseconds. This package itself imports nothing: commands that look for results
need the layout alone, and no pydantic.
"""
