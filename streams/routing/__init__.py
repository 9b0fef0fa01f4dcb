"""From incidents to notifications: who is told what, when, and why not. docs/ROUTING.md."""
