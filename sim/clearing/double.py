"""The call market: every tick, all bids that wait meet all free slots, at one price."""

from sim.clearing.capacity import CapacityAuction, Ranked
from sim.models import Call, Endpoint, Terms


class DoubleAuction(CapacityAuction):
    """Bids wait as in an auction for slots, but for any slot that may serve them."""

    def _tick(self, _: None) -> None:
        self._tick_set = False
        waiting = self._waiting()
        pairs = self._match(waiting)
        if len(pairs) < len(waiting):
            self._set_tick()
        if not pairs:
            return
        price_micros = (pairs[-1][0].bid_micros + max(ask for _, _, ask in pairs)) // 2
        for call, model, ask_micros in pairs:
            self._trade(call, model, ask_micros, price_micros)

    def _waiting(self) -> list[Call]:
        """Who waits, anywhere; the highest bid first, of equals the earliest."""
        found: list[tuple[int, int, Call]] = []
        for model in self.pool.endpoints:
            assert isinstance(model.queue, Ranked)
            found += model.queue.live()
        return [call for _, _, call in sorted(found)]

    def _match(self, waiting: list[Call]) -> list[tuple[Call, Endpoint, int]]:
        """Calls, slots and asks, as long as every matched ask is within every matched bid."""
        ends = self.pool.endpoints
        free = {
            end.index: end.slots - len(end.serving)
            for end in ends
            if end.up and not end.limited and end.slots > len(end.serving)
        }
        pairs: list[tuple[Call, Endpoint, int]] = []
        dearest = 0
        for call in waiting:
            if not free or dearest > call.bid_micros:
                break
            asks = [
                (self._ask_micros(call.task, ends[model]), model)
                for model in self.pool.able(call.task, call.agent.group)
                if model in free
            ]
            ask_micros, model = min(asks, default=(call.bid_micros + 1, -1))
            if ask_micros > call.bid_micros:
                continue
            dearest = max(dearest, ask_micros)
            free[model] -= 1
            if not free[model]:
                del free[model]
            pairs.append((call, ends[model], ask_micros))
        return pairs

    def _trade(self, call: Call, model: Endpoint, ask_micros: int, price_micros: int) -> None:
        if call.model is not model:
            self.floor.move(call, model)
        call.ask_micros = ask_micros
        call.terms = Terms(price_micros, price_micros if self.floor.pay_any else None)
        self.going[model.index] = price_micros
        self.floor.serve(call)
