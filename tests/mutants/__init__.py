"""Mutated account folders: what is changed (`mutations`), what must hold (`examine`), the command (`__main__`)."""
