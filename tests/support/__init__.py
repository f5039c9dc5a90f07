"""Helpers that tests share; nothing here ships."""
