"""Where Deskbell runs: templates, policies, prices; what deploys, operates and measures it.

Everything here may import `functions`; nothing there imports this. `console.py` is the command,
`deploy.py` the three steps, `local/` what differs on a developer's machine, `measure/` what
`make bench` measures.
"""
