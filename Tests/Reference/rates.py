"""Learning rates by PyTorch's own schedulers, for the schedules that it has."""
import torch
from torch.optim import lr_scheduler


def length(value, records):
    """A length in steps: a number, or `N epochs`, which are over where the log has N passes behind it."""
    if not isinstance(value, str):
        return value
    epochs = int(value.split()[0])
    return sum(record.get("epoch", 0) < epochs for record in records)


def decay(optimizer, schedule, steps, warmup, records):
    """The schedule after the warm-up."""
    kind, rest, least = schedule.get("decay", "constant"), max(steps - warmup, 1), schedule.get("minimum", 0)
    if kind == "cosine":
        return lr_scheduler.CosineAnnealingLR(optimizer, rest, eta_min=least * optimizer.defaults["lr"])
    if kind == "linear":
        return lr_scheduler.LinearLR(optimizer, 1, least, rest)
    if kind == "polynomial" and not least:
        return lr_scheduler.PolynomialLR(optimizer, rest, schedule.get("power", 1))
    if kind == "step":
        milestones = [max(length(m, records) - warmup, 0) for m in schedule["milestones"]]
        return lr_scheduler.MultiStepLR(optimizer, milestones, schedule.get("gamma", 0.1))
    if kind == "constant":
        return lr_scheduler.ConstantLR(optimizer, 1, 0)
    if kind == "square_root":
        return lr_scheduler.LambdaLR(optimizer, lambda k: (max(warmup, 1) / max(k + warmup + 1, warmup, 1)) ** 0.5)
    return lr_scheduler.LambdaLR(optimizer, lambda k: least + (1 - least) * (1 - k / rest) ** schedule.get("power", 1))


def rates(stage, records):
    """The rate of each step of a finished stage."""
    schedule, steps, base = stage.get("schedule", {}), len(records), stage["learning_rate"]
    warmup, cooldown = length(schedule.get("warmup", 0), records), schedule.get("cooldown", 0) * len(records)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    parts, start = [decay(optimizer, schedule, steps, warmup, records)], schedule.get("warmup_start", 0)
    if warmup:
        for group in optimizer.param_groups:
            group["lr"] = base
        first = start + (1 - start) / warmup
        rise = lr_scheduler.LinearLR(optimizer, first, 1, max(warmup - 1, 1)) if warmup > 1 else lr_scheduler.ConstantLR(optimizer, 1, 0)
        parts = [rise] + parts
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, [warmup]) if warmup else parts[0]
    found = []
    for step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    if not cooldown:
        return found
    # PyTorch has no cool-down: from its start on, the rate that there was falls evenly.
    begin = steps - cooldown
    return [rate if step < begin else at(stage, begin, steps, warmup) * (steps - step) / cooldown for step, rate in enumerate(found)]


def at(stage, step, steps, warmup):
    """The rate where a cool-down begins, perhaps between two steps."""
    kind, base = stage["schedule"].get("decay", "constant"), stage["learning_rate"]
    if kind == "square_root":
        return base * (max(warmup, 1) / max(step + 1, warmup, 1)) ** 0.5
    if kind != "constant":
        raise SystemExit(f"not repeated here: a cool-down after {kind}")
    return base
