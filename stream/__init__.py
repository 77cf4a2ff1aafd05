"""Frames in time: sources, stages, sinks, the pipeline that joins them, and the command line."""
