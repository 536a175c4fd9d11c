"""Samplers: request in, decision with its reason out. Pure."""

from study_operator.samplers.bayesian import BayesianSampler, SamplerUnavailable
from study_operator.samplers.sampler import Observation, Sampler, Suggestion, SuggestionRequest
from study_operator.samplers.seeds import study_seed, trial_seed
from study_operator.samplers.sobol import SobolSampler

__all__ = [
    "BayesianSampler",
    "Observation",
    "Sampler",
    "SamplerUnavailable",
    "SobolSampler",
    "Suggestion",
    "SuggestionRequest",
    "study_seed",
    "trial_seed",
]
