"""Draft reports that say nothing the record doesn't: facts of a record, ordered by a template, each with its source."""

from osler.clinic.reports.draft import draft
from osler.clinic.reports.kinds import Kind, kinds
from osler.clinic.reports.report import Report

__all__ = ["Kind", "Report", "draft", "kinds"]
