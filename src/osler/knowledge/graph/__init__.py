"""The knowledge graph: terms, diseases, genes, drugs and headings, and what published sources say between them.

It knows no patient and makes no judgement: every edge is a row of a source that is named in it.
"""

from osler.knowledge.graph.graph import Graph, load_graph
from osler.knowledge.graph.nouns import Edge, Kind, Node, Path, SourceInfo

__all__ = ["Edge", "Graph", "Kind", "Node", "Path", "SourceInfo", "load_graph"]
