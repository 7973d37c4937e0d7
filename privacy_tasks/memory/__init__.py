"""The memory family: an assistant that remembers, and what it passes on."""
