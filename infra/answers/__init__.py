"""The training of the confidence curve from public questions (`python -m infra.answers.train`), and
the vectors of the examples of moods (`python -m infra.answers.moods`).

May import `functions`.
"""
