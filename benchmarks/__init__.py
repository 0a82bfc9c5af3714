"""What Exemplar costs, measured beside a peer or a bare baseline in the same run: `python -m benchmarks`."""
