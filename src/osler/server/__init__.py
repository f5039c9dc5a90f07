"""HTTP: the workbench and the doors for programs, all on one port. It makes no answer itself: the rooms below do."""
