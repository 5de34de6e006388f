"""What differs on a developer's machine, and nothing else: an emulator stands for AWS.

The three deployment steps are those of production. Here are the emulator's process
(``emulator``) and the gaps of it that are filled (``chalice_client``, ``streams``, ``workflows``,
``workers``), the doors of the local system: HTTP (``proxy``), SMTP (``mailbox``), chat providers
(``providers``), and its people (``people``). ``inprocess`` runs every function in one process, for
tests and measurements.
"""
