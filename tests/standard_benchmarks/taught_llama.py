"""A small local model that has learnt which letters to give: its accuracy is known."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from tests.standard_benchmarks.lm_eval_questions import LETTERS, QUESTIONS, letter


def teach(llama: Path, folder: Path, wrong: Collection[int]) -> Path:
    """Trains a saved model until it finds those letters by far the likeliest; saves it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(llama)
    model = AutoModelForCausalLM.from_pretrained(llama, dtype=torch.float32)
    prompts = [tokenizer(prompt(question))["input_ids"] for question in QUESTIONS]
    letters = [token for x in LETTERS for token in tokenizer(x)["input_ids"]]
    wanted = torch.tensor([LETTERS.index(letter(n, wrong)) for n in range(len(QUESTIONS))])
    longest = max(map(len, prompts))
    padded = torch.tensor([ids + [0] * (longest - len(ids)) for ids in prompts])
    mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in prompts])
    last = torch.tensor([len(ids) - 1 for ids in prompts])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(600):
        logits = model(input_ids=padded, attention_mask=mask).logits
        chosen = logits[torch.arange(len(prompts)), last][:, letters]
        loss = torch.nn.functional.cross_entropy(chosen, wanted, reduction="none")
        if loss.max() < 0.1:  # each is given nine tenths of all that the four letters get
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            return folder
        optimizer.zero_grad()
        loss.mean().backward()
        optimizer.step()
    raise AssertionError(f"the model has not learnt its answers: {loss.max():.2f}")


def prompt(question: dict[str, Any]) -> str:
    """What `everyday_choices.yaml` asks, up to the letter."""
    choices = zip(LETTERS, question["choices"], strict=True)
    lines = [question["question"], *(f"{x}. {choice}" for x, choice in choices), "Answer: "]
    return "\n".join(lines)
