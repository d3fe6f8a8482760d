"""The guard: whether this actor may do this, here."""
