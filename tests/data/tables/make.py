"""Makes the samples beside it, with stable-baselines3 2.9.2, pandas 3.1.1 and pyarrow 26.0.1:

    python tests/data/tables/make.py


progress/a2c_seed_0/progress.csv, ...: what stable-baselines3's CSV logger writes, one file a run, names of its own.
The others hold the same returns as pandas writes them: tidy.csv.gz, tidy.jsonl, records.json, tidy.parquet (algo, run,
timesteps, return) and wide.csv (a row per run, a column per agent).
"""

from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
AGENTS = {"a2c": {}, "a2c_short": {"n_steps": 8}}
SEEDS = (0, 1, 2)


def train(agent: str, seed: int) -> pd.DataFrame:
    """One short run with the CSV logger; its learning curve."""
    from stable_baselines3 import A2C
    from stable_baselines3.common.logger import configure

    folder = HERE / "progress" / f"{agent}_seed_{seed}"
    model = A2C("MlpPolicy", "CartPole-v1", seed=seed, **AGENTS[agent])
    model.set_logger(configure(str(folder), ["csv"]))
    model.learn(3_000, log_interval=100 if agent == "a2c" else 60)
    log = pd.read_csv(folder / "progress.csv")
    curve = log[["time/total_timesteps", "rollout/ep_rew_mean"]].dropna()
    return pd.DataFrame(
        {"algo": agent, "run": seed, "timesteps": curve.iloc[:, 0].to_numpy(), "return": curve.iloc[:, 1].to_numpy()}
    )


def main() -> None:
    """Trains six runs of 3,000 steps and writes every sample."""
    tidy = pd.concat([train(agent, seed) for agent in AGENTS for seed in SEEDS], ignore_index=True)
    tidy.to_csv(HERE / "tidy.csv.gz", index=False, compression={"method": "gzip", "mtime": 0})
    tidy.to_json(HERE / "tidy.jsonl", orient="records", lines=True, double_precision=15)
    tidy.to_json(HERE / "records.json", orient="records", double_precision=15)
    tidy.to_parquet(HERE / "tidy.parquet")
    last = tidy.groupby(["algo", "run"])["return"].last().unstack("algo")
    last.rename_axis(index="seed").to_csv(HERE / "wide.csv")


if __name__ == "__main__":
    main()
