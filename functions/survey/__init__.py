"""The way out: survey, quality review, archive, as tasks of a Step Functions workflow (F4, A13).

`infra/closing.asl.json` is the workflow; `steps` holds what its tasks do, `rules` what a ticket's
state means to a waiting step, `archive` where the record goes.
"""
