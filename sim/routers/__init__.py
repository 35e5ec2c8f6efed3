"""Routers: which of the models that fit gets a task.

A rule is a frozen class with one method, ``pick``; to add one, write such a class, and name it in
``Router`` and in ``ROUTERS``. A router is only ever offered models that serve the intent, meet the
requirements, are up, have room, and quote no more than the task's limit.
"""

from typing import Annotated

from pydantic import Field

from sim.routers.custom import Python
from sim.routers.learning import Bandit, MarketShare
from sim.routers.pairs import Cascade, Split, Threshold, judge_of
from sim.routers.plain import Oracle, Random, Single, Weighted
from sim.routers.pool import Lesson, MarketPool, Pool
from sim.routers.price import Cheapest, CheapestList, InversePower
from sim.routers.quality import Leaderboard, Logit, QualityFloor, WillingnessToPay
from sim.routers.scoring import ScorePerPrice, WeightedScore
from sim.routers.similar import Cluster, Knn
from sim.routers.speed import Fastest, LeastBusy

__all__ = [
    "LEARNERS", "MARKET_ROUTERS", "ROUTERS", "Bandit", "Cascade", "Cheapest",
    "CheapestList", "Cluster", "Fastest", "InversePower", "Knn", "Leaderboard", "LeastBusy",
    "Lesson", "Logit", "MarketPool", "MarketShare", "Oracle", "Pool", "Python", "QualityFloor",
    "Random", "Router", "ScorePerPrice", "Single", "Split", "Threshold", "Weighted",
    "WeightedScore", "WillingnessToPay", "judge_of",
]  # fmt: skip

Router = Annotated[
    Leaderboard
    | Cheapest
    | QualityFloor
    | WillingnessToPay
    | Logit
    | Random
    | InversePower
    | Threshold
    | Single
    | Weighted
    | CheapestList
    | Fastest
    | LeastBusy
    | WeightedScore
    | ScorePerPrice
    | Cascade
    | Split
    | Bandit
    | MarketShare
    | Knn
    | Cluster
    | Oracle
    | Python,
    Field(discriminator="kind"),
]
ROUTERS = {
    "leaderboard": Leaderboard,
    "cheapest": Cheapest,
    "quality-floor": QualityFloor,
    "willingness-to-pay": WillingnessToPay,
    "logit": Logit,
    "random": Random,
    "inverse-power": InversePower,
    "threshold": Threshold,
    "single": Single,
    "weighted": Weighted,
    "cheapest-list": CheapestList,
    "fastest": Fastest,
    "least-busy": LeastBusy,
    "weighted-score": WeightedScore,
    "score-per-price": ScorePerPrice,
    "cascade": Cascade,
    "split": Split,
    "bandit": Bandit,
    "market-share": MarketShare,
    "knn": Knn,
    "cluster": Cluster,
    "oracle": Oracle,
    "python": Python,
}
MARKET_ROUTERS = {"least-busy": "queues", "market-share": "what was spent when"}
"""Those that need a market that runs, and what they look at there; a table has none of it."""
LEARNERS = ("bandit", "knn", "cluster", "python")
"""Those that are told of verdicts."""
