"""What is said to whom, in which words, and that it is said once."""
