"""Known answers: what theory says of a market, held against the market that Telex runs (law 10).

``case`` says what a case is, ``markets`` builds its scenarios, ``readings`` reads records; each
family of cases has a file: ``queues``, ``networks``, ``demand``, ``cascades``, ``learning``,
``settlement``; ``suite`` names them all and takes parameters from a user, ``verdict`` judges, and
``running`` runs them on many processes.
"""
