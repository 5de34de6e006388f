"""The function that classifies and assigns tickets and starts their closing workflow (F2, F4).

The table's stream invokes `handler`; `consumer` acts on each record. `agent_selection`
is pure; `routing` carries out the decisions through the command service;
`mood` asks whether a customer is upset; `closing_workflow` starts and wakes the Step Functions
executions.

May import `functions.core`.
"""
