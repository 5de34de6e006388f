"""The function that asks a desk's language model, and nothing else does.

`prompts` composes what is sent, from masked text alone; `adapters` has one class for each protocol;
`asking` reserves the budget, asks, and records the use. What comes back is a draft for a person: no
function sends it to a customer.

May import `functions.core`.
"""
