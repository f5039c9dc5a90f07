"""Readers: from a file to the documents in it. One file a format; content decides, the name only where it must.

It does not know passages or the index. A reader yields documents, deletions and, for a part that can't be used,
the error that says where; the rest of the file is still read.
"""

from osler.knowledge.library.readers.registry import FORMATS, Item, files_under, read

__all__ = ["FORMATS", "Item", "files_under", "read"]
