"""A model of the user's own labelled pictures: data, leaks, training, its card, and what it says of a new picture."""
