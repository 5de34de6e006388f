"""The agents' API: sign-in, queues, tickets, actions, presence.

`handler` holds the routes and `calls` the code behind them. API Gateway checks the token
(`authorizer`), `rights` the desk, the role and the ticket. `queues` lists tickets, `view` shows
one, `actions` carries out an action, `contacts` corrects a contact, `agent_create_ticket` creates
a ticket, `session` signs an agent in, and `unseal_client` invokes the function `unseal`.

May import `functions.core`.
"""
