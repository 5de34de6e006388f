"""What chat channels bring in: messages become tickets, wherever they were read."""
