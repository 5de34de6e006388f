"""Write the vectors of the examples of moods, after each change of them.

python -m infra.answers.moods
"""

from functions.answers import encoder, mood
from infra.deploy.steps import ROOT


def main() -> None:
    embed = encoder.load()
    if embed is None:
        raise SystemExit("the encoder is not installed")
    path = ROOT / "functions" / "answers" / "mood.f2"
    path.write_bytes(embed(mood.shipped()).astype("<f2").tobytes())


if __name__ == "__main__":
    main()
