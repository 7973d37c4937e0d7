"""Reading what the harnesses wrote."""
