"""The service as a device of PennyLane:

device = QstillDevice(wires=2)                   # exact; shots=1000 samples
@qml.qnode(device)
def circuit(x): ...
"""

from qstill.pennylane.device import QstillDevice

__all__ = ["QstillDevice"]
