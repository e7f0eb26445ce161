# Proximal policy optimization and a soft actor-critic's squashed actions, as single-file implementations write them.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Beta, Categorical, Independent, Normal, TransformedDistribution, kl_divergence
from torch.distributions.transforms import TanhTransform

rng = np.random.RandomState(0)


def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
    torch.nn.init.normal_(layer.weight, 0.0, std / 4)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(4, 16)), nn.Tanh(), layer_init(nn.Linear(16, 1), std=1.0))
        self.actor = nn.Sequential(layer_init(nn.Linear(4, 16)), nn.Tanh(), layer_init(nn.Linear(16, 2), std=0.01))

    def get_value(self, x):
        return self.critic(x)

    def get_action_and_value(self, x, action=None):
        probs = Categorical(logits=self.actor(x))
        if action is None:
            action = probs.sample()
        return action, probs.log_prob(action), probs.entropy(), self.critic(x)


num_steps, num_envs, gamma, gae_lambda, clip_coef = 8, 4, 0.99, 0.95, 0.2
agent = Agent()
optimizer = optim.Adam(agent.parameters(), lr=2.5e-3, eps=1e-5)
obs = torch.zeros((num_steps, num_envs) + (4,))
actions, logprobs, rewards, dones, values = (torch.zeros((num_steps, num_envs)) for _ in range(5))
next_obs, next_done = torch.Tensor(rng.randn(num_envs, 4)), torch.zeros(num_envs)
for update in range(1, 3):
    optimizer.param_groups[0]["lr"] = (1.0 - (update - 1.0) / 2) * 2.5e-3
    for step in range(num_steps):
        obs[step], dones[step] = next_obs, next_done
        with torch.no_grad():
            action, logprob, _, value = agent.get_action_and_value(next_obs, (next_obs[:, 0] > 0).long())
            values[step] = value.flatten()
        actions[step], logprobs[step] = action, logprob
        reward, done = np.sign(next_obs.numpy()[:, 1]), np.array([False, False, step == 3, False])
        rewards[step] = torch.tensor(reward).view(-1)
        next_obs, next_done = torch.Tensor(rng.randn(num_envs, 4)), torch.Tensor(done)  # float64, bool -> float32
    with torch.no_grad():
        next_value = agent.get_value(next_obs).reshape(1, -1)
        advantages, lastgaelam = torch.zeros_like(rewards), 0
        for t in reversed(range(num_steps)):
            nextnonterminal = 1.0 - (next_done if t == num_steps - 1 else dones[t + 1])
            nextvalues = next_value if t == num_steps - 1 else values[t + 1]
            delta = rewards[t] + gamma * nextvalues * nextnonterminal - values[t]
            advantages[t] = lastgaelam = delta + gamma * gae_lambda * nextnonterminal * lastgaelam
        returns = advantages + values
    b_obs, b_actions, b_logprobs = obs.reshape((-1, 4)), actions.reshape(-1), logprobs.reshape(-1)
    b_advantages, b_returns, b_values = advantages.reshape(-1), returns.reshape(-1), values.reshape(-1)
    b_inds, clipfracs = np.arange(num_steps * num_envs), []
    for epoch in range(2):
        rng.shuffle(b_inds)
        for start in range(0, len(b_inds), 16):
            mb = b_inds[start : start + 16]
            _, newlogprob, entropy, newvalue = agent.get_action_and_value(b_obs[mb], b_actions.long()[mb])
            ratio = (newlogprob - b_logprobs[mb]).exp()
            with torch.no_grad():
                clipfracs += [((ratio - 1.0).abs() > clip_coef).float().mean().item()]
            adv = b_advantages[mb]
            adv = (adv - adv.mean()) / (adv.std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)).mean()
            v_loss = 0.5 * ((newvalue.view(-1) - b_returns[mb]) ** 2).mean()
            loss = pg_loss - 0.01 * entropy.mean() + v_loss * 0.5
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
    y_pred, y_true = b_values.cpu().numpy(), b_returns.cpu().numpy()
    explained_var = 1 - np.var(y_true - y_pred) / np.var(y_true)
    print(f"update {update}: loss {loss.item():.4f}, clipped {np.mean(clipfracs):.3f}, explained {explained_var:.3f}")


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc_mean, self.fc_logstd = nn.Linear(4, 16), nn.Linear(16, 2), nn.Linear(16, 2)
        self.register_buffer("action_scale", torch.tensor((np.ones(2) * 2.0 - -2.0) / 2.0, dtype=torch.float32))

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return self.fc_mean(x), -5 + 0.5 * 7 * (torch.tanh(self.fc_logstd(x)) + 1)

    def distribution(self, x):
        mean, log_std = self(x)
        return TransformedDistribution(Independent(Normal(mean, log_std.exp()), 1), [TanhTransform(cache_size=1)])


actor, qf1, qf1_target = Actor(), nn.Linear(6, 1), nn.Linear(6, 1)
qf1_target.load_state_dict(qf1.state_dict())
log_alpha = torch.zeros(1, requires_grad=True)
alpha_optimizer = optim.Adam([log_alpha], lr=1e-2)
actor_optimizer = optim.Adam(list(actor.parameters()), lr=1e-2)
for step in range(3):
    policy = actor.distribution(b_obs)
    mean, log_std = actor(b_obs)
    pi = policy.transforms[0](mean + log_std.exp() * torch.randn_like(mean))  # rsample, with noise of the program's own
    log_pi = policy.log_prob(pi)
    actor_loss = (log_alpha.exp().item() * log_pi - qf1(torch.cat([b_obs, pi * actor.action_scale], 1)).squeeze(-1)).mean()
    actor_optimizer.zero_grad()
    actor_loss.backward()
    actor_optimizer.step()
    alpha_loss = (-log_alpha.exp() * (log_pi.detach() + -2)).mean()
    alpha_optimizer.zero_grad()
    alpha_loss.backward()
    alpha_optimizer.step()
    for param, target_param in zip(qf1.parameters(), qf1_target.parameters()):
        target_param.data.copy_(0.005 * param.data + (1 - 0.005) * target_param.data)
    print(f"actor {actor_loss:.4f}" if not actor_loss.requires_grad else actor_loss, alpha_loss.item(), log_alpha)
print(policy.batch_shape, policy.event_shape, policy.rsample().shape)

beta = Beta(torch.tensor([2.0, 3.0]), torch.tensor([1.0, 4.0]))
print(beta, beta.mean, beta.log_prob(torch.tensor([0.3, 0.4])), beta.entropy())
print(kl_divergence(beta, Beta(torch.ones(2), torch.ones(2))))
