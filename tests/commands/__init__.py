"""The commands, where no Discord is needed."""
