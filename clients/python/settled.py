"""One way to call clients that answer at once and clients that answer with an awaitable."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterable
from typing import Any


async def settled(answer: Any) -> Any:
    """What a call gives in the end, whether the client is async or not."""
    return await answer if inspect.isawaitable(answer) else answer


async def collected(answers: Iterable[Any] | AsyncIterator[Any]) -> list[Any]:
    """All that an iterator gives, whether it is async or not."""
    if hasattr(answers, "__aiter__"):
        return [answer async for answer in answers]
    return list(answers)
