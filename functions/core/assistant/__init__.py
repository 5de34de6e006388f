"""The assistant of a desk: it welcomes, answers, offers, and hands over to a person (C3–C6).

`turns` takes a customer's words on any channel, `dialogue` decides what is said next, `engine`
asks the function `answers` which article a question is about, `look_ups` the company's systems, and
`handing_over` makes a ticket of a chat.
"""
