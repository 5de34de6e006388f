"""What comes in: mails as they are, signatures, what of a mail is new."""
