"""PPO for discrete actions in one file, with the usual command line:

    python ppo.py --seed 1 --env-id CartPole-v1 --total-timesteps 20000

It prints a line for each training episode. Schulman et al. 2017, with generalised advantages (Schulman et al. 2016).
"""

import argparse
import random
from dataclasses import dataclass

import gymnasium
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical


@dataclass
class Batch:
    """What one rollout saw; every tensor is (n_steps, n_envs, ...)."""

    observations: torch.Tensor
    actions: torch.Tensor
    log_probs: torch.Tensor
    advantages: torch.Tensor
    targets: torch.Tensor


class Agent(nn.Module):
    """A policy and a value, each with two hidden layers of 64."""

    def __init__(self, n_inputs: int, n_actions: int) -> None:
        super().__init__()
        self.policy = mlp(n_inputs, n_actions, gain=0.01)
        self.value = mlp(n_inputs, 1, gain=1.0)

    def forward(self, observations: torch.Tensor) -> tuple[Categorical, torch.Tensor]:
        return Categorical(logits=self.policy(observations)), self.value(observations).squeeze(-1)


def mlp(n_inputs: int, n_outputs: int, gain: float) -> nn.Sequential:
    """Orthogonal weights; the last layer scaled by `gain`."""
    layers: list[nn.Module] = []
    for width, scale in ((64, 2**0.5), (64, 2**0.5), (n_outputs, gain)):
        layer = nn.Linear(n_inputs, width)
        nn.init.orthogonal_(layer.weight, scale)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.Tanh()]
        n_inputs = width
    return nn.Sequential(*layers[:-1])


class Rollouts:
    """Several environments stepped in turn; each begins anew when its episode ends."""

    def __init__(self, env_id: str, n_envs: int, seed: int) -> None:
        self.envs = [gymnasium.make(env_id) for _ in range(n_envs)]
        self.observations = [env.reset(seed=1000 * seed + i)[0] for i, env in enumerate(self.envs)]
        self.returns = [0.0] * n_envs
        self.global_step = 0

    def step(self, actions: list[int], agent: Agent, gamma: float) -> tuple[list[float], list[bool]]:
        """Rewards and ends. Where only the clock ended an episode, its reward holds the value of what would follow."""
        rewards, ends = [], []
        for i, (env, action) in enumerate(zip(self.envs, actions, strict=True)):
            observation, reward, terminated, truncated, _ = env.step(action)
            self.global_step += 1
            self.returns[i] += float(reward)
            if truncated and not terminated:
                with torch.no_grad():
                    reward = float(reward) + gamma * float(agent.value(tensor(observation)))
            if terminated or truncated:
                print(f"global_step={self.global_step} episodic_return={self.returns[i]}")  # noqa: T201
                self.returns[i] = 0.0
                observation, _ = env.reset()
            self.observations[i] = observation
            rewards.append(float(reward))
            ends.append(terminated or truncated)
        return rewards, ends


def tensor(values: object) -> torch.Tensor:
    """In single precision."""
    return torch.as_tensor(np.asarray(values), dtype=torch.float32)


@torch.no_grad()
def collect(agent: Agent, rollouts: Rollouts, n_steps: int, gamma: float, gae_lambda: float) -> Batch:
    """`n_steps` in each environment, with advantages and value targets (n_steps, n_envs)."""
    seen = []
    for _ in range(n_steps):
        observations = tensor(rollouts.observations)
        policy, values = agent(observations)
        actions = policy.sample()
        rewards, ends = rollouts.step(actions.tolist(), agent, gamma)
        seen.append((observations, actions, policy.log_prob(actions), values, tensor(rewards), tensor(ends)))
    columns = (torch.stack(column) for column in zip(*seen, strict=True))
    observations, actions, log_probs, values, rewards, ends = columns
    following = agent(tensor(rollouts.observations))[1]
    advantages, advantage = torch.zeros_like(rewards), torch.zeros_like(following)
    for t in reversed(range(n_steps)):
        error = rewards[t] + gamma * following * (1 - ends[t]) - values[t]
        advantage = error + gamma * gae_lambda * (1 - ends[t]) * advantage
        advantages[t], following = advantage, values[t]
    return Batch(observations, actions, log_probs, advantages, advantages + values)


def improve(agent: Agent, optimizer: torch.optim.Optimizer, batch: Batch, args: argparse.Namespace) -> None:
    """Some epochs over the rollout, in minibatches."""
    flat = [column.flatten(0, 1) for column in vars(batch).values()]
    n_samples = len(flat[0])
    for _ in range(args.epochs):
        for index in torch.randperm(n_samples).chunk(n_samples // args.minibatch_size):
            observations, actions, log_probs, advantages, targets = (column[index] for column in flat)
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
            policy, values = agent(observations)
            ratio = (policy.log_prob(actions) - log_probs).exp()
            clipped = ratio.clamp(1 - args.clip, 1 + args.clip)
            gain = torch.min(ratio * advantages, clipped * advantages).mean() + args.ent_coef * policy.entropy().mean()
            loss = 0.5 * (values - targets).square().mean() - gain
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--env-id", default="CartPole-v1")
    parser.add_argument("--total-timesteps", type=int, default=20_000)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--gae-lambda", type=float, default=0.95)
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--clip", type=float, default=0.2)
    parser.add_argument("--ent-coef", type=float, default=0.0)
    parser.add_argument("--n-envs", type=int, default=4)
    parser.add_argument("--n-steps", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--minibatch-size", type=int, default=64)
    return parser.parse_args()


def main() -> None:
    """Trains; the learning rate falls to 0."""
    args = arguments()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    rollouts = Rollouts(args.env_id, args.n_envs, args.seed)
    space = rollouts.envs[0]
    agent = Agent(int(np.prod(space.observation_space.shape)), int(space.action_space.n))
    optimizer = torch.optim.Adam(agent.parameters(), args.learning_rate, eps=1e-5)
    while rollouts.global_step < args.total_timesteps:
        optimizer.param_groups[0]["lr"] = args.learning_rate * (1 - rollouts.global_step / args.total_timesteps)
        improve(agent, optimizer, collect(agent, rollouts, args.n_steps, args.gamma, args.gae_lambda), args)


if __name__ == "__main__":
    main()
