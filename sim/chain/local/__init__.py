"""A chain for other people's clients: every contract, Uniswap, x402's fixed addresses, miners."""

from sim.chain.local.contracts import Contracts, authority, deploy_all
from sim.chain.local.document import Document, load_document
from sim.chain.local.jobs import Funded, Jobs, Settling
from sim.chain.local.miners import (
    Miner,
    Registration,
    catalog_miners,
    model_miners,
    register,
    register_missing,
)

__all__ = [
    "Contracts",
    "Document",
    "Funded",
    "Jobs",
    "Miner",
    "Registration",
    "Settling",
    "authority",
    "catalog_miners",
    "deploy_all",
    "load_document",
    "model_miners",
    "register",
    "register_missing",
]
