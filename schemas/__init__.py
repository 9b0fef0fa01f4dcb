"""What crosses a boundary: frozen structs for the wire and the configuration, and how they are read."""
