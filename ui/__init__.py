"""The chat window: conversation left, article right, every citation one click from its sentence."""

WORKER = "pincite-worker"  # name of the threads that answer questions: the end of the process waits for them
