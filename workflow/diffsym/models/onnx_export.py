"""Trained networks as graphs of ONNX, which run without Keras."""

import tempfile
from pathlib import Path

import onnx

from diffsym.errors import DiffsymError
from diffsym.identification.ensembles import INPUT, PROBABILITIES
from diffsym.keras_backend import keras
from diffsym.models.networks import predicts_volumes

LN_VOLUME = "ln_volume"


def as_onnx(model: keras.Model) -> bytes:
    """The same network as a graph of ONNX.

    Parameters
    ----------
    model
        Takes (batch, m) vectors; images are resized by an operation that ONNX has not.

    Returns
    -------
    bytes
        A graph with the input `descriptor`, (batch, m) float32, and the outputs `probabilities`,
        and `ln_volume` where the network has a second one. Equal networks give equal bytes.

    Raises
    ------
    DiffsymError
        If Keras runs on another backend than TensorFlow, through which it exports.
    """
    if keras.backend.backend() != "tensorflow":
        raise DiffsymError(
            f"KERAS_BACKEND: networks are exported by TensorFlow alone and not by "
            f"{keras.backend.backend()}; unset it and make the pack again"
        )
    size = model.inputs[0].shape[1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.onnx")
        model.export(
            path,
            format="onnx",
            verbose=False,
            input_signature=[keras.InputSpec(shape=(None, size), dtype="float32")],
        )
        graph = onnx.load(path)
    outputs = [PROBABILITIES, LN_VOLUME] if predicts_volumes(model) else [PROBABILITIES]
    return _canonical(graph, outputs).SerializeToString(deterministic=True)


def _canonical(model: onnx.ModelProto, outputs: list[str]) -> onnx.ModelProto:
    """Names of our own for input and outputs, numbers for all else, in the order of their use.

    Names and order that TensorFlow and tf2onnx give differ from process to process.
    """
    graph = model.graph
    nodes = _in_order_of_use(graph)
    used = dict.fromkeys(name for node in nodes for name in node.input)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    tensors = [weights[name] for name in used if name in weights]
    names = {graph.input[0].name: INPUT}
    names |= {value.name: name for value, name in zip(graph.output, outputs, strict=True)}
    for name in [*used, *(name for node in nodes for name in node.output)]:
        # An input that is left out has no name.
        names.setdefault(name, name and f"value_{len(names)}")
    for tensor in tensors:
        tensor.name = names[tensor.name]
    for number, node in enumerate(nodes):
        node.name, node.doc_string = f"{node.op_type}_{number}", ""
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
        node.attribute.sort(key=lambda attribute: attribute.name)
    for value in [*graph.input, *graph.output]:
        value.name = names[value.name]
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    opset = onnx.OperatorSetIdProto(domain="", version=_version(model))
    ordered = onnx.helper.make_graph(nodes, "network", graph.input, graph.output, tensors)
    return onnx.helper.make_model(
        ordered, opset_imports=[opset], ir_version=model.ir_version, producer_name="diffsym"
    )


def _in_order_of_use(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Nodes that the outputs need, each after those that it needs itself."""
    makers = {name: node for node in graph.node for name in node.output}
    ordered: dict[str, onnx.NodeProto] = {}
    waiting = [makers[value.name] for value in reversed(graph.output)]
    while waiting:
        node = waiting[-1]
        needed = [makers[name] for name in node.input if name in makers]
        missing = [maker for maker in needed if maker.output[0] not in ordered]
        if missing:
            waiting.append(missing[0])
        else:
            ordered[waiting.pop().output[0]] = node
    return list(ordered.values())


def _version(model: onnx.ModelProto) -> int:
    """Version of ONNX's own operations that a graph is written in."""
    return next(int(one.version) for one in model.opset_import if not one.domain)
