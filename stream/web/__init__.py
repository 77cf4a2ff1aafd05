"""The browser page of a live run: picture, controls and figures, for one user and a few screens."""
