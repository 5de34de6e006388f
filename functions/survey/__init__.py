"""The way out: survey, quality review, archive, as tasks of a Step Functions workflow (F4, A13).

`infra/templates/closing.asl.json` is the workflow; `steps` holds what its tasks do, `archive` where
the record goes. What a ticket's state means to a waiting step stands in
`functions.core.domain.closing`, since the router asks it too.
"""
