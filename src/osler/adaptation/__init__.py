"""From a general language model to a medical one: data, stages, gates, and the way back to serving."""
