"""What imitates a server: a Discord, a Letta REST API, an App Server, a language model.

Nothing in here imports Aurora, the sandbox or a test. Two things of Aurora's are known by their
words alone, because a model sees them: how her prompts are worded (`llm.answers`) and what two of
her tools are called (`llm.script`).
"""
