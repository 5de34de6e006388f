"""The training of the confidence curve from public questions (`python -m infra.answers.train`).

May import `functions`.
"""
