"""Depth engines: a picture in, inverse depth out. `build.build(...)` makes the one asked for."""
