"""Makes score dictionaries as rliable 1.2's README has them (algorithm -> runs x tasks), as .npz and JSON; drawn.

rliable has no file format of its own: scores.npz is the dictionary through numpy.savez, matrix.json and games.json are
the two shapes in which the scores of Atari 100k are passed on, and CURL.json and SPR.json a file for each algorithm.
"""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
GAMES = ("Alien", "Pong", "Qbert")


def main() -> None:
    rng = np.random.default_rng(0)
    level = np.array([600.0, -5.0, 2000.0])
    scores = {
        name: (level + rng.normal(shift, [90, 4, 400], (n, 3))).round(2)
        for name, shift, n in (("CURL", 0, 6), ("SPR", 5, 5))
    }
    np.savez_compressed(HERE / "scores.npz", **scores)
    frames = {name: (scores[name][:, :, None] * np.array([0.3, 0.7, 1])).round(2) for name in scores}
    np.savez_compressed(HERE / "frames.npz", **frames)
    (HERE / "matrix.json").write_text(json.dumps({name: found.tolist() for name, found in scores.items()}))
    games = {name: dict(zip(GAMES, found.T.tolist(), strict=True)) for name, found in scores.items()}
    (HERE / "games.json").write_text(json.dumps(games))
    for name, found in games.items():
        (HERE / f"{name}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
