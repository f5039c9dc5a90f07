"""Text to ontology terms: names, context, measurements. It does not know what a finding means for a diagnosis."""
