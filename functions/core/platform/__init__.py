"""The runtime of the functions: AWS clients, HTTP, the table's stream, dead letters, settings,
logging, the clock and the wiring of dependencies.

This is the top of core: it may import everything in `functions.core`, and nothing else in core may
import it.
"""
