"""The service as Qiskit knows backends and primitives. One line of a program changes:

from qstill.qiskit import EstimatorV2, SamplerV2, QstillProvider

sampler = SamplerV2(noise="aria-1")          # as StatevectorSampler, BackendSamplerV2
estimator = EstimatorV2()                    # as StatevectorEstimator, BackendEstimatorV2
backend = QstillProvider().get_backend("aria-1")
"""

from qstill.qiskit.backend import BackendJob, QstillBackend, QstillProvider
from qstill.qiskit.estimator import EstimatorV2
from qstill.qiskit.sampler import SamplerV2

__all__ = ["BackendJob", "EstimatorV2", "QstillBackend", "QstillProvider", "SamplerV2"]
