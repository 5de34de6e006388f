"""The table and the buckets, one module per entity.

`database.Storage` holds the entities of a deployment's table. `table` makes the calls to DynamoDB,
`items` and `event_codec` translate between entities and items, `files` keeps files in S3.

May import `domain`, `playbook` and `text`. Does not import boto3 or botocore at module level.
"""
