"""Tests of intake: mails, signatures, mail policy."""
