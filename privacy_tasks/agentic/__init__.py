"""The agentic family: an agent has gathered what it needs and takes its final action."""
