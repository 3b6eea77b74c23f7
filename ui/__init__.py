"""The chat window: conversation left, article right, every citation one click from its sentence."""
