"""The assistant of a desk: it welcomes, answers, offers, and hands over to a person (C3–C6).

`dialogue` decides what is said next, `calls` are the HTTP calls, `engine` asks the function
`answers` which article a question is about, and `handing_over` makes a ticket of a chat.

May import `functions.core`.
"""
