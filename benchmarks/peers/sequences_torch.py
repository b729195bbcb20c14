"""The temporal network and DLinear in plain torch, each a training step on the same shapes."""

import math
import sys
from collections.abc import Callable

from benchmarks.timing import serve

BATCH, LOOKBACK, HORIZON, CHANNELS, TARGETS = 32, 90, 10, 2, [0]
HIDDEN, LAYERS, HEADS, WIDTH, ATTENTIONS = 32, 4, 4, 3, 2
INSTANTS, SERIES, AVERAGED = 96, 7, 25


def make_temporal(dropout: float, facts: dict) -> Callable[[], object]:
    """Return the step of the network: window norm, dilated convolutions, attentions, head, AdamW."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Convolution(nn.Module):
        def __init__(self, dilation: int):
            super().__init__()
            self.past = dilation * (WIDTH - 1)
            self.conv = nn.Conv1d(HIDDEN, HIDDEN, WIDTH, dilation=dilation)

        def forward(self, x):
            return functional.gelu(self.conv(functional.pad(x, (self.past, 0))), approximate="tanh") + x

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.queries, self.keys, self.values, self.out = (nn.Linear(HIDDEN, HIDDEN) for _ in range(4))
            self.register_buffer("future", torch.ones(LOOKBACK, LOOKBACK, dtype=torch.bool).triu(1))

        def forward(self, x):
            heads = (BATCH, LOOKBACK, HEADS, HIDDEN // HEADS)
            q, k, v = (f(x).view(heads).transpose(1, 2) for f in (self.queries, self.keys, self.values))
            scores = (q @ k.transpose(-2, -1) / math.sqrt(HIDDEN // HEADS)).masked_fill(self.future, -math.inf)
            weights = functional.dropout(scores.softmax(dim=-1), dropout)
            return self.out((weights @ v).transpose(1, 2).reshape(x.shape))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Linear(CHANNELS, HIDDEN)
            self.convolutions = nn.Sequential(*(Convolution(2**i) for i in range(LAYERS)))
            self.norm = nn.LayerNorm(HIDDEN)
            self.attentions = nn.ModuleList(Attention() for _ in range(ATTENTIONS))
            self.norms = nn.ModuleList(nn.LayerNorm(HIDDEN) for _ in range(ATTENTIONS))
            self.head = nn.Sequential(
                nn.Linear(HIDDEN, HIDDEN), nn.GELU(approximate="tanh"), nn.Linear(HIDDEN, HORIZON * len(TARGETS))
            )

        def forward(self, x):
            mean, deviation = x.mean(1, keepdim=True), (x.var(1, keepdim=True, correction=0) + 1e-5).sqrt()
            h = self.embedding((x - mean) / deviation)
            h = self.norm(self.convolutions(h.transpose(1, 2)).transpose(1, 2))
            for attention, norm in zip(self.attentions, self.norms, strict=True):
                h = h + functional.dropout(norm(attention(h)), dropout)
            y = self.head(h[:, -1]).view(BATCH, HORIZON, len(TARGETS))
            return y * deviation[..., TARGETS] + mean[..., TARGETS]

    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    return training_step(network, optimizer, (LOOKBACK, CHANNELS), (HORIZON, len(TARGETS)), facts)


def make_linear(facts: dict) -> Callable[[], object]:
    """Return the step of DLinear: a moving average with repeated ends, and a map of it and of the rest."""
    import torch
    from torch import nn

    class DLinear(nn.Module):
        def __init__(self):
            super().__init__()
            self.average = nn.AvgPool1d(AVERAGED, stride=1)
            self.trend, self.rest = nn.Linear(INSTANTS, INSTANTS), nn.Linear(INSTANTS, INSTANTS)

        def forward(self, x):
            ends = (AVERAGED - 1) // 2
            padded = torch.cat([x[:, :1].repeat(1, ends, 1), x, x[:, -1:].repeat(1, ends, 1)], dim=1)
            trend = self.average(padded.transpose(1, 2))
            return (self.trend(trend) + self.rest(x.transpose(1, 2) - trend)).transpose(1, 2)

    network = DLinear()
    shape = INSTANTS, SERIES
    return training_step(network, torch.optim.Adam(network.parameters(), lr=1e-3), shape, shape, facts)


def training_step(network, optimizer, before: tuple, after: tuple, facts: dict) -> Callable[[], object]:
    """Return forward, backward and update on random windows."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = torch.randn(BATCH, *before), torch.randn(BATCH, *after)
    facts |= {"parameters": sum(parameter.numel() for parameter in network.parameters())}

    def step():
        optimizer.zero_grad()
        (network(x) - y).square().mean().backward()
        optimizer.step()

    return step


MAKE = {
    "temporal": lambda facts: make_temporal(0.0, facts),
    "temporal-dropout": lambda facts: make_temporal(0.1, facts),
    "dlinear": make_linear,
}

if __name__ == "__main__":
    report: dict = {}
    serve(lambda: MAKE[sys.argv[1]](report), "torch", facts=report)
