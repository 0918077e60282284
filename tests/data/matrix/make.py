"""Makes small learning curves and finals with NumPy 2 (savetxt, save, savez): 6 seeds, 20 points; drawn values."""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def curves(rng: np.random.Generator, level: float) -> np.ndarray:
    """(6, 20): rising, with noise."""
    return (level * (1 - 0.8 ** np.arange(1, 21)) + rng.normal(0, level / 20, (6, 20))).round(3)


def main() -> None:
    rng = np.random.default_rng(0)
    ppo, sac = curves(rng, 100.0), curves(rng, 150.0)
    sac[5, 17:] = np.nan  # stopped early
    np.savetxt(HERE / "ppo_curves.txt.gz", ppo.T, fmt="%.3f")
    np.savetxt(HERE / "sac_curves.txt.gz", sac.T, fmt="%.3f")
    np.savetxt(HERE / "ppo_finals.txt", ppo[:, -1], fmt="%.3f", header="final returns of PPO")
    np.savetxt(HERE / "sac_finals.csv", sac[:, :1].T, fmt="%.3f", delimiter=",")
    np.save(HERE / "ppo.npy", ppo)
    np.savez(HERE / "both.npz", ppo=ppo, sac=sac)


if __name__ == "__main__":
    main()
