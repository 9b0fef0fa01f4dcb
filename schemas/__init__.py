"""What crosses a boundary: frozen structs for the wire and the configuration, and their readers."""
