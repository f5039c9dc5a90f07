"""One trainer a stage, of TRL (https://huggingface.co/docs/trl) over PEFT: what a recipe says, as their configuration.

It does not know where data comes from or what becomes of the weights.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from osler.adaptation.base import Base
from osler.adaptation.recipe import LEARNS, Recipe
from osler.errors import InputError

Row = dict[str, Any]


def trainer(recipe: Recipe, base: Base, rows: Sequence[Row], folder: Path, callbacks: Sequence[Any]) -> Any:
    """A trainer ready for `.train()`. `base.model`: with an adapter already, to go on with it."""
    import datasets
    import trl

    data = datasets.Dataset.from_list([_row(recipe, row, number) for number, row in enumerate(rows, 1)])
    shared = {"model": base.model, "train_dataset": data, "processing_class": base.tokenizer}
    shared["callbacks"] = list(callbacks)
    if recipe.lora is not None and not hasattr(base.model, "peft_config"):
        shared["peft_config"] = lora(recipe)
    about, length = _arguments(recipe, folder), recipe.training.length
    match recipe.stage:
        case "pretrain":
            args = trl.SFTConfig(**about, max_length=length, packing=True, packing_strategy="wrapped")
            return trl.SFTTrainer(args=args, **shared)
        case "instruct":
            about["train_sampling_strategy"] = "group_by_length"  # less padding
            return trl.SFTTrainer(args=trl.SFTConfig(**about, max_length=length, completion_only_loss=True), **shared)
        case "reward":
            shared["model"] = _scorer(base)
            return trl.RewardTrainer(args=trl.RewardConfig(**about, max_length=length), **shared)
        case "prefer":
            return trl.DPOTrainer(args=trl.DPOConfig(**about, max_length=length, beta=recipe.beta), **shared)
        case _:
            from osler.adaptation.rewards import rewards

            config = {"num_generations": recipe.answers, "max_completion_length": recipe.longest, "beta": recipe.beta}
            return trl.GRPOTrainer(args=trl.GRPOConfig(**about, **config), reward_funcs=rewards(), **shared)


def lora(recipe: Recipe) -> Any:
    import peft

    assert recipe.lora is not None
    return peft.LoraConfig(
        r=recipe.lora.rank,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=list(recipe.lora.targets),
        task_type="SEQ_CLS" if recipe.stage == "reward" else "CAUSAL_LM",
        modules_to_save=["score"] if recipe.stage == "reward" else None,
    )


def _arguments(recipe: Recipe, folder: Path) -> dict[str, Any]:
    import torch

    training, gpu = recipe.training, torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "num_train_epochs": training.epochs,
        "max_steps": training.steps,
        "learning_rate": training.learning_rate,
        "per_device_train_batch_size": training.batch,
        "gradient_accumulation_steps": training.accumulate,
        "warmup_steps": training.warmup,  # below 1: a share of all steps
        "lr_scheduler_type": "cosine",
        "seed": training.seed,
        "data_seed": training.seed,
        "save_steps": training.keep_every,
        "save_total_limit": 2,
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": not gpu,
        "bf16": gpu or _half(),
        "activation_checkpointing": gpu,
        "dataloader_pin_memory": gpu,
    }


def _half() -> bool:
    """Whether the processor multiplies in bfloat16 by itself (then a step takes three quarters of the time)."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        flags = next((line for line in lines if line.startswith("flags")), "")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _scorer(base: Base) -> Any:
    """The model with one score in place of the next token."""
    from transformers import AutoModelForSequenceClassification

    config = base.model.config
    config.num_labels, config.pad_token_id = 1, base.tokenizer.pad_token_id
    made = AutoModelForSequenceClassification.from_config(config)
    made.model.load_state_dict(base.model.model.state_dict())
    return made


def _row(recipe: Recipe, row: Row, number: int) -> Row:
    """What the stage's trainer wants of a row. Raises InputError naming a row of another kind."""
    reads: dict[str, Callable[[Row], Row]] = {"plain": _plain, "instruction": _instruction, "preference": _preference}
    kind = LEARNS[recipe.stage]
    try:
        made = reads[kind](row)
    except (KeyError, TypeError, IndexError):
        hint = "`osler adapt data` makes such rows."
        raise InputError(f"not a row of {kind} data", where=f"row {number}", hint=hint) from None
    if recipe.stage == "grpo":
        return {"prompt": made["prompt"], "check": row.get("check") or {}}
    return made


def _plain(row: Row) -> Row:
    return {"text": str(row["text"])}


def _instruction(row: Row) -> Row:
    *before, last = row["messages"]
    if last["role"] != "assistant" or not before:
        raise KeyError("assistant")
    return {"prompt": before, "completion": [last]}


def _preference(row: Row) -> Row:
    def turns(value: Any, role: str) -> Any:
        return value if isinstance(value, list) else [{"role": role, "content": str(value)}]

    return {
        "prompt": turns(row["prompt"], "user"),
        "chosen": turns(row["chosen"], "assistant"),
        "rejected": turns(row["rejected"], "assistant"),
    }
