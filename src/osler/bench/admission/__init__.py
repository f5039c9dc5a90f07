"""The admission test: what a model must show before it may write, and the privileges that follow."""
