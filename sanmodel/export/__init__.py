"""From trained weights to the files that production runs: ONNX, TensorRT engine, manifest."""
