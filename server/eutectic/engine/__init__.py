"""The engine: everything that computes with torch.

Read down the imports: `process` runs a `worker`, which has one `engine`; that uses `model`,
`codec`, `learn`, `store` and `fusion`, which uses `inversion`, then `sample`, then `steps`,
`schedule`, `noise` and `denoiser`.
"""
