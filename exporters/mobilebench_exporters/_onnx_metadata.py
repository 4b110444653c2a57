"""Remove from an ONNX model what tells of the machine that exported it.

PyTorch's exporter writes the stack trace of every operation into the file, with the paths of the
user's folders. An application would ship them, and the same network would make another file in
another folder.
"""

from __future__ import annotations

from typing import Any

KEPT = frozenset({"pkg.torch.onnx.name_scopes"})
"""Names of modules, by which `inspect` shows the layer of an operation."""


CLASSES = "pkg.torch.onnx.class_hierarchy"
"""Classes of modules, by which parts stay in floats; gone once a model is quantized."""


def strip(model: Any, *, classes: bool = False) -> None:
    """Remove all metadata but the names of modules from an `onnx_ir.Model`, in place.

    With `classes` the classes of modules stay too.
    """
    import onnx_ir

    names = KEPT | {CLASSES} if classes else KEPT

    model.metadata_props.clear()
    model.doc_string = None
    for graph in (model.graph, *model.functions.values()):
        graph.metadata_props.clear()
        graph.doc_string = None
        for tensor in (*graph.inputs, *getattr(graph, "initializers", {}).values()):
            _strip_value(tensor)
        for node in onnx_ir.traversal.RecursiveGraphIterator(graph):
            for key in [key for key in node.metadata_props if key not in names]:
                del node.metadata_props[key]
            node.doc_string = None
            for output in node.outputs:
                _strip_value(output)


def take_classes(model: Any) -> dict[str, str]:
    """Remove the classes of modules from an ONNX protobuf, and return them by node."""
    classes = {}
    for node in model.graph.node:
        for entry in [entry for entry in node.metadata_props if entry.key == CLASSES]:
            classes[node.name] = entry.value
            node.metadata_props.remove(entry)
    return classes


def _strip_value(tensor: Any) -> None:
    tensor.metadata_props.clear()
    tensor.doc_string = None
