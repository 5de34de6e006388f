"""What differs on a developer's machine, and nothing else: an emulator stands for AWS.

The three deployment steps are those of production. Here are only the emulator's process
(``emulator``), the two gaps that its deployment needs filled (``chalice_client``,
``streams``), and the doors of the local system: HTTP (``proxy``), SMTP (``mailbox``).
"""
