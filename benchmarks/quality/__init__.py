"""All figures of quality in one command, `pullfocus bench quality`, and a gate that says which became worse."""
