"""What agents do and see: signing in, queues, tickets, actions, presence.

`handler.py` holds the routes, `authorizer.py` what API Gateway checks before them, `rights.py` who
may do what on which ticket, `queues.py` the lists, `view.py` what is shown, `actions.py` what is
done, `session.py` and `entering.py` the rest. The gateway checks the token; desk and role are
checked once more in here.
"""
