"""Teaching from what can be checked: questions, virtual patients, cards and their scheduling."""
