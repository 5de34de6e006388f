"""Words out: what a desk says to its customers and teams, and how it gets there (F2, A4, A8, A12).

`handler` is fed by the table's stream with commits and with deliveries whose next attempt is due.
`core.compose` says who is told what, in which words; `mail` (pure) makes a mail of them;
`dispatch` claims, sends and marks each delivery, once, `hooks` those to other systems (G5),
`outcomes` writes down what came of it; `deliver/` speaks to SES, SNS, endpoints and the chat
channels' providers and sorts their failures; `contact` opens the sealed contact. This is the only
room that may open it (G4): what it opens is neither logged nor stored. `texts` and `templates/`
hold what a mail says around the playbook's own words.
"""
