"""A launcher for the CUDA kernels that needs no GPU."""
