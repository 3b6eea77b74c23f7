"""What is said to a language model, one Markdown file a prompt. None yet: every answer is made of quotes."""
