"""The whole system in real processes: the emulator, HTTP, SMTP, the console."""
