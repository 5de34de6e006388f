"""The whole system as processes: the emulator, HTTP, SMTP, the console. Slow; one group."""
