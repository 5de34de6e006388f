"""The function that sends a desk's messages to customers, teams and webhooks (F2, A4, A8, A12, G5).

The table's stream invokes `handler` with commits and with deliveries whose next attempt is due;
`wiring` builds its dependencies.
`core.services.composing` selects the notifications, and `preparing` there renders them; `dispatch`
claims, sends and records each delivery once, and `webhook_dispatch` those to other systems, both on
`base_dispatch`. `sending` and `mail` build what goes out; `deliver/` calls SES, SNS, endpoints and
chat providers and classifies their failures; `texts` and `templates/` hold the text around a
playbook's own. `contact` opens the sealed contact. This is the only function that may open it (G4);
it neither logs nor stores what it opens.

May import `functions.core`.
"""
