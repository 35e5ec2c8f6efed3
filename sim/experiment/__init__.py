"""Experiments: many runs of one market, and what their differences are worth.

``measuring`` runs once without a directory; ``jobs`` is one run among many and its row; ``workers``
and ``cluster`` say where jobs run, ``store`` keeps their rows, ``session`` joins the three. Upon
them stand ``replicate``, ``compare``, ``sweep``, ``tune``, ``sensitivity`` and ``capacity``.
Nothing is imported here, so that worker processes load what they run and no more.
"""
