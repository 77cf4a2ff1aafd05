"""How long the work takes on the card: `make gpu`, or `python -m pullfocus.benchmarks.gpu`."""
