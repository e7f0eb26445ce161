"""How fast: ``python -m benchmarks NOUN``. See README.md."""
