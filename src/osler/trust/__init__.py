"""Trust: audits of models and answers; the replay of what the ledger holds."""
