"""From the logs of either harness to a submission."""
