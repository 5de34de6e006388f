"""The pages as people see them: Debian's Chromium, driven by Playwright, on the running system."""
