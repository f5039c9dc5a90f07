"""The changes of the audit of robustness, one file each."""
