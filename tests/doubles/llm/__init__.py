"""The scripted model, asked over HTTP as Letta asks it."""
