"""The ways out, one module each, and what their failures mean for a message (`failures`)."""
