# A character model with batch normalization, backward by hand, compared with autograd; then what training looks like.
import torch
import torch.nn.functional as F

words = "emma olivia ava isabella sophia charlotte mia amelia harper evelyn".split()
chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
itos = {i: s for s, i in stoi.items()}
vocab_size, block_size = len(itos), 3

N = torch.zeros((vocab_size, vocab_size), dtype=torch.int32)
for w in words:
    chs = ["."] + list(w) + ["."]
    for ch1, ch2 in zip(chs, chs[1:]):
        N[stoi[ch1], stoi[ch2]] += 1
P = (N + 1).float()
P /= P.sum(1, keepdim=True)
log_likelihood = 0.0
for ch1, ch2 in zip(".emma", "emma."):
    logprob = torch.log(P[stoi[ch1], stoi[ch2]])
    log_likelihood += logprob
    print(f"{ch1}{ch2}: {P[stoi[ch1], stoi[ch2]]:.4f} {logprob:.4f}")
nll = -log_likelihood
print(f"{nll=}", f"{nll / 5}")


def build_dataset(words):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            X.append(context)
            Y.append(stoi[ch])
            context = context[1:] + [stoi[ch]]
    X, Y = torch.tensor(X), torch.tensor(Y)
    print(X.shape, Y.shape)
    return X, Y


Xb, Yb = build_dataset(words)
n = Xb.shape[0]
g = torch.Generator().manual_seed(2147483647)
C = torch.randn((vocab_size, 10), generator=g)
W1 = torch.randn((30, 64), generator=g) * (5 / 3) / 30**0.5
b1 = torch.randn(64, generator=g) * 0.1
W2 = torch.randn((64, vocab_size), generator=g) * 0.1
b2 = torch.randn(vocab_size, generator=g) * 0.1
bngain = torch.randn((1, 64)) * 0.1 + 1.0
bnbias = torch.randn((1, 64)) * 0.1
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
print(sum(p.nelement() for p in parameters))
for p in parameters:
    p.requires_grad = True

emb = C[Xb]
embcat = emb.view(emb.shape[0], -1)
hprebn = embcat @ W1 + b1
bnmeani = 1 / n * hprebn.sum(0, keepdim=True)
bndiff = hprebn - bnmeani
bnvar = 1 / (n - 1) * (bndiff**2).sum(0, keepdim=True)
bnvar_inv = (bnvar + 1e-5) ** -0.5
bnraw = bndiff * bnvar_inv
hpreact = bngain * bnraw + bnbias
h = torch.tanh(hpreact)
logits = h @ W2 + b2
logit_maxes = logits.max(1, keepdim=True).values
counts = (logits - logit_maxes).exp()
counts_sum_inv = counts.sum(1, keepdims=True) ** -1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[range(n), Yb].mean()
for t in [logprobs, probs, counts, logits, h, hpreact, hprebn, embcat, emb]:
    t.retain_grad()
loss.backward()
print(loss, hpreact.sum(0)[:2], h.mean())

dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0 / n
dprobs = (1.0 / probs) * dlogprobs
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
dcounts = counts_sum_inv * dprobs
dcounts += torch.ones_like(counts) * (-(counts_sum_inv**2) * dcounts_sum_inv)
dnorm_logits = counts * dcounts
dlogits = dnorm_logits.clone()
dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * (-dnorm_logits).sum(1, keepdim=True)
dh = dlogits @ W2.T
dhpreact = (1.0 - h**2) * dh
dhprebn = bngain * bnvar_inv / n * (
    n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0)
)
dembcat = dhprebn @ W1.T
dC = torch.zeros_like(C)
for k in range(Xb.shape[0]):
    for j in range(Xb.shape[1]):
        dC[Xb[k, j]] += dembcat.view(emb.shape)[k, j]


def cmp(s, dt, t):
    maxdiff = (dt - t.grad).abs().max().item()
    print(f"{s:15s} | approximate: {str(torch.allclose(dt, t.grad, atol=1e-6)):5s} | {maxdiff < 1e-6}")


cmp("logprobs", dlogprobs, logprobs)
cmp("probs", dprobs, probs)
cmp("counts", dcounts, counts)
cmp("logits", dlogits, logits)
cmp("h", dh, h)
cmp("W2", h.T @ dlogits, W2)
cmp("b2", dlogits.sum(0), b2)
cmp("bngain", (bnraw * dhpreact).sum(0, keepdim=True), bngain)
cmp("hprebn", dhprebn, hprebn)
cmp("W1", embcat.T @ dhprebn, W1)
cmp("C", dC, C)

hist, edges = torch.histogram(h.detach(), density=True)
print(hist.shape, edges[:-1].shape, f"{hist.sum():.3f}")
print("Tanh: mean %+f, std %f, saturated: %.2f%%" % (h.detach().mean(), h.detach().std(), (h.abs() > 0.97).float().mean() * 100))
