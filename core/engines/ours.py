"""Our own engine: the stages of `core.pipeline`."""

from __future__ import annotations

from core.pipeline import Memo, load_tools, read_page, stages
from core.reading import Page, Reading
from core.settings import Settings


class Ours:
    """Reads pages with the nets and the lexicon of the resources folder, loaded once."""

    name = "ours"

    def __init__(self, settings: Settings | None = None) -> None:
        """Raises Missing naming a model or lexicon that is not there."""
        self.settings = settings or Settings()
        self.stages = stages(load_tools())

    def read(self, page: Page, until: str = "words") -> Reading:
        """The reading up to `until`. Nothing is kept from one page to the next."""
        return read_page(page, self.stages, self.settings, Memo(limit=0), until)
