"""What things are made with: one frozen dataclass a section of the configuration.

The ground floor of the library: it imports nothing of it and nothing heavy. The library takes these
objects whole. A class says what it is by class variables (its module, what it reads and gives), so
that nobody has to ask for its name.
"""

from diffsym.settings.base import Section, as_plain, rebuilt, settings_of, values_of

__all__ = ["Section", "as_plain", "rebuilt", "settings_of", "values_of"]
