"""Other ways to blur a video by depth, measured beside ours on the same frames; docs/benchmark_peers.md says how."""
