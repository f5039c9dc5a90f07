"""The methods that answer questions, one file each. `osler.reasoning.registry` finds them."""
