"""The agents' pages (H3). A module is the pages below the address of its name (`routing`)."""
