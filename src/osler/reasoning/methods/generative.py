from osler.reasoning.cited import cited_request, parsed, schema

__all__ = ["cited_request", "parsed", "schema"]
