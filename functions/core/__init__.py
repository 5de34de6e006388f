"""What every room speaks: tickets, events, playbooks, business time, privacy, the store.

Nothing here imports a room, Lambda or Chalice. Rules are pure: time is passed in, nothing is read
from the environment. Input and output stand in `py` (DynamoDB) and `aws.py` (clients) alone.
"""
