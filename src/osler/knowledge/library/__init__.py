"""The library: documents are read, cut into passages, indexed and searched by words and by meaning.

It knows documents and where each passage stands in them; it does not know what a finding or a disease is.
"""

from osler.knowledge.library.library import Library, Mode, open_library, run_queries
from osler.knowledge.library.store import Filters

__all__ = ["Filters", "Library", "Mode", "open_library", "run_queries"]
