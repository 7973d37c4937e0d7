"""Standard benchmarks as shipped, run by their real commands on data of our own."""
