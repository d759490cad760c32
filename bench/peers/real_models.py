"""Exports of models that people have, with what PyTorch computes of them: torchvision, timm, transformers, recurrent nets, scikit-learn.

For scripts/real-models.ts, which reads them. Weights are random; nothing is downloaded. Needs, besides requirements.txt:
    pip install torchvision timm transformers onnx onnxscript skl2onnx scikit-learn
    OMP_NUM_THREADS=1 python bench/peers/real_models.py FOLDER [NAME ...]
Writes FOLDER/NAME-EXPORTER.onnx and FOLDER/NAME.npz: inputs `x` (another batch than that of the export), targets `y`, `outputs` and `gradient:PARAMETER` of
the mean cross-entropy in float64, and `outputs32`, `gradient32` with the errors of PyTorch's own float32: the largest error of an output relative to the
largest output, and the norm of the gradient's error relative to its norm. Everything in evaluation mode, batch normalisation with statistics of random data.
"""
import copy
import logging
import pathlib
import sys
import time
import traceback
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

CLASSES, TOKENS, LENGTH = 10, 99, 12
EXPORTED, MEASURED = 2, 3


def torchvision_model(name, size=64, **options):
    import torchvision
    return lambda: (torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options), (3, size, size))


def timm_model(name, size=64, **options):
    import timm
    return lambda: (timm.create_model(name, pretrained=False, num_classes=CLASSES, **options), (3, size, size))


class Logits(nn.Module):
    """A model of transformers, from token ids to logits. Without a mask, causal ones look for packed sequences by an operator that the older exporter lacks."""

    def __init__(self, model, mask=False):
        super().__init__()
        self.model, self.mask = model, mask

    def forward(self, input_ids):
        masks = {"attention_mask": torch.ones_like(input_ids)} if self.mask else {}
        return self.model(input_ids=input_ids, **masks).logits


def transformer(kind, mask=False, **settings):
    def make():
        import transformers
        config, model = {
            "bert": ("BertConfig", "BertForSequenceClassification"), "distilbert": ("DistilBertConfig", "DistilBertForSequenceClassification"),
            "roberta": ("RobertaConfig", "RobertaForSequenceClassification"), "gpt2": ("GPT2Config", "GPT2LMHeadModel"),
            "llama": ("LlamaConfig", "LlamaForCausalLM"), "gpt-neox": ("GPTNeoXConfig", "GPTNeoXForCausalLM"), "t5": ("T5Config", "T5EncoderModel"),
            "deberta": ("DebertaV2Config", "DebertaV2ForSequenceClassification"), "albert": ("AlbertConfig", "AlbertForSequenceClassification"),
            "electra": ("ElectraConfig", "ElectraForSequenceClassification"), "qwen2": ("Qwen2Config", "Qwen2ForCausalLM"),
            "opt": ("OPTConfig", "OPTForCausalLM"), "phi": ("PhiConfig", "PhiForCausalLM"),
        }[kind]
        options = getattr(transformers, config)(vocab_size=TOKENS, **{"attn_implementation": "sdpa", "use_cache": False, **settings})
        return Logits(getattr(transformers, model)(options), mask), "tokens"
    return make


ENCODER = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=40, num_labels=CLASSES, pad_token_id=0)
DECODER = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64, max_position_embeddings=40)


class Recurrent(nn.Module):
    """Tokens to classes by two recurrent layers."""

    def __init__(self, layer, **options):
        super().__init__()
        self.tokens, self.layers = nn.Embedding(TOKENS, 12), layer(12, 16, num_layers=2, batch_first=True, **options)
        self.head = nn.Linear(16 * (2 if options.get("bidirectional") else 1), CLASSES)

    def forward(self, x):
        return self.head(self.layers(self.tokens(x))[0][:, -1])


def recurrent(layer, **options):
    return lambda: (Recurrent(layer, **options), "tokens")


MODELS = {
    "resnet18": lambda: torchvision_model("resnet18"), "resnet50": lambda: torchvision_model("resnet50"), "alexnet": lambda: torchvision_model("alexnet"),
    "vgg11_bn": lambda: torchvision_model("vgg11_bn"), "mobilenet_v2": lambda: torchvision_model("mobilenet_v2"),
    "mobilenet_v3_small": lambda: torchvision_model("mobilenet_v3_small"), "efficientnet_b0": lambda: torchvision_model("efficientnet_b0"),
    "densenet121": lambda: torchvision_model("densenet121"), "convnext_tiny": lambda: torchvision_model("convnext_tiny"),
    "vit_b_32": lambda: torchvision_model("vit_b_32", image_size=64), "swin_t": lambda: torchvision_model("swin_t"), "swin_v2_t": lambda: torchvision_model("swin_v2_t"),
    "squeezenet1_1": lambda: torchvision_model("squeezenet1_1"), "shufflenet_v2_x0_5": lambda: torchvision_model("shufflenet_v2_x0_5"),
    "mnasnet0_5": lambda: torchvision_model("mnasnet0_5"), "regnet_y_400mf": lambda: torchvision_model("regnet_y_400mf"),
    "googlenet": lambda: torchvision_model("googlenet", aux_logits=False, init_weights=False), "inception_v3": lambda: torchvision_model("inception_v3", 96, aux_logits=False, init_weights=False),
    "maxvit_t": lambda: torchvision_model("maxvit_t", 224),
    "timm-resnet10t": lambda: timm_model("resnet10t"), "timm-regnetx_002": lambda: timm_model("regnetx_002"), "timm-vit_tiny": lambda: timm_model("vit_tiny_patch16_224", img_size=64),
    "timm-deit3_small": lambda: timm_model("deit3_small_patch16_224", img_size=64), "timm-mixer_s32": lambda: timm_model("mixer_s32_224", img_size=64),
    "timm-convmixer": lambda: timm_model("convmixer_768_32", 32, depth=4), "timm-efficientnetv2_b0": lambda: timm_model("tf_efficientnetv2_b0"),
    "timm-eva02_tiny": lambda: timm_model("eva02_tiny_patch14_224", 56, img_size=56), "timm-resnetv2_50": lambda: timm_model("resnetv2_50"),
    "timm-nfnet": lambda: timm_model("dm_nfnet_f0"), "timm-coatnet": lambda: timm_model("coatnet_nano_rw_224", img_size=64),
    "timm-xcit": lambda: timm_model("xcit_nano_12_p16_224", img_size=64), "timm-poolformer": lambda: timm_model("poolformer_s12"), "timm-res2net": lambda: timm_model("res2net50_14w_8s"),
    "timm-ghostnet": lambda: timm_model("ghostnet_050"), "timm-swin": lambda: timm_model("swin_tiny_patch4_window7_224", 64, img_size=64, window_size=2),
    "bert": lambda: transformer("bert", **ENCODER), "bert-mask": lambda: transformer("bert", mask=True, **ENCODER), "bert-eager": lambda: transformer("bert", attn_implementation="eager", **ENCODER),
    "distilbert": lambda: transformer("distilbert", dim=32, n_layers=2, n_heads=2, hidden_dim=64, max_position_embeddings=40, num_labels=CLASSES),
    "roberta": lambda: transformer("roberta", **{**ENCODER, "pad_token_id": 1}), "electra": lambda: transformer("electra", embedding_size=16, **ENCODER),
    "albert": lambda: transformer("albert", embedding_size=16, **ENCODER), "deberta": lambda: transformer("deberta", relative_attention=True, pos_att_type=["p2c", "c2p"], attn_implementation="eager", **ENCODER),
    "gpt2": lambda: transformer("gpt2", mask=True, n_embd=32, n_layer=2, n_head=2, n_positions=40), "gpt2-eager": lambda: transformer("gpt2", mask=True, attn_implementation="eager", n_embd=32, n_layer=2, n_head=2, n_positions=40),
    "llama": lambda: transformer("llama", mask=True, **DECODER), "qwen2": lambda: transformer("qwen2", mask=True, **DECODER), "opt": lambda: transformer("opt", mask=True, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, ffn_dim=64, max_position_embeddings=40, word_embed_proj_dim=32),
    "gpt-neox": lambda: transformer("gpt-neox", mask=True, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=40),
    "lstm": lambda: recurrent(nn.LSTM), "lstm-bidirectional": lambda: recurrent(nn.LSTM, bidirectional=True), "gru": lambda: recurrent(nn.GRU), "rnn": lambda: recurrent(nn.RNN),
}


def random_data(kind, batch, generator):
    if kind == "tokens":
        return torch.randint(2, TOKENS, (batch, LENGTH), generator=generator)
    return torch.randn(batch, *kind, generator=generator)


def measure(model, x, y, dtype):
    """Outputs, and the gradient of the mean cross-entropy by name."""
    model = copy.deepcopy(model).to(dtype)
    outputs = model(x.to(dtype) if x.is_floating_point() else x)
    logits = outputs.flatten(0, -2)
    names, parameters = zip(*model.named_parameters())
    gradient = torch.autograd.grad(F.cross_entropy(logits, y.flatten()), parameters, allow_unused=True)
    return outputs.detach(), {name: g.detach() for name, g in zip(names, gradient) if g is not None}


def export(model, x, path, exporter):
    axes = {0: "batch"}
    if exporter == "tracer":
        # As docs/your-model.md says; `plain` is that of the newer exporter, `dynamo` and `default` are what people type.
        torch.onnx.export(model, (x,), path, dynamo=False, opset_version=17, do_constant_folding=False, input_names=["input"], output_names=["output"],
                          dynamic_axes={"input": axes, "output": axes}, training=torch.onnx.TrainingMode.PRESERVE)
    elif exporter == "default":
        torch.onnx.export(model, (x,), path, dynamo=False, input_names=["input"], output_names=["output"], dynamic_axes={"input": axes, "output": axes})
    else:
        torch.onnx.export(model, (x,), path, dynamo=True, optimize=exporter == "dynamo", input_names=["input"], output_names=["output"], dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=64)},), verbose=False)


def make(name, folder, exporters):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    model, kind = MODELS[name]()()
    if kind != "tokens":
        model.train()
        with torch.no_grad():
            for _ in range(3):
                model(random_data(kind, 8, generator))
    model.eval()
    example, x = random_data(kind, EXPORTED, generator), random_data(kind, MEASURED, generator)
    outputs, gradient = measure(model, x, y := torch.randint(0, CLASSES, model(x).shape[:-1], generator=generator), torch.float64)
    single, gradient_single = measure(model, x, y, torch.float32)
    norm = sum(g.square().sum() for g in gradient.values()).sqrt()
    arrays = {
        "x": x.numpy(), "y": y.numpy(), "outputs": outputs.numpy(),
        "outputs32": ((single - outputs).abs().max() / outputs.abs().max().clamp(min=1e-30)).item(),
        "gradient32": ((sum((gradient_single[k] - g).square().sum() for k, g in gradient.items())).sqrt() / norm).item(),
        **{f"gradient:{k}": g.numpy() for k, g in gradient.items()},
    }
    np.savez(folder / f"{name}.npz", **arrays)
    for exporter in exporters:
        started = time.time()
        try:
            export(copy.deepcopy(model), example, str(folder / f"{name}-{exporter}.onnx"), exporter)
            print(f"{name}-{exporter}: {time.time() - started:.1f} s", flush=True)
        except Exception as error:
            (folder / f"{name}-{exporter}.onnx").unlink(missing_ok=True)
            print(f"{name}-{exporter}: NOT EXPORTED: {type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}", flush=True)
            if "--trace" in sys.argv:
                traceback.print_exc()


def make_sklearn(folder):
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6)).astype(np.float32)
    labels = (x @ rng.standard_normal((6, 3))).argmax(1)
    mlp = dict(hidden_layer_sizes=(16, 8), max_iter=20, random_state=0)
    cases = {
        "sklearn-mlp": (MLPClassifier(activation="tanh", **mlp), labels), "sklearn-mlp-words": (MLPClassifier(**mlp), np.array(["a", "b", "c"])[labels]),
        "sklearn-mlp-binary": (MLPClassifier(activation="logistic", **mlp), labels > 0), "sklearn-mlp-regressor": (MLPRegressor(**mlp), x[:, 0] ** 2),
        "sklearn-mlp-scaled": (make_pipeline(StandardScaler(), MLPClassifier(**mlp)), labels), "sklearn-logistic": (LogisticRegression(), labels),
    }
    for name, (model, targets) in cases.items():
        model.fit(x, targets)
        probabilities = model.predict_proba(x[:MEASURED]) if hasattr(model, "predict_proba") else model.predict(x[:MEASURED])[:, None]
        y = np.unique(targets, return_inverse=True)[1][:MEASURED] if hasattr(model, "predict_proba") else targets[:MEASURED]
        np.savez(folder / f"{name}.npz", x=x[:MEASURED], y=y, probabilities=probabilities)
        for exporter, options in (("skl2onnx", {}), ("arrays", {"options": {"zipmap": False}})):
            if exporter == "arrays" and not hasattr(model, "predict_proba"):
                continue
            try:
                (folder / f"{name}-{exporter}.onnx").write_bytes(to_onnx(model, x[:1], **options).SerializeToString())
                print(f"{name}-{exporter}: written", flush=True)
            except Exception as error:
                print(f"{name}-{exporter}: NOT EXPORTED: {error}", flush=True)


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    arguments = [text for text in sys.argv[1:] if not text.startswith("--")]
    chosen = [text[len("--exporters="):].split(",") for text in sys.argv if text.startswith("--exporters=")]
    folder = pathlib.Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in arguments[1:] or [*MODELS, "sklearn"]:
        try:
            if name == "sklearn":
                make_sklearn(folder)
            else:
                make(name, folder, chosen[0] if chosen else ("tracer", "plain", "dynamo", "default"))
        except Exception as error:
            print(f"{name}: NOT MADE: {type(error).__name__}: {error}", flush=True)
            if "--trace" in sys.argv:
                traceback.print_exc()


main()
