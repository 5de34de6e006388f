"""The customers' pages and API: the form, status, messages, confirmation, survey (F6, A16, H1).

`handler` holds the routes and `calls` the code behind the API's. `access` checks who may see a
ticket; `status` builds the customer's view of it, which contains masked text only (G4), and
`status_page` renders that view, which `sentences` sums up. `pages` are the other pages, found by
`routing`; each gets a `page.CustomerPage`. `submissions` and `files` take in messages, answers and
attachments.

May import `functions.core`.
"""
