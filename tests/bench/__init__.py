"""Speed and memory, as ratios to something in the same run."""
