"""Where every result lies.

This is the only file that knows a path below `results`. A path without arguments is a pattern with
Snakemake's wildcards, as the outputs of rules need it; with names in their place it is a file.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Paths of all results.

    Attributes
    ----------
    root
        Folder of the results.
    downloads
        Folder of databases that are fetched.
    """

    root: str = "results"
    downloads: str = "data/downloads"

    # Structures

    @property
    def structures(self) -> str:
        """Table of unique structures."""
        return f"{self.root}/structures.parquet"

    @property
    def rejected(self) -> str:
        """Table of rejected entries."""
        return f"{self.root}/rejected.parquet"

    @property
    def duplicates(self) -> str:
        """Table of duplicate entries."""
        return f"{self.root}/duplicates.parquet"

    @property
    def statistics(self) -> str:
        """Counts of the structures stage."""
        return f"{self.root}/structures.json"

    def parsed(self, source: str = "{source}", shard: str | int = "{shard}") -> str:
        """Structures in one shard of a source, before duplicates are removed."""
        return f"{self.root}/structures/{source}/shard-{shard}.parquet"

    def rejected_while_parsing(self, source: str = "{source}", shard: str | int = "{shard}") -> str:
        """Rejected entries in one shard of a source."""
        return f"{self.root}/structures/{source}/rejected-{shard}.parquet"

    # Descriptors

    def reflections(self, shard: str | int = "{shard}") -> str:
        """Powder lines of the structures in one shard."""
        return f"{self.root}/reflections/shard-{shard}.parquet"

    def descriptor_shard(
        self, descriptor: str = "{descriptor}", shard: str | int = "{shard}"
    ) -> str:
        """Descriptors of the structures in one shard."""
        return f"{self.root}/descriptors/{descriptor}/shard-{shard}.parquet"

    def undescribed_shard(
        self, descriptor: str = "{descriptor}", shard: str | int = "{shard}"
    ) -> str:
        """Structures in one shard that have no such descriptor."""
        return f"{self.root}/descriptors/{descriptor}/rejected-{shard}.parquet"

    def descriptor(self, descriptor: str = "{descriptor}") -> str:
        """Descriptor table."""
        return f"{self.root}/descriptors/{descriptor}.parquet"

    def undescribed(self, descriptor: str = "{descriptor}") -> str:
        """Structures that have no such descriptor."""
        return f"{self.root}/descriptors/{descriptor}.rejected.parquet"

    def gallery(self, descriptor: str = "{descriptor}") -> str:
        """Electron-diffraction patterns of a few structures, for the report."""
        return f"{self.root}/galleries/{descriptor}.npz"

    # Data sets

    def classes(self, class_set: str = "{class_set}") -> str:
        """Space groups of a class set."""
        return f"{self.root}/classes/{class_set}.json"

    def filter(
        self, name: str = "{filter}", class_set: str = "{class_set}", suffix: str = "parquet"
    ) -> str:
        """Table of a filter on a class set; with the suffix `json` its statistics."""
        return f"{self.root}/filters/{name}/{class_set}.{suffix}"

    def split(self, split: str = "{split}", suffix: str = "parquet") -> str:
        """Table of a split; with the suffix `json` its report."""
        return f"{self.root}/splits/{split}.{suffix}"

    def leakage(self, descriptor: str = "{descriptor}", split: str = "{split}") -> str:
        """How much of a split leaks in a descriptor."""
        return f"{self.root}/leakage/{descriptor}/{split}.json"

    # Measured patterns

    def measured(self, measured: str = "{measured}", drawn: str = "{drawn}") -> str:
        """Table of measured patterns.

        `drawn` is the folder of the split from whose test part they were drawn, such as
        `stratified/`, and empty for a set that was read.
        """
        return f"{self.root}/measured/{drawn}{measured}.parquet"

    def measured_record(self, measured: str = "{measured}") -> str:
        """Identifiers and checksums of the measured patterns that were used."""
        return f"{self.root}/measured/{measured}.json"

    def answered(self, measured: str = "{measured}") -> str:
        """Answers to measured patterns by the search."""
        return f"{self.root}/answered/{measured}.parquet"

    def rejected_measured(self, measured: str = "{measured}") -> str:
        """Rejected measured patterns."""
        return f"{self.root}/measured/{measured}.rejected.parquet"

    def converted(
        self,
        measured: str = "{measured}",
        drawn: str = "{drawn}",
        descriptor: str = "{descriptor}",
    ) -> str:
        """Descriptors of measured patterns."""
        return f"{self.root}/converted/{descriptor}/{drawn}{measured}.parquet"

    def unconverted(
        self,
        measured: str = "{measured}",
        drawn: str = "{drawn}",
        descriptor: str = "{descriptor}",
    ) -> str:
        """Measured patterns that have no such descriptor."""
        return f"{self.root}/converted/{descriptor}/{drawn}{measured}.rejected.parquet"

    # Experiments

    def experiment(self, experiment: str = "{experiment}", name: str = "metrics.json") -> str:
        """A file of an experiment."""
        return f"{self.root}/experiments/{experiment}/{name}"

    def member(
        self,
        experiment: str = "{experiment}",
        member: str | int = "{member}",
        name: str = "predictions.parquet",
    ) -> str:
        """A file of a member of an experiment's ensemble."""
        return f"{self.root}/experiments/{experiment}/members/{member}/{name}"

    # Packs

    def entry_lines(self, source: str = "{source}", shard: str | int = "{shard}") -> str:
        """Powder lines of all structures in one shard of a source, for the search."""
        return f"{self.root}/search/{source}/shard-{shard}.parquet"

    def pack(self, pack: str = "{pack}") -> str:
        """What people take away."""
        return f"{self.root}/packs/{pack}.zip"

    # The whole study

    @property
    def summary(self) -> str:
        """Numbers that people quote."""
        return f"{self.root}/summary.json"

    @property
    def report(self) -> str:
        """The page that shows everything."""
        return f"{self.root}/report.html"

    def provenance(self, name: str) -> str:
        """A record of what the results were made from."""
        return f"{self.root}/provenance/{name}"

    def source_record(self, source: str = "{source}") -> str:
        """Version, licence and checksums of a source."""
        return self.provenance(f"sources/{source}.json")

    def log(self, job: str) -> str:
        """What a job said; a job is named by its rule and its wildcards."""
        return f"{self.root}/logs/{job}.log"

    def benchmark(self, job: str) -> str:
        """Time and memory that a job took."""
        return f"{self.root}/benchmarks/{job}.tsv"
