"""The terminal: what people see of a run, a score or a change where they type; Rich renderables and plain rows."""
