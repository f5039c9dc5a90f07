"""What Osler knows: the library of passages, the graph of terms, concepts in text, and diagnosis from findings.

It knows nothing of any one patient beyond what it is asked about.
"""
