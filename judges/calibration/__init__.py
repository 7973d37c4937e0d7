"""How often a judge is wrong: gold cases, what a judge makes of them, and what follows."""
