"""What figures take: scores of a model on one set of entries, and how to name and group them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from diffsym.evaluation.scores import Part


class Task(NamedTuple):
    """What is classified. Only accuracies within one task can be compared.

    Attributes
    ----------
    data
        Name of the split, or of a set of measured patterns.
    classes
        Name of the class set, if experiments on the same data differ in it.
    """

    data: str
    classes: str | None = None

    def words(self, separator: str = ", ") -> str:
        """The task as text."""
        return separator.join(filter(None, self))


@dataclass(frozen=True, kw_only=True)
class View:
    """Scores of a model on one set of entries.

    Attributes
    ----------
    label
        What distinguishes the model from others with the same task.
    task
        What it classifies.
    part
        Its scores.
    """

    label: str
    task: Task
    part: Part

    @property
    def classes(self) -> list[int]:
        """Space groups that the model distinguishes."""
        return [group.space_group for group in self.part.per_class]


V = TypeVar("V", bound=View)


def by_task(views: Sequence[V]) -> dict[Task, list[V]]:
    """Views of each task, both in the order given."""
    grouped: dict[Task, list[V]] = {}
    for view in views:
        grouped.setdefault(view.task, []).append(view)
    return grouped
