"""Small language models with random weights, in folders as `transformers` writes them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tokenizers
import torch
from tokenizers import models, pre_tokenizers, processors

from tests.testing.openai_server import byte_pairs
from workers.distillation.networks.pretrained.library import transformers

TEXTS = [f"The bear {number} eats {number * 7 % 13} apples; then it sleeps. " * 3 for number in range(24)]
CAUSAL, MASKED = ("gpt2", "llama"), ("bert",)


def tokenizer_for(kind: str) -> tokenizers.Tokenizer:
    """As models of the kind have them: GPT-2's without marks, Llama's with one before a text, BERT's with two."""
    if kind == "bert":
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "bear", "eats", "apples", ";", "then", "it", "."]
        made = tokenizers.Tokenizer(models.WordPiece({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
        made.normalizer, made.pre_tokenizer = tokenizers.normalizers.Lowercase(), pre_tokenizers.Whitespace()
        made.add_special_tokens(words[:5])
        marks = [("[CLS]", 2), ("[SEP]", 3)]
        made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
        return made
    made = byte_pairs(TEXTS, 300)
    if kind == "llama":
        made.add_special_tokens(["<s>"])
        begin = made.token_to_id("<s>")
        made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", begin)])
    return made


@cache
def language_files(kind: str) -> Mapping[str, bytes]:
    """The files of a folder, by their names: two layers, 16 wide."""
    library, made = transformers(), tokenizer_for(kind)
    sizes: dict[str, Any] = {"vocab_size": made.get_vocab_size(), "initializer_range": 0.4}
    with torch.random.fork_rng():
        torch.manual_seed(7)
        if kind == "gpt2":
            config = library.GPT2Config(
                n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=0, eos_token_id=0, **sizes
            )
            model = library.GPT2LMHeadModel(config)
        else:
            common = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
            common |= {"max_position_embeddings": 32}
            if kind == "llama":
                config = library.LlamaConfig(bos_token_id=made.token_to_id("<s>"), eos_token_id=0, **common, **sizes)
                model = library.LlamaForCausalLM(config)
            else:
                model = library.BertForMaskedLM(library.BertConfig(pad_token_id=0, **common, **sizes))
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        found = {name: (Path(folder) / name).read_bytes() for name in ("config.json", "model.safetensors")}
    found["tokenizer.json"] = made.to_str().encode()
    found["tokenizer_config.json"] = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}).encode()
    return found
