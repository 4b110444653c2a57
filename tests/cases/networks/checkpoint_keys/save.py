import my_model
import torch
from torch import nn


class Old(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.bn = nn.utils.weight_norm(nn.Conv2d(3, 8, 3)), nn.BatchNorm2d(8)


torch.save(my_model.wrapped().state_dict(), "wrapped.pth")
torch.save(Old().state_dict(), "old_weight_norm.pth")
torch.save(
    {k: v for k, v in my_model.make().state_dict().items() if "num_batches" not in k},
    "no_counts.pth",
)
torch.save({"_orig_mod." + k: v for k, v in my_model.make().state_dict().items()}, "compiled.pth")
torch.save({"net": my_model.make().state_dict(), "acc": 91.0}, "net.pth")
torch.jit.script(nn.Conv2d(3, 8, 3)).save("scripted.pt")
