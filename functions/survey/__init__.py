"""The tasks of the closing workflow: survey, quality review and archive (F4, A13).

`infra/templates/closing.asl.json` defines the Step Functions workflow. `handler` has one Lambda
function for each task, `tasks` the waiting ones, `archive` the last. The rules on how a workflow
continues are in `functions.core.domain.closing`, since the router needs them too.

May import `functions.core`.
"""
