"""Pruning and quantisation, set beside distillation: functions from a network or an ONNX file to a smaller one."""
