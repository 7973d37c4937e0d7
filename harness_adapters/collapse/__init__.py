"""Did it collapse? A base model against fine-tuned ones, beside standard benchmarks."""
