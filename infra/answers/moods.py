"""Write the vectors of the examples of moods, after each change of them.

python -m infra.answers.moods
"""

from pathlib import Path

from functions.answers import encoder, mood


def main() -> None:
    embed = encoder.load()
    if embed is None:
        raise SystemExit("the encoder is not installed")
    path = Path(mood.__file__).with_name(mood.VECTORS)
    scaled = (embed(mood.shipped()) * mood.SCALE).round()
    path.write_bytes(scaled.astype("int8").tobytes())


if __name__ == "__main__":
    main()
