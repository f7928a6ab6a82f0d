"""The index behind langchain-core's retriever interface, for chains built outside this package."""

from __future__ import annotations

from dataclasses import asdict

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from merl.knowledge.index import KnowledgeIndex


class KnowledgeRetriever(BaseRetriever):
    """Answers a query with the best entries, one document each.

    A document's text is the passage that matched; its metadata are the other fields of the hit.
    """

    index: KnowledgeIndex
    k: int = Field(5, ge=1)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        found = [asdict(hit) for hit in self.index.search(query, self.k)]
        return [Document(page_content=hit.pop("text"), metadata=hit) for hit in found]
