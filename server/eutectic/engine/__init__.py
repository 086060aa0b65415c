"""The engine: everything that computes with torch.

Read down the imports: `engine` (the whole job) uses `model`, `codec`, `learn`, `store`; those
use `fusion`, it `inversion`, it `sample`, it `steps`, `schedule`, `noise` and `denoiser`.
"""
