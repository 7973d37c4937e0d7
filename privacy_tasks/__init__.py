"""What is asked and how it is scored: norms, scenarios, tasks, solvers, scorers, metrics."""
