from torch import nn


def make():
    net = nn.Linear(24000, 24000, bias=False, device="meta").to_empty(device="cpu")  # 2.3 GB
    net.weight.data.fill_(1e-4)
    return net
