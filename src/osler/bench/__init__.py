"""How good a model, a method or a part of Osler is on public data. It measures; it changes nothing that it measures."""
