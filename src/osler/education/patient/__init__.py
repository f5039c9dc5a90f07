"""A patient to practise with: answers from a script alone, and a score with what an expert would have asked."""

from osler.education.patient.exam import Interview, Marked, Opinion, mark
from osler.education.patient.patient import Reply, VirtualPatient
from osler.education.patient.script import Fact, Script, read_script

__all__ = ["Fact", "Interview", "Marked", "Opinion", "Reply", "Script", "VirtualPatient", "mark", "read_script"]
